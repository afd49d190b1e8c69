import { spawn } from 'node:child_process'

/**
 * Kills a process when this one is gone, for whatever reason: the guard's end of the pipe tells. @returns what ends the guard,
 * for a process that has ended
 */
export function guardOf(pid: number | undefined): () => void {
  return pid === undefined ? () => undefined : guardBy('kill -KILL "$0"', [String(pid)])
}

/** Another way to end something. @param script  of the shell, with `args` from `$0` on */
export function guardBy(script: string, args: readonly string[]): () => void {
  const guard = spawn('sh', ['-c', `read -r _; ${script}`, ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // Without a shell there is no guard, and all but SIGKILL is still seen to.
  guard.once('error', () => undefined)
  guard.stdin?.once('error', () => undefined)
  guard.unref()
  return () => void guard.kill('SIGKILL')
}
