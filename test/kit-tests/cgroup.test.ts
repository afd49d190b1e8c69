import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import {
  cgroupsAvailable,
  cgroupVersion,
  joinByNode,
  makeCgroup,
  spawnInCgroup,
} from '../../src/bench/machine/cgroup.ts'
import { handDown, isKinOf } from '../../src/bench/machine/hand-down.ts'
import { groupName, here, type Here, isAbandoned } from '../../src/bench/machine/cgroup-name.ts'
import {
  groupCpuOf,
  hasSwap,
  limitsSwap,
  planOf,
  sampleOf,
  throttledMsOf,
} from '../../src/bench/machine/cgroup-files.ts'

const mebibyte = 1024 * 1024
const memoryRoot = cgroupVersion() === 2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory'

describe('what is written and read', () => {
  test('v2: one group with all limits', () => {
    const plan = planOf(2, 'x', { memoryBytes: 64 * mebibyte, cpus: 0.5 })
    expect(plan.folders).toEqual(['/sys/fs/cgroup/x'])
    expect(plan.writes.map(({ path, value }) => `${path} ${value}`)).toEqual([
      '/sys/fs/cgroup/x/memory.max 67108864',
      '/sys/fs/cgroup/x/memory.swap.max 0',
      '/sys/fs/cgroup/x/cpu.max 50000 100000',
    ])
  })

  test('v1: a group in each hierarchy', () => {
    const plan = planOf(1, 'x', { memoryBytes: 64 * mebibyte, cpus: 2 })
    expect(plan.folders).toEqual(['/sys/fs/cgroup/memory/x', '/sys/fs/cgroup/cpu/x'])
    expect(plan.writes.map(({ path, value }) => `${path} ${value}`)).toContain(
      '/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us 200000',
    )
  })

  test.each([
    [
      2,
      {
        'memory.stat': 'anon 100\nfile 7\nkernel 50\nslab_reclaimable 30\nsock 3\nshmem 5\n',
        'memory.events': 'oom 2\noom_kill 1\n',
      },
    ],
    // Linux 5.15 has no sum.
    [
      2,
      {
        'memory.stat':
          'anon 100\nfile 7\nkernel_stack 9\npagetables 6\npercpu 3\nsock 3\nshmem 5\nslab_reclaimable 30\nslab_unreclaimable 2\nslab 32\n',
        'memory.events': 'oom 2\noom_kill 1\n',
      },
    ],
    [
      1,
      {
        'memory.stat': 'rss 1\ncache 7\nshmem 1\ntotal_cache 7\ntotal_rss 100\ntotal_shmem 5\n',
        'memory.kmem.usage_in_bytes': '23\n',
        'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
      },
    ],
  ] as const)(
    'v%i: page cache and what gives way as it does are not counted',
    (version, files: Record<string, string>) => {
      expect(sampleOf(version, (name) => files[name] ?? '')).toEqual({
        anonBytes: 100,
        kernelBytes: 23,
        usedBytes: 128,
        oomKills: 1,
      })
    },
  )
})

function refuse(): never {
  throw Object.assign(new Error('refused'), { code: 'EACCES' })
}

const isKin = (pid: number) => pid === 1 || pid === 17

describe('handing controllers down', () => {
  const made: string[] = []
  afterEach(() => {
    for (const folder of made.splice(0)) rmSync(folder, { recursive: true })
  })

  /** A group with processes, which refuses once; what is written is noted, and `fails` may refuse more. */
  function group(pids: string, fails: (line: string) => string = () => '') {
    const root = mkdtempSync(join(tmpdir(), 'remora-cgroup-'))
    made.push(root)
    writeFileSync(join(root, 'cgroup.procs'), pids)
    const said: string[] = []
    const put = (file: string, text: string) => {
      said.push(`${file.slice(root.length)} ${text}`)
      if (said.length === 1) throw Object.assign(new Error('busy'), { code: 'EBUSY' })
      const code = fails(said.at(-1)!)
      if (code !== '') throw Object.assign(new Error(code), { code })
      if (file.endsWith('itself/cgroup.procs')) writeFileSync(file, `${text}\n`, { flag: 'a' })
    }
    return { root, said, put }
  }
  test('a group with processes of its own refuses: they go into one below it first, and back in the end', () => {
    const { root, said, put } = group('1\n17\n')
    const back = handDown(root, { put, isKin })
    expect(said.splice(0)).toEqual([
      '/cgroup.subtree_control +memory +cpu',
      '/remora-bench-itself/cgroup.procs 1',
      '/remora-bench-itself/cgroup.procs 17',
      '/cgroup.subtree_control +memory +cpu',
    ])
    back?.()
    expect(said).toEqual(['/cgroup.subtree_control -memory -cpu', '/cgroup.procs 1', '/cgroup.procs 17'])
  })

  test.each([['1\n23\n'], ['1\n0\n']])('processes of others (%j) are not moved', (pids) => {
    const { root, said, put } = group(pids)
    expect(() => handDown(root, { put, isKin })).toThrow('has 1 other processes in it')
    expect(said).toEqual(['/cgroup.subtree_control +memory +cpu'])
  })

  test('one that ends meanwhile is no hindrance', () => {
    const { root, said, put } = group('1\n17\n', (line) => (line.endsWith('itself/cgroup.procs 1') ? 'ESRCH' : ''))
    handDown(root, { put, isKin })
    expect(said.at(-1)).toBe('/cgroup.subtree_control +memory +cpu')
  })

  test('half-way nothing stays moved', () => {
    const { root, said, put } = group('1\n17\n', (line) => (line.endsWith('itself/cgroup.procs 17') ? 'EPERM' : ''))
    expect(() => handDown(root, { put, isKin })).toThrow('EPERM')
    expect(said.slice(-2)).toEqual(['/cgroup.subtree_control -memory -cpu', '/cgroup.procs 1'])
  })

  test('this process, those that it comes from and those that come from it are its own', () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => 0, 5000)'])
    const { root, said, put } = group(`${process.ppid}\n${process.pid}\n${child.pid}\n`)
    handDown(root, { put, isKin: isKinOf })
    child.kill('SIGKILL')
    expect(said).toHaveLength(5)
  })

  test('any other refusal is the answer', () => {
    expect(() => handDown('/x', { put: refuse, isKin })).toThrow('refused')
  })
})

test('where there is no shell, Node puts the process into its group, and becomes the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'remora-cgroup-'))
  try {
    writeFileSync(join(folder, 'cgroup.procs'), '')
    const [node = '', ...script] = joinByNode
    const says = 'console.log(process.pid, process.argv[1], process.env.A)'
    const command = [process.execPath, '-e', says, '--', 'b']
    const { stdout, pid } = spawnSync(node, [...script, folder, '--', ...command], {
      encoding: 'utf8',
      env: { A: 'c' },
    })
    expect(stdout).toBe(`${pid} b c\n`)
    expect(readFileSync(join(folder, 'cgroup.procs'), 'utf8')).toBe(String(pid))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('CPU of a group', () => {
  const files: Record<string, string> = {
    'cpu.stat':
      'usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_throttled 2\nthrottled_usec 1500\nthrottled_time 2500000\n',
    'cpuacct.usage': '40000\n',
    'cpuacct.usage_user': '30000\n',
    'cpuacct.usage_sys': '10000\n',
  }
  const read = (name: string) => files[name] ?? ''

  test.each([
    [2, { userUs: 20, systemUs: 10 }, 1.5],
    [1, { userUs: 30, systemUs: 10 }, 2.5],
  ] as const)('v%i', (version, cpu, throttledMs) => {
    expect(groupCpuOf(version, read)).toEqual(cpu)
    expect(throttledMsOf(version, read)).toBe(throttledMs)
  })

  test('not counted here', () => {
    expect(groupCpuOf(1, refuse)).toBeUndefined()
  })
})

describe('swap', () => {
  const header = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'

  test.each([
    ['none', header, false],
    ['some', `${header}/swap.img  file\t\t2097148\t\t0\t\t-2\n`, true],
    ['nobody knows', undefined, false],
  ])('%s', (_, swaps, there) => {
    expect(hasSwap({ read: () => swaps })).toBe(there)
  })

  test.each([
    [1, 'memory/x/memory.memsw.limit_in_bytes'],
    [2, 'x/memory.swap.max'],
  ] as const)('v%i: what limits it may not be there', (version, file) => {
    const plan = planOf(version, 'x', { memoryBytes: 1 })
    expect(limitsSwap(plan, () => false)).toBe(false)
    expect(limitsSwap(plan, (path) => path === `/sys/fs/cgroup/${file}`)).toBe(true)
  })
})

describe('whose group it is', () => {
  const at: Here = { pidNamespace: 7, uptimeTicks: 10_000_000, startTicksOf: (pid) => (pid === 1 ? 500 : 0) }
  const dayTicks = 24 * 3_600 * 100

  test('no two have the same name, be the pid the same', () => {
    expect(groupName(1, at)).not.toBe(groupName(1, at))
    expect(isAbandoned(groupName(1, at), at)).toBe(false)
  })

  test.each([
    ['its owner is there', 'remora-bench-1-500-7-0123abcd', false],
    ['its owner has ended', 'remora-bench-2-500-7-0123abcd', true],
    ['another process has its pid now', 'remora-bench-1-499-7-0123abcd', true],
    ['its owner is in another container', `remora-bench-1-${at.uptimeTicks - dayTicks + 1}-8-0123abcd`, false],
    ['its owner was in another one, long ago', `remora-bench-1-${at.uptimeTicks - dayTicks - 1}-8-0123abcd`, true],
    ['not one of ours', 'remora-bench-itself', false],
    ['not one of ours, nearly', 'remora-bench-2-500-7-0123abcd.scope', false],
  ])('%s', (_, name, abandoned) => {
    expect(isAbandoned(name, at)).toBe(abandoned)
  })
})

/** Others may run beside this one. */
function groupsOf(pid: number): string[] {
  return readdirSync(memoryRoot).filter((name) => name.startsWith(`remora-bench-${pid}-`))
}

/** Holds `mebibytes` of touched memory, says so, and waits. */
function holdMemory(mebibytes: number, limitBytes: number) {
  const program = `const held = Buffer.alloc(${mebibytes * mebibyte}, 1); console.log(held.length); setInterval(() => held, 60_000)`
  return spawnInCgroup({ memoryBytes: limitBytes, cpus: 1 }, process.execPath, ['-e', program], { stdio: 'pipe' })
}

const answer = cgroupsAvailable()
describe.skipIf(!answer.available)(`a real group${answer.available ? '' : ` (${answer.reason})`}`, () => {
  test('samples what its processes hold, and cleans up after them', async () => {
    const group = holdMemory(50, 200 * mebibyte)
    await once(group.child.stdout!, 'data')
    const { anonBytes, kernelBytes, usedBytes, oomKills } = group.sample()
    expect(anonBytes).toBeGreaterThan(50 * mebibyte)
    expect(usedBytes).toBeLessThan(200 * mebibyte)
    expect(usedBytes).toBeGreaterThanOrEqual(anonBytes + kernelBytes)
    expect(oomKills).toBe(0)
    const ended = once(group.child, 'exit')
    await group.cleanup()
    expect(await ended).toEqual([null, 'SIGKILL'])
    expect(() => group.sample()).toThrow('ENOENT')
  })

  test('the kernel kills what passes the limit, and that is counted', async () => {
    const group = holdMemory(200, 64 * mebibyte)
    expect(await once(group.child, 'exit')).toEqual([null, 'SIGKILL'])
    expect(group.sample().oomKills).toBe(1)
    await group.cleanup()
  })

  test('half a CPU is half a CPU', async () => {
    const program = `const end = Date.now() + 1000; while (Date.now() < end); console.log(process.cpuUsage().user + process.cpuUsage().system)`
    const limits = { memoryBytes: 200 * mebibyte, cpus: 0.5 }
    const group = spawnInCgroup(limits, process.execPath, ['-e', program], { stdio: 'pipe' })
    const [line] = await once(group.child.stdout!, 'data')
    expect(Number(line) / 1_000_000).toBeLessThan(0.8)
    await group.cleanup()
  })

  test('a process comes back into the same group, whose CPU is that of both; what the quota took away is counted', async () => {
    const group = makeCgroup({ memoryBytes: 200 * mebibyte, cpus: 0.1 })
    const program = `const end = Date.now() + 300; while (Date.now() < end);`
    const busy = async () => {
      const child = group.spawn(process.execPath, ['-e', program], { stdio: 'ignore' })
      expect(await once(child, 'exit')).toEqual([0, null])
      const { userUs, systemUs } = group.cpu()!
      return userUs + systemUs
    }
    const first = await busy()
    expect(await busy()).toBeGreaterThan(first + 10_000)
    expect(group.throttledMs()).toBeGreaterThan(0)
    await group.cleanup()
  })

  test.each([
    ['is told to end at once', 'process.exit(3)'],
    ['has a bug', `setImmediate(() => { throw new Error('bug') })`],
  ])('nothing is left of it, nor of its processes, when the bench %s', (_, end) => {
    const made = JSON.stringify(new URL('../../src/bench/machine/cgroup.ts', import.meta.url).href)
    const program = `const { makeCgroup } = await import(${made})
      const child = makeCgroup({ memoryBytes: 2 ** 26, cpus: 1 }).spawn('/bin/sh', ['-c', 'echo; sleep 60; :'], { stdio: ['ignore', 'pipe', 'ignore'] })
      child.stdout.once('data', () => { console.log(child.pid); ${end} })`
    const { stdout, pid } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    expect(Number(stdout)).toBeGreaterThan(1)
    // A group with a process in it cannot be removed.
    expect(groupsOf(pid)).toEqual([])
  })

  test('nothing is left of one that could not be made', () => {
    const before = groupsOf(process.pid)
    expect(() => makeCgroup({ memoryBytes: NaN })).toThrow('EINVAL')
    expect(groupsOf(process.pid)).toEqual(before)
  })

  test('what a bench that was killed has left goes with the next one', async () => {
    const left = join(memoryRoot, groupName(2 ** 30, { ...here(), startTicksOf: () => 5 }))
    mkdirSync(left)
    const group = makeCgroup({ memoryBytes: 2 ** 26 })
    await group.cleanup()
    expect(existsSync(left)).toBe(false)
  })

  test('the exit code and the working directory are the command’s', async () => {
    const group = spawnInCgroup({ memoryBytes: 64 * mebibyte }, '/bin/sh', ['-c', 'test "$PWD" = / && exit 7'], {
      cwd: '/',
    })
    expect(await once(group.child, 'exit')).toEqual([7, null])
    await group.cleanup()
  })
})
