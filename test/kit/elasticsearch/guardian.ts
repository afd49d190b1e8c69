import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { codeOf } from '../../../src/base/errors.ts'

/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** Ends a process group and removes a folder when this process ends, however it ends. */
export interface Guardian {
  /** The group to end from now on; none when its processes have ended by themselves. */
  watch(group: number | undefined): void
  /** Does it now, and returns when it is done. */
  end(): Promise<void>
}

// Each line read names the group. The end of the input is the end of the process that held the other end of the pipe.
// A folder may get one more file from a process that is just dying, hence the second removal.
const script = `
while read -r line; do group=$line; done
if [ -n "$group" ]; then kill -s KILL -- "-$group" 2>/dev/null; fi
if [ -n "$1" ]; then rm -rf -- "$1" 2>/dev/null || { sleep 1; rm -rf -- "$1"; }; fi
`

/**
 * A shell that waits at the other end of a pipe: exit handlers do not run in a process that was killed, but the kernel
 * closes its pipes all the same. The shell has a process group of its own, so an interrupt from the keyboard spares it.
 *
 * @param folder removed at the end, when given
 */
export function startGuardian(folder?: string): Guardian {
  const shell = spawn('/bin/sh', ['-c', script, 'guardian', folder ?? ''], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  const exited = once(shell, 'exit')
  shell.unref()
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref()
  return {
    watch(group) {
      shell.stdin.write(`${group ?? ''}\n`)
    },
    async end() {
      shell.ref()
      shell.stdin.end()
      await exited
    },
  }
}
