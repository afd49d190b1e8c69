import { randomBytes } from 'node:crypto'
import { uptime } from 'node:os'
import { pidNamespace } from './owner.ts'
import { startTicksOf } from './procfs.ts'

/** The name of a group tells who made it, so that one whose owner is gone can be removed by the next bench. */

const prefix = 'remora-bench-'
const pattern = new RegExp(`^${prefix}(\\d+)-(\\d+)-(\\d+)-[0-9a-f]{8}$`)
/** USER_HZ, see procfs.ts. */
const ticksPerSecond = 100
/** No bench runs as long. */
const ownerTicksMax = 24 * 3_600 * ticksPerSecond

/** What is known of processes where it is asked. */
export interface Here {
  /** Of the PID namespace: the same pid is another process in another one. 0: not known. */
  readonly pidNamespace: number
  readonly uptimeTicks: number
  /** 0: there is none. */
  startTicksOf(pid: number): number
}

export function here(): Here {
  return { pidNamespace: pidNamespace(), uptimeTicks: uptime() * ticksPerSecond, startTicksOf }
}

/** Owner's pid, start and namespace, and what no two groups share: all benches in containers have the same pid. */
export function groupName(pid: number, at: Here): string {
  return `${prefix}${pid}-${at.startTicksOf(pid)}-${at.pidNamespace}-${randomBytes(4).toString('hex')}`
}

/** Whether a directory is a group whose owner has ended. Nobody sees an owner in another namespace; a very old one is gone. */
export function isAbandoned(name: string, at: Here): boolean {
  const [pid, startTicks, namespace] = (pattern.exec(name)?.slice(1) ?? []).map(Number)
  if (pid === undefined || startTicks === undefined) return false
  if (namespace === at.pidNamespace) return at.startTicksOf(pid) !== startTicks
  return at.uptimeTicks - startTicks > ownerTicksMax
}
