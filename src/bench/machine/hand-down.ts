import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../base/errors.ts'

export interface HandDownParts {
  readonly put: (file: string, text: string) => void
  /** Whether a process is the bench itself, one that it comes from, or one that comes from it. */
  readonly isKin: (pid: number) => boolean
}

const controllers = { give: '+memory +cpu', take: '-memory -cpu' } as const

/**
 * Lets a group give its controllers to those below it. In a container the group that is seen as the root has processes, and
 * may not give any as long as it has: the bench and those that it comes from go into one below it. Processes of others are not
 * moved, for nobody may start one beside them any more then (`docker exec`).
 *
 * @returns takes it back; undefined: nothing was moved
 * @throws Error when it cannot be, and then all is as before
 */
export function handDown(
  parent: string,
  { put, isKin }: HandDownParts = { put: writeFileSync, isKin: isKinOf },
): (() => void) | undefined {
  const control = join(parent, 'cgroup.subtree_control')
  try {
    put(control, controllers.give)
    return undefined
  } catch (error) {
    if (codeOf(error) !== 'EBUSY') throw error
  }
  const pids = pidsIn(parent)
  const strangers = pids.filter((pid) => !isKin(pid))
  if (strangers.length > 0) {
    throw new Error(
      `the group that the bench runs in has ${strangers.length} other processes in it, which it does not move: start it as the command of a container of its own`,
    )
  }
  const aside = join(parent, 'remora-bench-itself')
  mkdirSync(aside, { recursive: true })
  const back = () => {
    attempt(() => put(control, controllers.take))
    attempt(() => move(pidsIn(aside), parent, put))
    attempt(() => rmdirSync(aside))
  }
  try {
    move(pids, aside, put)
    put(control, controllers.give)
  } catch (error) {
    back()
    throw error
  }
  return back
}

/** 0 is a process of another namespace: a stranger. */
function pidsIn(folder: string): number[] {
  const text = readFileSync(join(folder, 'cgroup.procs'), 'utf8')
  return text.split('\n').flatMap((line) => (line === '' ? [] : [Number(line)]))
}

/** One that has ended meanwhile need not be moved. */
function move(pids: readonly number[], to: string, put: HandDownParts['put']): void {
  for (const pid of pids) {
    try {
      put(join(to, 'cgroup.procs'), String(pid))
    } catch (error) {
      if (codeOf(error) !== 'ESRCH') throw error
    }
  }
}

/** What is taken back is taken back as far as it can be. */
function attempt(act: () => void): void {
  try {
    act()
  } catch {
    // A bench that ends has nobody to tell.
  }
}

const generationsMax = 64

export function isKinOf(pid: number): boolean {
  return pid > 0 && (lineOf(process.pid).includes(pid) || lineOf(pid).includes(process.pid))
}

/** A process and those that it comes from; those of another namespace are not seen. */
function lineOf(pid: number): number[] {
  const line: number[] = []
  for (let at = pid; at > 0 && line.length < generationsMax; at = parentOf(at)) line.push(at)
  return line
}

/** Of one that has ended, 0. Source: proc(5), `stat`: the name in parentheses may hold anything. */
function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return 0
  }
}
