import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { RemoraError } from '../../src/base/errors.ts'
import { sidecarIn } from '../../src/bench/limits/manifest.ts'

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
