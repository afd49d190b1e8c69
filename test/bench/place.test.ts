import os from 'node:os'
import { describe, expect, test } from 'vitest'
import { sharedPlace } from '../../src/bench/agent/place.ts'

/** A container with cgroup v2, whose files may change. */
function groupWith(more: Readonly<Record<string, string>>) {
  const files: Record<string, string> = {
    '/proc/self/cgroup': '0::/\n',
    '/proc/self/status': 'RssAnon:\t  777 kB\n',
    '/sys/fs/cgroup/memory.stat': 'anon 5000\n',
    '/sys/fs/cgroup/memory.events': 'oom 3\noom_kill 1\n',
    '/sys/fs/cgroup/cpu.max': '50000 100000\n',
    '/sys/fs/cgroup/cpu.stat': 'nr_periods 0\n',
    ...more,
  }
  return { files, reader: { read: (path: string) => files[path] } }
}

describe('in the group of the bench', () => {
  test('with a memory limit the whole group is looked at', () => {
    const { reader } = groupWith({ '/sys/fs/cgroup/memory.max': String(os.totalmem() / 4) })
    expect(sharedPlace(reader).use().usedBytes).toBe(5000)
  })

  test('with a limit of CPU alone the agent is, and the bench is not', async () => {
    const place = sharedPlace(groupWith({ '/sys/fs/cgroup/memory.max': 'max\n' }).reader)
    expect(place.use().usedBytes).toBe(0)
    const child = place.spawn(process.execPath, ['-e', 'setInterval(() => 0, 60_000); console.log(1)'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await new Promise((resolve) => child.stdout?.once('data', resolve))
    expect(place.use().usedBytes).toBeGreaterThan(2 ** 20)
    await place.close()
  })

  test('one process killed is one, and a want of memory without a kill none', () => {
    const { files, reader } = groupWith({})
    const place = sharedPlace(reader)
    files['/sys/fs/cgroup/memory.events'] = 'oom 9\noom_kill 1\n'
    expect(place.use().oomKills).toBe(0)
    files['/sys/fs/cgroup/memory.events'] = 'oom 10\noom_kill 2\n'
    expect(place.use().oomKills).toBe(1)
  })
})
