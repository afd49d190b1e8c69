import os from 'node:os'
import { describe, expect, test } from 'vitest'
import { systemCgroupFiles, type CgroupFiles } from '../../src/base/cgroup.ts'
import { memoryInUse, memoryLimit, MemoryGauge } from '../../src/base/memory.ts'

const mib = 1024 * 1024
/** As the kernel writes it where a v1 cgroup has no limit. */
const unlimited = '9223372036854771712\n'
const v1Stat = (rssMib: number) =>
  `cache 1000000\nrss ${rssMib * mib}\ntotal_cache 999999999\ntotal_rss ${rssMib * mib}\n`
const v2Stat = (anonMib: number) =>
  `anon ${anonMib * mib}\nfile 999999999\nkernel ${5 * mib}\nsock ${mib}\nshmem 0\nslab_reclaimable ${3 * mib}\nkernel_stack 5\n`

/** Files by path; a directory's files are given together. */
function filesOf(tree: Readonly<Record<string, string | Readonly<Record<string, string>>>>): CgroupFiles {
  const files = new Map(
    Object.entries(tree).flatMap(([path, given]) =>
      typeof given === 'string'
        ? [[path, given] as const]
        : Object.entries(given).map(([name, text]) => [`${path}/${name}`, text] as const),
    ),
  )
  return { read: (path) => files.get(path) }
}

const self = (...lines: string[]) => ({
  cgroup: `${lines.join('\n')}\n`,
  status: 'Name:\tnode\nVmRSS:\t  90000 kB\nRssAnon:\t   51200 kB\nRssFile:\t  30000 kB\n',
})

const v2 = (limit: string, anonMib = 10) => ({ 'memory.max': limit, 'memory.stat': v2Stat(anonMib) })
const v1 = (limit: string, rssMib = 10, kernel?: string) => ({
  'memory.limit_in_bytes': limit,
  'memory.stat': v1Stat(rssMib),
  ...(kernel !== undefined && { 'memory.kmem.usage_in_bytes': kernel }),
})

const machine = { bytes: os.totalmem(), origin: "the machine's memory" }
const v2Limit = (limitMib: number) => ({ bytes: limitMib * mib, origin: 'cgroup v2 memory.max' })
const v1Limit = (limitMib: number) => ({ bytes: limitMib * mib, origin: 'cgroup v1 memory.limit_in_bytes' })
/** RssAnon of the process. */
const alone = 50 * mib
const text = (limitMib: number) => `${limitMib * mib}\n`

describe('limit and use', () => {
  test.each([
    ['no cgroups at all', { '/proc/self': self() }, machine, alone],
    ['no /proc either', {}, machine, 0],
    [
      'v2, in a container with a namespace of its own',
      { '/proc/self': self('0::/'), '/sys/fs/cgroup': v2(text(64)) },
      v2Limit(64),
      13 * mib,
    ],
    [
      "v2, in a container that sees the node's path",
      { '/proc/self': self('0::/kubepods.slice/pod1/abc'), '/sys/fs/cgroup': v2(text(64)) },
      v2Limit(64),
      13 * mib,
    ],
    [
      'v2, on a node, in a service of its own',
      {
        '/proc/self': self('0::/system.slice/remora.service'),
        '/sys/fs/cgroup/system.slice/remora.service': v2(text(48)),
        '/sys/fs/cgroup': { 'memory.stat': v2Stat(900) },
      },
      v2Limit(48),
      13 * mib,
    ],
    ['v2 without a limit', { '/proc/self': self('0::/'), '/sys/fs/cgroup': v2('max\n') }, machine, alone],
    [
      'v2, the limit on a parent',
      {
        '/proc/self': self('0::/a/b/c'),
        '/sys/fs/cgroup/a/b/c': v2('max\n', 7),
        '/sys/fs/cgroup/a/b': v2(text(96), 70),
        '/sys/fs/cgroup/a': v2(text(128), 100),
      },
      v2Limit(96),
      10 * mib,
    ],
    [
      'v2, the smallest of several',
      { '/proc/self': self('0::/a/b'), '/sys/fs/cgroup/a/b': v2(text(200), 7), '/sys/fs/cgroup/a': v2(text(100), 70) },
      v2Limit(100),
      10 * mib,
    ],
    [
      'v2, a limit beyond the machine',
      { '/proc/self': self('0::/'), '/sys/fs/cgroup': v2(`${2 ** 50}\n`) },
      machine,
      alone,
    ],
    [
      'v2, an old kernel that does not sum up its own memory',
      {
        '/proc/self': self('0::/'),
        '/sys/fs/cgroup': { 'memory.max': text(64), 'memory.stat': `anon ${10 * mib}\nfile 7\n` },
      },
      v2Limit(64),
      10 * mib,
    ],
    [
      'v2, a path with colons',
      { '/proc/self': self('0::/a:b/c'), '/sys/fs/cgroup/a:b/c': v2(text(64)) },
      v2Limit(64),
      13 * mib,
    ],
    [
      'v2, limits that may not be read',
      { '/proc/self': self('0::/'), '/sys/fs/cgroup': { 'memory.stat': v2Stat(10) } },
      machine,
      alone,
    ],
    [
      'v1, in a container',
      {
        '/proc/self': self('12:cpu,cpuacct:/x', '5:memory:/kubepods/pod1/abc', '1:name=systemd:/x'),
        '/sys/fs/cgroup/memory': v1(text(64), 10, text(3)),
      },
      v1Limit(64),
      13 * mib,
    ],
    [
      'v1 without kernel memory',
      { '/proc/self': self('5:memory:/'), '/sys/fs/cgroup/memory': v1(text(64)) },
      v1Limit(64),
      10 * mib,
    ],
    [
      'v1, on a node',
      {
        '/proc/self': self('5:memory:/user/remora'),
        '/sys/fs/cgroup/memory/user/remora': v1(text(48), 9, text(1)),
        '/sys/fs/cgroup/memory': v1(unlimited, 900),
      },
      v1Limit(48),
      10 * mib,
    ],
    [
      'v1, the limit on a parent',
      {
        '/proc/self': self('5:memory:/pod/container'),
        '/sys/fs/cgroup/memory/pod/container': v1(unlimited, 9),
        '/sys/fs/cgroup/memory/pod': v1(text(100), 50),
      },
      v1Limit(100),
      9 * mib,
    ],
    [
      'v1 without a limit',
      { '/proc/self': self('5:memory:/'), '/sys/fs/cgroup/memory': v1(unlimited) },
      machine,
      alone,
    ],
    [
      'v1, memory beside another controller',
      { '/proc/self': self('5:cpu,memory:/'), '/sys/fs/cgroup/memory': v1(text(64)) },
      v1Limit(64),
      10 * mib,
    ],
    [
      'hybrid: v2 is there, memory is v1',
      {
        '/proc/self': self('5:memory:/pod', '0::/pod'),
        '/sys/fs/cgroup/memory/pod': v1(text(64)),
        '/sys/fs/cgroup/unified/pod': { 'cgroup.procs': '1\n' },
      },
      v1Limit(64),
      10 * mib,
    ],
    [
      'hybrid: memory is in the unified tree',
      { '/proc/self': self('3:cpu:/pod', '0::/pod'), '/sys/fs/cgroup/unified/pod': v2(text(64)) },
      v2Limit(64),
      13 * mib,
    ],
    [
      'a name that only begins like memory',
      { '/proc/self': self('5:memory_recursiveprot:/'), '/sys/fs/cgroup/memory': v1(text(64)) },
      machine,
      alone,
    ],
    ['something that is not a number', { '/proc/self': self('0::/'), '/sys/fs/cgroup': v2('lots\n') }, machine, alone],
    ['nothing in the file', { '/proc/self': self('0::/'), '/sys/fs/cgroup': v2('') }, machine, alone],
    [
      'a path that leads out of the mount',
      { '/proc/self': self('0::/../../elsewhere'), '/sys/fs/cgroup': v2(text(64)) },
      v2Limit(64),
      13 * mib,
    ],
  ])('%s', (_name, tree, limit, inUse) => {
    const files = filesOf(tree)
    expect(memoryLimit(files)).toEqual(limit)
    expect(memoryInUse(files)).toBe(inUse)
  })
})

test('of this very process they are numbers that make sense', () => {
  const { bytes } = memoryLimit()
  expect(bytes).toBeGreaterThan(16 * mib)
  expect(bytes).toBeLessThanOrEqual(os.totalmem())
  expect(memoryInUse()).toBeGreaterThan(mib)
  expect(memoryInUse()).toBeLessThan(bytes)
})

test('a file that is not there is undefined', () => {
  expect(systemCgroupFiles.read('/proc/self/no-such-file')).toBeUndefined()
  expect(systemCgroupFiles.read('/proc/self')).toBeUndefined()
})

const v2Group = (limit: string, anonMib: number, more: Record<string, string> = {}) => ({
  ...v2(limit, anonMib),
  'memory.events': 'low 0\nhigh 0\nmax 153445\noom 2\noom_kill 1\noom_group_kill 0\n',
  'memory.pressure': `some avg10=1.00 avg60=0.00 avg300=0.00 total=9000000\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=2500000\n`,
  ...more,
})

describe('a gauge', () => {
  test('v2: use, room, what the kernel could not give, and how long all stood still', () => {
    const files = filesOf({ '/proc/self': self('0::/'), '/sys/fs/cgroup': v2Group(text(64), 50) })
    expect(new MemoryGauge(undefined, files).sample()).toEqual({
      limit: v2Limit(64),
      usedBytes: 53 * mib,
      roomBytes: 11 * mib,
      ooms: 3,
      stalledMs: 2500,
    })
  })

  test('v1: only what the kernel has killed; nobody tells of stalls, and `failcnt` rises on plain reads', () => {
    const files = filesOf({
      '/proc/self': self('5:memory:/'),
      '/sys/fs/cgroup/memory': {
        ...v1(text(64), 50, text(3)),
        'memory.failcnt': '153445\n',
        'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 4\n',
      },
    })
    expect(new MemoryGauge(undefined, files).sample()).toEqual({
      limit: v1Limit(64),
      usedBytes: 53 * mib,
      roomBytes: 11 * mib,
      ooms: 4,
      stalledMs: undefined,
    })
  })

  test('the limit is read each time: Kubernetes resizes Pods in place', () => {
    const tree = { ...v2Group(text(128), 50) } as Record<string, string>
    const files: CgroupFiles = {
      read: (path) =>
        path.startsWith('/sys/fs/cgroup/')
          ? tree[path.slice('/sys/fs/cgroup/'.length)]
          : self('0::/')[path.slice(11) as 'cgroup'],
    }
    const gauge = new MemoryGauge(undefined, files)
    expect(gauge.sample().limit).toEqual(v2Limit(128))
    tree['memory.max'] = text(64)
    expect(gauge.sample()).toMatchObject({ limit: v2Limit(64), roomBytes: 11 * mib })
  })

  test('the limit is the smallest one, the room that of the limit nearest by: the Pod has one of its own', () => {
    const files = filesOf({
      '/proc/self': self('0::/pod/container'),
      '/sys/fs/cgroup/pod/container': v2Group(text(64), 30),
      '/sys/fs/cgroup/pod': v2Group(text(200), 190),
      '/sys/fs/cgroup': { 'memory.stat': v2Stat(900) },
    })
    expect(new MemoryGauge(undefined, files).sample()).toMatchObject({
      limit: v2Limit(64),
      usedBytes: 33 * mib,
      roomBytes: 7 * mib,
    })
  })

  test('a setting is held against what this process alone uses', () => {
    const files = filesOf({ '/proc/self': self('0::/'), '/sys/fs/cgroup': v2Group(text(512), 400) })
    expect(new MemoryGauge(60 * mib, files).sample()).toMatchObject({
      limit: { bytes: 60 * mib, origin: 'REMORA_MEMORY_LIMIT' },
      usedBytes: 403 * mib,
      roomBytes: 10 * mib,
    })
  })

  test('of this very process', () => {
    const { limit, usedBytes, roomBytes } = new MemoryGauge(undefined).sample()
    expect(limit).toEqual(memoryLimit())
    expect(usedBytes).toBeGreaterThan(mib)
    expect(roomBytes).toBeGreaterThan(0)
  })
})
