import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, RemoraError } from '../../base/errors.ts'

/** `remora-bench-4026531836-12345-987654-run-x1Y2z3`: the owner's PID namespace, PID and start. */
const named = /^remora-bench-(\d+)-(\d+)-(\d+)-/

/**
 * A new directory for temporary files, which names its owner: SIGKILL leaves it behind, and the next bench finds it.
 * @throws RemoraError `TEMP_UNWRITABLE`
 */
export function temporaryDirectory(what: string): string {
  try {
    const prefix = `remora-bench-${pidNamespace()}-${process.pid}-${startOf('self') ?? '0'}-${what}-`
    // Without symlinks, as the agent names files.
    return realpathSync(mkdtempSync(join(tmpdir(), prefix)))
  } catch (error) {
    throw new RemoraError(
      'TEMP_UNWRITABLE',
      `the bench cannot make a directory for its files in ${tmpdir()}: ${messageOf(error)}`,
      'Set TMPDIR to a directory that you can write to, with 2 GB free.',
      { cause: error },
    )
  }
}

/** Removes what benches of this user left that are gone. What cannot be removed stays. */
export function removeLeft(): void {
  const own = pidNamespace()
  // Without /proc nobody can tell who is gone.
  if (own === '0' || startOf('self') === undefined) return
  for (const name of namesIn(tmpdir())) {
    const [, namespace, pid = '', start] = named.exec(name) ?? []
    // A PID of another container says nothing here.
    if (namespace !== own || startOf(pid) === start) continue
    const path = join(tmpdir(), name)
    try {
      const found = lstatSync(path)
      if (found.isDirectory() && found.uid === process.getuid?.()) rmSync(path, { recursive: true, force: true })
    } catch {
      // Another bench has just removed it, or somebody else writes into it.
    }
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch {
    return '0'
  }
}

/** When a process began, in ticks after the machine did; undefined: there is none. Source: proc(5), `starttime`. */
function startOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
