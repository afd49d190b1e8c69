import { readdirSync, readFileSync } from 'node:fs'

export interface Cpu {
  readonly userUs: number
  readonly systemUs: number
}

/** Bytes, of one process, at one moment; `peakRssBytes` is the kernel's own high-water mark. */
export interface Memory {
  readonly anonymousBytes: number
  readonly rssBytes: number
  readonly peakRssBytes: number
}

/** USER_HZ, which Linux fixes at 100 for /proc whatever the kernel's own tick is. Source: proc(5), time(7). */
const tickUs = 10_000

/**
 * User and system time of a running process, all its threads, without asking it anything.
 *
 * The sum is exact: nanoseconds on the CPU of every living thread, from /proc/PID/task/TID/schedstat. The 10 ms ticks of
 * /proc/PID/stat divide it into user and system, as the kernel does for getrusage, and are the lower bound of the sum,
 * for they also hold the threads that ended. Without schedstat the ticks alone remain: up to 20 ms too little.
 * @throws Error ENOENT or ESRCH when the process is gone
 */
export function cpuOf(pid: number): Cpu {
  const ticks = ticksFrom(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  const tickSumUs = ticks.userUs + ticks.systemUs
  let exactUs = 0
  try {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      exactUs += Number.parseInt(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'latin1'), 10) / 1000
    }
  } catch {
    // A thread that ends between the list and the look only makes the ticks the better source of this one reading.
  }
  const sumUs = Math.max(exactUs || 0, tickSumUs)
  const userUs = tickSumUs === 0 ? sumUs : sumUs * (ticks.userUs / tickSumUs)
  return { userUs, systemUs: sumUs - userUs }
}

/** When a process began, in ticks since the machine did: with its pid it names it for good. 0: it is gone. Source: proc(5). */
export function startTicksOf(pid: number): number {
  try {
    return startTicksFrom(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return 0
  }
}

export function startTicksFrom(stat: string): number {
  return Number(afterName(stat)[19])
}

/**
 * How often the threads of a process have gone to sleep by themselves, all of them added up: each time something had woken
 * one up. Source: proc(5), `voluntary_ctxt_switches`.
 * @throws Error ENOENT or ESRCH when the process is gone
 */
export function sleepsOf(pid: number): number {
  let sum = 0
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += sleepsFrom(readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1'))
    } catch {
      // A thread that ends between the list and the look: what it did is missing from this sum.
    }
  }
  return sum
}

export function sleepsFrom(status: string): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1] ?? 0)
}

/** From the text of /proc/PID/stat. The name in parentheses may hold anything, parentheses too. */
export function ticksFrom(stat: string): Cpu {
  const fields = afterName(stat)
  return { userUs: Number(fields[11]) * tickUs, systemUs: Number(fields[12]) * tickUs }
}

function afterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

export function memoryOf(pid: number): Memory {
  return memoryFrom(readFileSync(`/proc/${pid}/status`, 'latin1'))
}

/** From the text of /proc/PID/status; a field that is not there (a process that is ending) counts 0. */
export function memoryFrom(status: string): Memory {
  const bytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024
  return { anonymousBytes: bytes('RssAnon'), rssBytes: bytes('VmRSS'), peakRssBytes: bytes('VmHWM') }
}
