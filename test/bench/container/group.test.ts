import { describe, expect, test } from 'vitest'
import { areHeld, containerGroupOf, limitsOfGroup } from '../../../src/bench/container/group.ts'

const id = '683c2376f662480a6b94e63e83f714cc3e93dec4790c854c95760e1eb05386c8'
const sys = '/sys/fs/cgroup'
const filesOf = (files: Readonly<Record<string, string>>) => ({ read: (path: string) => files[path] })
const v2 = (folder: string) => ({
  [`${folder}/memory.stat`]: 'anon 1\n',
  [`${folder}/memory.max`]: '67108864\n',
  [`${folder}/cpu.stat`]: 'usage_usec 1\n',
  [`${folder}/cpu.max`]: '20000 100000\n',
})
const v1 = (memory: string, cpu: string, account: string) => ({
  [`${memory}/memory.stat`]: 'total_rss 1\n',
  [`${memory}/memory.limit_in_bytes`]: '67108864\n',
  [`${cpu}/cpu.stat`]: 'nr_periods 0\n',
  [`${cpu}/cpu.cfs_quota_us`]: '20000\n',
  [`${cpu}/cpu.cfs_period_us`]: '100000\n',
  [`${account}/cpuacct.usage`]: '1\n',
})
const inV1 = (path: string, cpu: string) => `4:memory:${path}\n${cpu}\n0::${path}\n`
const wanted = { cpus: 0.2, memoryBytes: 64 * 2 ** 20 }

describe('the group of a container', () => {
  test.each([
    [
      'podman, v2, by systemd: the scope, which has the limits, and not the group below it',
      `0::/machine.slice/libpod-${id}.scope/container\n`,
      v2(`${sys}/machine.slice/libpod-${id}.scope`),
      2,
    ],
    ['podman, v2, by itself', `0::/libpod_parent/libpod-${id}\n`, v2(`${sys}/libpod_parent/libpod-${id}`), 2],
    ['docker, v2', `0::/system.slice/docker-${id}.scope\n`, v2(`${sys}/system.slice/docker-${id}.scope`), 2],
    [
      'podman without root, v2',
      `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope/container\n`,
      v2(`${sys}/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`),
      2,
    ],
    [
      'docker, v1, CPU and its account together',
      inV1(`/docker/${id}`, `2:cpu,cpuacct:/docker/${id}`),
      v1(`${sys}/memory/docker/${id}`, `${sys}/cpu,cpuacct/docker/${id}`, `${sys}/cpu,cpuacct/docker/${id}`),
      1,
    ],
    [
      'podman, v1, each by itself',
      inV1(`/libpod_parent/libpod-${id}`, `2:cpuacct:/libpod_parent/libpod-${id}\n1:cpu:/libpod_parent/libpod-${id}`),
      v1(
        `${sys}/memory/libpod_parent/libpod-${id}`,
        `${sys}/cpu/libpod_parent/libpod-${id}`,
        `${sys}/cpuacct/libpod_parent/libpod-${id}`,
      ),
      1,
    ],
  ] as const)('%s', (_, lines, found, version) => {
    const files = filesOf({ '/proc/7/cgroup': lines, ...found })
    const group = containerGroupOf(files, 7, id)
    expect(group?.version).toBe(version)
    expect(limitsOfGroup(files, group!)).toEqual(wanted)
  })

  test.each([
    ['the process is another one here', { '/proc/7/cgroup': '0::/system.slice/sshd.service\n', ...v2(sys) }],
    ['the process is not here', {}],
    ['its files cannot be read', { '/proc/7/cgroup': `0::/docker/${id}\n` }],
    ['v1 that counts no CPU', { '/proc/7/cgroup': `4:memory:/docker/${id}\n1:cpu:/docker/${id}\n` }],
  ])('none: %s', (_, files) => expect(containerGroupOf(filesOf(files), 7, id)).toBeUndefined())

  test('none without an id: each has an empty name in it', () => {
    expect(containerGroupOf(filesOf({ '/proc/7/cgroup': '0::/\n', ...v2(sys) }), 7, '')).toBeUndefined()
  })
})

describe('the limits hold', () => {
  test.each([
    ['as asked for', wanted, wanted, true],
    ['to the page', wanted, { ...wanted, memoryBytes: wanted.memoryBytes - 4096 }, true],
    ['none was asked for', { cpus: undefined, memoryBytes: undefined }, wanted, true],
    ['the engine has left out the quota', wanted, { ...wanted, cpus: undefined }, false],
    ['the engine has left out the memory', wanted, { ...wanted, memoryBytes: undefined }, false],
    ['others than asked for', wanted, { ...wanted, cpus: 0.5 }, false],
  ] as const)('%s: %o, %o', (_, asked, found, held) => expect(areHeld(asked, found)).toBe(held))

  test('`max` is none', () => {
    const files = filesOf({ '/g/memory.max': 'max\n', '/g/cpu.max': 'max 100000\n' })
    const group = { version: 2, memoryFolder: '/g', cpuFolder: '/g', accountFolder: '/g' } as const
    expect(limitsOfGroup(files, group)).toEqual({ cpus: undefined, memoryBytes: undefined })
  })
})
