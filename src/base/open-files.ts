import { limits } from './limits.ts'
import { systemCgroupFiles, type CgroupFiles } from './cgroup.ts'

/**
 * How many descriptors tailing may hold: what the process may open, less what sockets, the state, probes, watches and Node
 * itself need. Node raises the soft limit to the hard one when it starts, so that is what counts here.
 *
 * Source: getrlimit(2), `RLIMIT_NOFILE`; proc_pid_limits(5).
 *
 * @returns at least one, whatever the limit
 */
export function openFilesBudget(files: CgroupFiles = systemCgroupFiles): number {
  const soft = softLimitIn(files.read('/proc/self/limits') ?? '')
  const reserve = Math.min(limits.descriptorsReserve, Math.ceil(soft / 2))
  return Math.max(1, Math.min(limits.openFilesMax, soft - reserve))
}

/** From the text of /proc/PID/limits; Infinity: there is none, or nobody says. */
function softLimitIn(text: string): number {
  return Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? Infinity)
}
