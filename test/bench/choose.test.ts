import { describe, expect, test } from 'vitest'
import type { Limits } from '../../src/bench/types.ts'
import { enforcementOf, originOf, wantedLimits } from '../../src/bench/limits/choose.ts'

const mib = 2 ** 20
const none = { cpu: undefined, memory: undefined, manifest: undefined }
const free = { read: () => undefined }
/** A container with cgroup v2. */
const contained = {
  read: (path: string) =>
    ({
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': `${128 * mib}\n`,
      '/sys/fs/cgroup/memory.stat': 'anon 1\n',
      '/sys/fs/cgroup/cpu.max': '50000 100000\n',
      '/sys/fs/cgroup/cpu.stat': 'nr_periods 0\n',
    })[path],
}

describe('which limits', () => {
  test.each([
    ['the options', { ...none, cpu: '500m' }, contained, { cpus: 0.5, memoryBytes: undefined }, '--cpu'],
    [
      'the manifest',
      { ...none, manifest: 'manifests/base' },
      contained,
      { cpus: 0.2, memoryBytes: 64 * mib },
      'container remora',
    ],
    [
      'an option before the figure of the manifest',
      { ...none, memory: '48Mi', manifest: 'manifests/base' },
      free,
      { cpus: 0.2, memoryBytes: 48 * mib },
      '--memory',
    ],
    ['the own group', none, contained, { cpus: 0.5, memoryBytes: 128 * mib }, 'cgroup'],
    ['none: as in our manifest', none, free, { cpus: 0.2, memoryBytes: 64 * mib }, 'manifests/base'],
  ] as const)('%s', (_, options, files, limits, origin) => {
    const found = wantedLimits(options, files)
    expect(found.limits).toEqual(limits)
    expect(found.origin).toContain(origin)
  })

  test('a wrong one is named', () => {
    expect(() => wantedLimits({ ...none, cpu: 'two' }, free)).toThrow('--cpu: "two" is not a number of processors')
  })
})

describe('how they hold', () => {
  const wanted = { cpus: 0.2, memoryBytes: 64 * mib }
  const nothing = { cpus: undefined, memoryBytes: undefined }
  const refused = { available: false, reason: 'EACCES' } as const

  test('in a group of its own where one can be made', () => {
    const held = enforcementOf(wanted, { cgroups: { available: true, version: 2 }, own: nothing, ownVersion: 2 })
    expect(held).toEqual({ enforcement: { kind: 'cgroup', version: 2 }, limits: wanted, warning: '' })
  })

  test.each([
    ['in a group of its own', { kind: 'cgroup', version: 2 }, wanted, 'a manifest'],
    ['where nothing holds', { kind: 'none', reason: '' }, nothing, 'a manifest'],
    ['in the group of the bench, as they are there', { kind: 'own', version: 2 }, wanted, 'a manifest'],
    [
      'in the group of the bench, others',
      { kind: 'own', version: 2 },
      { ...wanted, cpus: 2 },
      'the group that the bench runs in',
    ],
  ] as const)('where limits are from that hold %s', (_, enforcement, limits, origin) => {
    const held = { enforcement, limits, warning: '' }
    expect(originOf({ limits: wanted, origin: 'a manifest', settings: {} }, held)).toBe(origin)
  })

  test('swap that nobody counts is said, where memory is limited', () => {
    const cgroups = { available: true, version: 1, isSwapFree: true } as const
    const warningOf = (limits: Limits) => enforcementOf(limits, { cgroups, own: nothing, ownVersion: 1 }).warning
    expect(warningOf(wanted)).toMatch(/has swap, .*swapoff -a/)
    expect(warningOf({ cpus: 1, memoryBytes: undefined })).toBe('')
  })

  test('else by the group the bench is in, whatever was asked for, and that is said', () => {
    const own = { cpus: 0.5, memoryBytes: 256 * mib }
    const held = enforcementOf(wanted, { cgroups: refused, own, ownVersion: 2 })
    expect(held).toMatchObject({ enforcement: { kind: 'own', version: 2 }, limits: own })
    expect(held.warning).toMatch(/500m CPU, 256Mi, not 200m CPU, 64Mi as asked for.*share it.*EACCES/)
  })

  test('one that is too small for the writer and the server is refused', () => {
    const own = { cpus: undefined, memoryBytes: 64 * mib }
    expect(() => enforcementOf(wanted, { cgroups: refused, own, ownVersion: 2 })).toThrow(
      /EACCES.*has 64Mi: too little/,
    )
  })

  test('else nothing does, and that is said', () => {
    const held = enforcementOf(wanted, { cgroups: refused, own: nothing, ownVersion: 1 })
    expect(held).toMatchObject({
      enforcement: { kind: 'none', reason: 'no group of its own: EACCES' },
      limits: nothing,
    })
    expect(held.warning).toMatch(/NOTHING LIMITS THE AGENT.*EACCES/)
  })

  const engine = { name: 'podman', isRootless: true } as const
  const containers = { available: true, engine, image: 'remora' } as const
  const container = { kind: 'container', engine: 'podman', image: 'remora', isRootless: true }
  const own = { cpus: 0.5, memoryBytes: 256 * mib }
  const cgroups = { available: true, version: 2 } as const
  const noEngine = { available: false, reason: 'there is no podman' } as const

  test.each([
    ['a group before a container', { cgroups, containers, own }, undefined, { kind: 'cgroup', version: 2 }],
    ['a container before the own group', { cgroups: refused, containers, own }, undefined, container],
    ['a container when asked for one', { cgroups, containers, own }, 'container', container],
    ['the own group when asked for it', { cgroups, own }, 'own', { kind: 'own', version: 2 }],
    ['nothing when asked for that', { cgroups, own }, 'none', { kind: 'none', reason: '--enforce none' }],
  ] as const)('%s', (_, ability, asked, enforcement) => {
    expect(enforcementOf(wanted, { ...ability, ownVersion: 2 }, asked).enforcement).toEqual(enforcement)
  })

  test('why there is no container is said with what holds instead', () => {
    const held = enforcementOf(wanted, { cgroups: refused, containers: noEngine, own, ownVersion: 2 })
    expect(held.warning).toMatch(/EACCES; no container: there is no podman/)
  })

  test.each([
    ['cgroup', /--enforce cgroup: .*EACCES/],
    ['container', /--enforce container: there is no podman/],
    ['own', /--enforce own: nothing limits the group/],
  ] as const)('%s that cannot be is refused', (asked, message) => {
    const ability = { cgroups: refused, containers: noEngine, own: nothing, ownVersion: 2 } as const
    expect(() => enforcementOf(wanted, ability, asked)).toThrow(message)
  })
})
