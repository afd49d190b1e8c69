import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { sidecarIn } from '../../src/bench/limits/manifest.ts'
import { leftToKustomize } from '../../src/bench/limits/kustomize.ts'
import { readManifest } from '../../src/bench/limits/manifest-files.ts'

const mib = 2 ** 20
const limits = 'resources: {limits: {cpu: 200m, memory: 64Mi}}'
const podOf = (containers: string, kind = 'Pod') =>
  kind === 'Pod' ? `{kind: Pod, spec: ${containers}}` : `{kind: ${kind}, spec: {template: {spec: ${containers}}}}`

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
      const env = { ...tool('kubectl', `[ -z "$REMORA_PASSWORD" ] && echo '${patched}'`), REMORA_PASSWORD: 'SECRET' }
      const at = join(tree(overlay), 'over')
      expect(sidecarIn(readManifest(at, env), at).limits.memoryBytes).toBe(256 * mib)
    })

    test('what one tool refuses is not given to the other', () => {
      const at = tree({
        kubectl: '#!/bin/sh\necho no such patch >&2; exit 1\n',
        kustomize: `#!/bin/sh\necho '${patched}'\n`,
      })
      for (const name of ['kubectl', 'kustomize']) chmodSync(join(at, name), 0o755)
      expect(() => readManifest(join(tree(overlay), 'over'), { PATH: at })).toThrow('kubectl: no such patch')
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
