import { describe, expect, test } from 'vitest'
import type { CgroupFiles } from '../../src/base/cgroup.ts'
import { LoadReader, type Throttle } from '../../src/base/load.ts'

const times = () => ({ idleMs: 1, cpuMs: 2 })

/** Files that a test may change while they are read. */
class Files implements CgroupFiles {
  readonly texts = new Map<string, string>()
  reads = 0

  constructor(texts: Readonly<Record<string, string>>) {
    for (const [path, text] of Object.entries(texts)) this.texts.set(path, text)
  }

  read(path: string): string | undefined {
    this.reads++
    return this.texts.get(path)
  }
}

const statV2 = (periods: number, throttled: number, us: number) =>
  `usage_usec 5000\nuser_usec 4000\nsystem_usec 1000\nnr_periods ${periods}\nnr_throttled ${throttled}\nthrottled_usec ${us}\nnr_bursts 0\nburst_usec 0\n`
const statV1 = (periods: number, throttled: number, ns: number) =>
  `nr_periods ${periods}\nnr_throttled ${throttled}\nthrottled_time ${ns}\n`

const pod = '/sys/fs/cgroup/kubepods.slice/pod1'
const ofTwo = (container: string, parent: string) => ({
  '/proc/self/cgroup': '0::/kubepods.slice/pod1/remora\n',
  [`${pod}/remora/cpu.max`]: container,
  [`${pod}/remora/cpu.stat`]: statV2(100, 10, 1000),
  [`${pod}/cpu.max`]: parent,
  [`${pod}/cpu.stat`]: statV2(100, 10, 1000),
  '/sys/fs/cgroup/cpu.stat': 'usage_usec 5000\n',
})

const twoQuotas = ofTwo('50000 100000\n', '100000 100000\n')

/** What is counted between two readings while these files change. */
function between(files: Files, changes: Readonly<Record<string, string>>): Throttle | undefined {
  const reader = new LoadReader(files, times)
  reader.read()
  for (const [path, text] of Object.entries(changes)) files.texts.set(path, text)
  return reader.read().throttle
}

describe('a quota on CPU time', () => {
  test.each([
    [
      'v2: of a container at the root of its mount',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '10000 100000\n' },
      '/sys/fs/cgroup/cpu.stat',
      [statV2(7, 3, 9000), statV2(17, 12, 809_000)],
      { quotaCores: 0.1, periods: 10, throttledPeriods: 9, throttledMs: 800 },
    ],
    [
      'v2: the path on the node is not there in a container',
      {
        '/proc/self/cgroup': '0::/kubepods.slice/pod1/remora\n',
        '/sys/fs/cgroup/cpu.max': '200000 100000\n',
      },
      '/sys/fs/cgroup/cpu.stat',
      [statV2(7, 3, 9000), statV2(8, 3, 9000)],
      { quotaCores: 2, periods: 1, throttledPeriods: 0, throttledMs: 0 },
    ],
    [
      'v1: beside other controllers, in nanoseconds',
      {
        '/proc/self/cgroup': '5:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/\n',
        '/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us': '10000\n',
        '/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us': '100000\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      },
      '/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.stat',
      [statV1(1, 0, 0), statV1(11, 10, 900_000_000)],
      { quotaCores: 0.1, periods: 10, throttledPeriods: 10, throttledMs: 900 },
    ],
    [
      'v1: mounted as the container sees it',
      {
        '/proc/self/cgroup': '1:cpu:/docker/1\n0::/\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      '/sys/fs/cgroup/cpu/cpu.stat',
      [statV1(1, 0, 0), statV1(1, 0, 0)],
      { quotaCores: 0.5, periods: 0, throttledPeriods: 0, throttledMs: 0 },
    ],
  ] as const)('%s', (_, files, stat, [before, after], throttle) => {
    expect(between(new Files({ ...files, [stat]: before }), { [stat]: after })).toEqual(throttle)
  })

  test.each([
    ['there are no cgroups', {}],
    ['v2: max', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }],
    [
      'v2: the root of the machine has none',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.stat': 'usage_usec 1\n' },
    ],
    [
      'v1: -1',
      {
        '/proc/self/cgroup': '1:cpu:/\n0::/\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
        '/sys/fs/cgroup/cpu/cpu.stat': statV1(0, 0, 0),
      },
    ],
    ['v2: what is there makes no sense', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'often' }],
  ])('none: %s', (_, files) => {
    const reader = new LoadReader(new Files(files), times)
    expect([reader.read(), reader.read()].map(({ throttle }) => throttle)).toEqual([undefined, undefined])
  })

  test("of a Pod's and a container's quota the one that stops us counts", () => {
    const [container, parent] = [`${pod}/remora/cpu.stat`, `${pod}/cpu.stat`]
    expect(
      between(new Files(twoQuotas), { [container]: statV2(110, 15, 6000), [parent]: statV2(110, 11, 2000) }),
    ).toEqual({
      quotaCores: 0.5,
      periods: 10,
      throttledPeriods: 5,
      throttledMs: 5,
    })
    expect(
      between(new Files(twoQuotas), { [container]: statV2(110, 10, 1000), [parent]: statV2(110, 18, 9000) }),
    ).toEqual({
      quotaCores: 1,
      periods: 10,
      throttledPeriods: 8,
      throttledMs: 8,
    })
  })

  test('one that is set or lifted in place is found, and what is counted never runs backwards', () => {
    const files = new Files(ofTwo('max 100000\n', 'max 100000\n'))
    const reader = new LoadReader(files, times)
    expect(reader.read().throttle).toBeUndefined()
    files.texts.set(`${pod}/remora/cpu.max`, '10000 100000\n')
    let readings = 0
    while (reader.read().throttle === undefined && readings < 200) readings++
    expect(readings).toBeLessThan(100)
    files.texts.set(`${pod}/remora/cpu.stat`, statV2(120, 25, 16_000))
    expect(reader.read().throttle).toMatchObject({ periods: 20, throttledPeriods: 15, throttledMs: 15 })
    files.texts.set(`${pod}/remora/cpu.stat`, statV2(0, 0, 0))
    expect(reader.read().throttle).toMatchObject({ periods: 20, throttledPeriods: 15, throttledMs: 15 })
  })

  test('a reading costs few files', () => {
    const files = new Files(twoQuotas)
    const reader = new LoadReader(files, times)
    reader.read()
    files.reads = 0
    for (let reading = 0; reading < 50; reading++) reader.read()
    expect(files.reads).toBe(50 * 2)
  })
})

test('of this process', async () => {
  const reader = new LoadReader()
  const before = reader.read()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const after = reader.read()
  expect(after.cpuMs).toBeGreaterThan(0)
  expect(after.idleMs).toBeGreaterThanOrEqual(before.idleMs)
})
