import { lstatSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, RemoraError } from '../../base/errors.ts'
import { ownerScope } from './owner.ts'
import { startTicksOf } from './procfs.ts'

/** `remora-bench-0123456789ab-12345-987654-run-x1Y2z3`: the owner's scope, PID and start. */
const named = /^remora-bench-([0-9a-f]{12})-(\d+)-(\d+)-/

/**
 * A new directory for temporary files, which names its owner: SIGKILL leaves it behind, and the next bench finds it.
 * @throws RemoraError `TEMP_UNWRITABLE`
 */
export function temporaryDirectory(what: string): string {
  try {
    const prefix = `remora-bench-${ownerScope()}-${process.pid}-${startTicksOf(process.pid)}-${what}-`
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
  const own = ownerScope()
  // Without /proc nobody can tell who is gone.
  if (startTicksOf(process.pid) === 0) return
  for (const name of namesIn(tmpdir())) {
    const [, scope, pid, start] = named.exec(name) ?? []
    // A PID of another machine or container says nothing here.
    if (scope !== own || startTicksOf(Number(pid)) === Number(start)) continue
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
