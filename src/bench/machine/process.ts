import { messageOf } from '../../base/errors.ts'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { systemClock } from '../../base/clock.ts'

const outputCharsMax = 1 << 16

/** Standard output of a command that must succeed. @throws Error with the end of its standard error, or when late */
export async function outputOf(command: string, args: readonly string[], deadlineMs: number): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < outputCharsMax) output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000)
  })
  const ended = await endOf(child, deadlineMs)
  if (ended !== 'code 0') throw new Error(`${command} ended with ${ended}: ${complaint.trim()}`)
  return output
}

/** Waits for the end, kills at the deadline. `code 0`, `signal SIGKILL`, `deadline of 5000 ms`, `no start: ENOENT…`. */
export async function endOf(child: ChildProcess, deadlineMs: number): Promise<string> {
  if (child.exitCode !== null || child.signalCode !== null) return describe(child.exitCode, child.signalCode)
  let late = false
  const timer = systemClock.after(deadlineMs, () => {
    late = true
    child.kill('SIGKILL')
  })
  try {
    await once(child, 'close')
    return late ? `deadline of ${deadlineMs} ms` : describe(child.exitCode, child.signalCode)
  } catch (error) {
    return `no start: ${String(error)}`
  } finally {
    timer.cancel()
  }
}

function describe(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `code ${code}` : `signal ${signal}`
}

/** The environment of a measured process: nothing of the caller's that could tune it, and what is given. */
export function cleanEnv(given: Readonly<Record<string, string>>): Record<string, string> {
  const env: Record<string, string> = {}
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'LANG']) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  return { ...env, ...given }
}

/**
 * Runs `undo` when the bench ends, however it ends short of SIGKILL; the function returned does it now instead.
 * What is called must not wait.
 */
export function onExit(undo: () => void): () => void {
  const forget = onEnd(undo)
  return () => {
    forget()
    undo()
  }
}

/** The same, and the function returned only forgets it. */
export function onEnd(undo: () => void): () => void {
  // What was made last goes first: a process before the directory and the cgroup it is in.
  process.prependOnceListener('exit', undo)
  return () => void process.off('exit', undo)
}

/** A port that was free a moment ago: two benches, or a bench beside an agent, do not meet on the default one. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Runs a program to its exit code; what it throws is said with its help. */
export async function runMain(name: string, help: string, main: () => Promise<number>, failed = 1): Promise<void> {
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  try {
    process.exitCode = await main()
  } catch (error) {
    process.stderr.write(`${name}: ${messageOf(error)}\n\n${help}`)
    process.exitCode = failed
  }
}
