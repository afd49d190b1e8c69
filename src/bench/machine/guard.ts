import { spawn } from 'node:child_process'

/**
 * Kills a process when this one is gone, for whatever reason: the guard's end of the pipe tells. @returns what ends the guard,
 * for a process that has ended
 */
export function guardOf(pid: number | undefined): () => void {
  if (pid === undefined) return () => undefined
  const script = 'read -r _; kill -KILL "$0"'
  const guard = spawn('sh', ['-c', script, String(pid)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  // Without a shell there is no guard, and all but SIGKILL is still seen to.
  guard.once('error', () => undefined)
  guard.stdin?.once('error', () => undefined)
  guard.unref()
  return () => void guard.kill('SIGKILL')
}
