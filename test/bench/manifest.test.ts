import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { RemoraError } from '../../src/base/errors.ts'
import { sidecarIn } from '../../src/bench/limits/manifest.ts'
import { leftToKustomize } from '../../src/bench/limits/kustomize.ts'
import { readManifest } from '../../src/bench/limits/manifest-files.ts'
import { cpusText, limitsText, parseCpus, parseMemory } from '../../src/bench/limits/quantity.ts'

const mib = 2 ** 20
const podOf = (containers: string, kind = 'Pod') =>
  kind === 'Pod' ? `{kind: Pod, spec: ${containers}}` : `{kind: ${kind}, spec: {template: {spec: ${containers}}}}`
const read = (...texts: readonly string[]) =>
  sidecarIn(
    texts.map((text) => ({ file: 'a.yaml', value: parse(text) as unknown })),
    'a.yaml',
  )
const limits = 'resources: {limits: {cpu: 200m, memory: 64Mi}}'

describe('the sidecar is found', () => {
  test.each([
    ['an init container of a Pod', podOf(`{initContainers: [{name: remora, ${limits}}], containers: [{name: app}]}`)],
    ['a container of a Deployment', podOf(`{containers: [{name: app}, {name: remora, ${limits}}]}`, 'Deployment')],
    ['by its image', podOf(`{containers: [{name: logs, image: 'r:5000/team/remora:1@sha256:0', ${limits}}]}`)],
    ['its name before its image', podOf(`{containers: [{name: x, image: remora}, {name: remora, ${limits}}]}`)],
    [
      'a CronJob',
      `{kind: CronJob, spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: remora, ${limits}}]}}}}}}`,
    ],
    ['in a List', `{kind: List, items: [{kind: Service}, ${podOf(`{containers: [{name: remora, ${limits}}]}`)}]}`],
  ])('%s', (_, text) => {
    expect(read('{kind: ConfigMap}', text).limits).toEqual({ cpus: 0.2, memoryBytes: 64 * mib })
  })

  test('numbers without quotes, and only one of the two', () => {
    const text = podOf('{containers: [{name: remora, resources: {limits: {cpu: 1}}}]}')
    expect(read(text).limits).toEqual({ cpus: 1, memoryBytes: undefined })
  })
})

describe('its settings', () => {
  test('none that cuts lines, and that is said', () => {
    const env = 'env: [{name: REMORA_MAX_LINE_BYTES, value: 1Ki}, {name: REMORA_CONCURRENCY, value: 2}]'
    const sidecar = read(podOf(`{containers: [{name: remora, ${env}, ${limits}}]}`))
    expect(sidecar.settings).toEqual({ REMORA_CONCURRENCY: '2' })
    expect(sidecar.origin).toBe(
      'a.yaml, container remora (without its REMORA_MAX_LINE_BYTES: no line of the bench may be cut)',
    )
  })

  test('those that change the cost, of its env and of the ConfigMaps that are there', () => {
    const env = `env: [{name: REMORA_COMPRESSION, value: gzip}, {name: REMORA_CONCURRENCY, value: 2}, {name: REMORA_PATHS, value: /x},
      {name: REMORA_API_KEY, value: secret}, {name: REMORA_POD_NAME, valueFrom: {}}]`
    const from = 'envFrom: [{configMapRef: {name: a}}, {configMapRef: {name: b}}, {secretRef: {name: c}}]'
    const maps = [
      '{kind: ConfigMap, metadata: {name: a}, data: {REMORA_BATCH_LINGER: 1s, REMORA_COMPRESSION: none}}',
      '{kind: Kustomization, configMapGenerator: [{name: b, literals: [REMORA_FIELDS=a=b]}, {name: other, literals: [REMORA_LOG_LEVEL=debug]}]}',
    ]
    expect(read(...maps, podOf(`{containers: [{name: remora, ${env}, ${from}, ${limits}}]}`)).settings).toEqual({
      REMORA_BATCH_LINGER: '1s',
      REMORA_COMPRESSION: 'gzip',
      REMORA_CONCURRENCY: '2',
      REMORA_FIELDS: 'a=b',
    })
  })
})

describe('what is missing is named', () => {
  test.each([
    ['no such container', podOf('{containers: [{name: app}, {name: web}]}'), /a\.yaml has no container named remora/],
    ['nothing to look at', '{kind: Service}', /no container named remora/],
    ['no limits', podOf('{containers: [{name: remora}]}'), /a\.yaml, container remora, has no resources\.limits/],
    [
      'a wrong quantity',
      podOf('{containers: [{name: remora, resources: {limits: {memory: 64MB}}}]}'),
      /limits\.memory: "64MB"/,
    ],
    [
      'a wrong number',
      podOf('{containers: [{name: remora, resources: {limits: {cpu: [1]}}}]}'),
      /limits\.cpu: "\[1\]"/,
    ],
    [
      'two images',
      podOf('{containers: [{name: a, image: remora}, {name: b, image: remora}]}'),
      /2 containers with Remora's image/,
    ],
    ['two that differ', podOf(`{containers: [{name: remora, ${limits}}, {name: remora}]}`), /different limits/],
  ])('%s', (_, text, message) => {
    expect(() => read(text)).toThrow(message)
  })

  test('whatever the documents hold, it is an answer or such an error', () => {
    fc.assert(
      fc.property(fc.array(fc.anything()), (values) => {
        const documents = values.map((value) => ({ file: 'a.yaml', value }))
        expect(codeThrownBy(() => sidecarIn(documents, 'a.yaml'))).toMatch(/^$|^MANIFEST$/)
      }),
    )
  })
})

function codeThrownBy(act: () => unknown): string {
  try {
    act()
    return ''
  } catch (error) {
    return error instanceof RemoraError ? error.code : String(error)
  }
}

describe('files', () => {
  const directories: string[] = []
  const tree = (files: Readonly<Record<string, string>>) => {
    const directory = mkdtempSync(join(tmpdir(), 'remora-manifest-'))
    directories.push(directory)
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(directory, name, '..'), { recursive: true })
      writeFileSync(join(directory, name), text)
    }
    return directory
  }
  afterEach(() => {
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
  })
  const sidecar = podOf(`{containers: [{name: remora, ${limits}}]}`)

  test('our own manifests', () => {
    const at = fileURLToPath(new URL('../../manifests/base', import.meta.url))
    const found = sidecarIn(readManifest(at), at)
    expect(found.limits).toEqual({ cpus: 0.2, memoryBytes: 64 * mib })
    expect(found.origin).toMatch(/deployment\.yaml, container remora$/)
  })

  test('a kustomization names its files, and those of others; what it does not name is left', () => {
    const at = tree({
      'over/kustomization.yaml': 'resources: [../base, "https://example.org/x", ../over]',
      'base/kustomization.yaml': 'resources: [pod.yaml]',
      'base/pod.yaml': `kind: Namespace\n---\n${sidecar}\n`,
      'base/old.yaml': sidecar,
    })
    expect(readManifest(join(at, 'over')).filter(({ file }) => file.endsWith('pod.yaml'))).toHaveLength(2)
    expect(readManifest(join(at, 'over')).some(({ file }) => file.endsWith('old.yaml'))).toBe(false)
  })

  const tool = (name: string, script: string) => {
    const at = tree({ [name]: `#!/bin/sh\n${script}\n` })
    chmodSync(join(at, name), 0o755)
    return { PATH: at }
  }

  describe('what only Kustomize can apply', () => {
    const overlay = {
      'over/kustomization.yaml': 'resources: [../base]\npatches: [{path: more.yaml}]',
      'base/kustomization.yaml': 'resources: [pod.yaml]',
      'base/pod.yaml': sidecar,
    }
    const patched = podOf('{containers: [{name: remora, resources: {limits: {cpu: 1, memory: 256Mi}}}]}')

    test.each([
      ['kubectl', 'kustomize'],
      ['kustomize', 'build'],
    ])('is read as %s makes it', (command, word) => {
      const at = join(tree(overlay), 'over')
      const env = tool(command, `[ "$1 $2" = "${word} ${at}" ] && echo '${patched}'`)
      for (const named of [at, join(at, 'kustomization.yaml')]) {
        const found = sidecarIn(readManifest(named, env), named)
        expect(found.limits).toEqual({ cpus: 1, memoryBytes: 256 * mib })
        expect(found.origin).toBe(`${at} as Kustomize makes it, container remora`)
      }
    })

    test.each([
      ['without a tool', () => ({ PATH: '/nowhere' }), /over has patches, .* neither kubectl nor kustomize is here/],
      [
        'when it refuses',
        () => tool('kubectl', 'echo first >&2; echo no such patch >&2; exit 1'),
        /kubectl: no such patch/,
      ],
    ])('is an error %s', (_, envOf, message) => {
      const env = envOf()
      const at = join(tree(overlay), 'over')
      expect(() => readManifest(at, env)).toThrow(message)
      expect(() => readManifest(at, env)).toThrow(
        expect.objectContaining({
          wayOut: `kubectl kustomize ${at} > /tmp/x.yaml; remora bench --manifest /tmp/x.yaml`,
        }),
      )
    })

    test('what is on another machine is fetched by nobody', () => {
      const at = join(
        tree({ ...overlay, 'over/kustomization.yaml': 'resources: [https://host/repo]\npatches: [{path: x}]' }),
        'over',
      )
      expect(() => readManifest(at, tool('kubectl', 'exit 0'))).toThrow(
        /takes https:\/\/host\/repo from another machine/,
      )
    })

    test('a tool is given none of our settings', () => {
      const env = { ...tool('kubectl', 'env | grep -q SECRET && exit 1; cat over.yaml'), REMORA_PASSWORD: 'SECRET' }
      expect(() => readManifest(join(tree(overlay), 'over'), env)).not.toThrow(/exit|SECRET/)
    })

    test.each([
      ['components: [../x]', 'components'],
      ['bases: [../x]', 'bases'],
      ['patchesStrategicMerge: [x.yaml]', 'patchesStrategicMerge'],
      ['patchesJson6902: [{path: x}]', 'patchesJson6902'],
      ['replacements: [{path: x}]', 'replacements'],
      ['transformers: [x.yaml]', 'transformers'],
      ['configMapGenerator: [{name: a, envs: [x.env]}]', 'configMapGenerator.envs'],
      ['configMapGenerator: [{name: a, behavior: merge, literals: [A=b]}]', 'configMapGenerator.behavior'],
      ['{patches: [], components: , namespace: a, images: [{name: a}], resources: [a.yaml]}', ''],
      ['configMapGenerator: [{name: a, literals: [A=b]}]', ''],
      ['[1]', ''],
    ])('%s', (text, fields) => {
      expect(leftToKustomize(parse(text)).join()).toBe(fields)
    })
  })

  test.each([
    ['not there', {}, /no\.yaml cannot be read/],
    ['not YAML', { 'no.yaml': 'a: [' }, /no\.yaml is not YAML/],
    [
      'a resource that is not there',
      { 'no.yaml': '', 'kustomization.yaml': 'resources: [gone.yaml]' },
      /gone\.yaml cannot be read/,
    ],
  ] as const)('%s', (_, files, message) => {
    const at = tree(files)
    expect(() => readManifest('kustomization.yaml' in files ? at : join(at, 'no.yaml'))).toThrow(message)
  })
})

describe('quantities', () => {
  test.each([
    ['200m', 0.2],
    ['1', 1],
    ['1.5', 1.5],
    ['0.25', 0.25],
    ['.5', 0.5],
    ['1.', 1],
    ['1e-1', 0.1],
    ['1E3', 1000],
    ['100000u', 0.1],
    ['+200000000n', 0.2],
    ['0.0105', 0.011],
  ])('%s processors', (text, cpus) => {
    expect(parseCpus(text)).toEqual({ ok: true, value: cpus })
  })

  test.each([
    '',
    '0',
    '-1',
    '.',
    '.m',
    '1e',
    '1e-',
    '1K',
    '1mi',
    '1e3m',
    '1e4',
    '1.2.3',
    '200M',
    '5000',
    '1 ',
    'm',
    '9m',
  ])('%j processors', (text) => {
    expect(parseCpus(text).ok).toBe(false)
  })

  test.each([
    ['128974848000m', 128974848],
    ['64e6', 64e6],
    ['64E6', 64e6],
    ['640000000e-1', 64e6],
    ['.5Gi', 512 * mib],
    ['64.Mi', 64 * mib],
    ['20000000.1', 20000001],
  ])('%s of memory', (text, bytes) => {
    expect(parseMemory(text)).toEqual({ ok: true, value: bytes })
  })

  test.each([
    ['64m', '64M (64000000 bytes) or 64Mi'],
    ['64MB', '64M (64000000 bytes) or 64Mi'],
    ['1e3', '16Mi'],
    ['-64Mi', 'write a quantity'],
    ['9Ei', '64Mi'],
    ['10000000000m', 'write at least 16Mi'],
  ])('%s of memory is refused, with the way out', (text, wayOut) => {
    expect(parseMemory(text)).toMatchObject({ ok: false, wayOut: expect.stringContaining(wayOut) })
  })

  test('however it is spelled, it is as much', () => {
    const places = fc.integer({ min: -9, max: 9 })
    const padding = fc.record({ plus: fc.constantFrom('', '+'), zeros: fc.nat(3).map((length) => '0'.repeat(length)) })
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 1_024_000 }), places, padding, (thousandths, shift, { plus, zeros }) => {
        // As many thousandths, the point somewhere else and an exponent to make up for it.
        const [digits, at] = [
          `${'0'.repeat(10)}${thousandths}${'0'.repeat(10)}`,
          10 + String(thousandths).length + shift,
        ]
        const spelled = `${plus}${zeros}${digits.slice(0, at)}.${digits.slice(at)}e${-3 - shift}`
        const suffixed = [`${thousandths}m`, `${thousandths}000u`, `${thousandths}.000m`, `${thousandths}e-3`]
        for (const text of [spelled, ...suffixed])
          expect([text, parseCpus(text)]).toEqual([text, { ok: true, value: thousandths / 1_000 }])
        const bytes = thousandths * 2 ** 11
        const memory = [`${bytes}000m`, `${bytes}e0`, `${thousandths * 2}Ki`].map((text) => parseMemory(text))
        for (const each of memory) expect(each.ok && each.value).toBe(bytes >= 16 * mib && bytes)
      }),
    )
  })

  test('whatever it is, it is an amount within bounds or a refusal', () => {
    const part = fc.constantFrom('1', '9', '0', '.', '-', '+', 'e', 'E', 'm', 'i', 'K', 'G', 'n', ' ', '99999')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = parts.join('')
        const [cpus, memory] = [parseCpus(text), parseMemory(text)]
        expect(!cpus.ok || (cpus.value >= 0.01 && cpus.value <= 1024)).toBe(true)
        expect(!memory.ok || Number.isSafeInteger(memory.value)).toBe(true)
        // Source: apimachinery, `splitREString`.
        expect((!cpus.ok && !memory.ok) || /^[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*$/.test(text)).toBe(true)
      }),
    )
  })

  test('what is printed is read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 1_024_000 }), (thousandths) => {
        const cpus = thousandths / 1_000
        expect(parseCpus(cpusText(cpus))).toEqual({ ok: true, value: cpus })
      }),
    )
  })

  test.each([
    [undefined, undefined, 'unlimited'],
    [0.2, 64 * mib, '200m CPU, 64Mi'],
    [1, undefined, '1 CPU, no memory limit'],
    [undefined, 48 * mib, 'no CPU limit, 48Mi'],
  ])('%s processors and %s bytes', (cpus, memoryBytes, text) => expect(limitsText({ cpus, memoryBytes })).toBe(text))

  test('memory in which Node does not start is refused', () => {
    expect(parseMemory('8Mi').ok).toBe(false)
    expect(parseMemory('64Mi')).toEqual({ ok: true, value: 64 * mib })
  })
})
