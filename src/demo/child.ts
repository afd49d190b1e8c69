import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { messageOf } from '../base/errors.ts'
import { guardOf } from '../base/guard.ts'

export interface ChildOptions {
  readonly script: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Where its output goes: an open descriptor, or a pipe that somebody reads. */
  readonly output: number | 'pipe'
}

export interface Ended {
  readonly ok: boolean
  /** For a person: `exit code 1`. */
  readonly how: string
}

/**
 * A Node process of ours, in a session of its own: Ctrl-C in the terminal reaches the demo alone, which then stops the
 * others in their order. It never outlives this process, even if that is killed.
 */
export class Child {
  /** Never rejects. */
  readonly ended: Promise<Ended>
  readonly #process: ChildProcess
  #running = true

  constructor({ script, args, env, output }: ChildOptions) {
    this.#process = spawn(process.execPath, [script, ...args], {
      env: { ...env },
      detached: true,
      stdio: ['ignore', output, output],
    })
    const kill = () => void this.#process.kill('SIGKILL')
    process.prependOnceListener('exit', kill)
    const guard = guardOf(this.#process.pid)
    this.ended = new Promise<Ended>((resolve) => {
      this.#process.once('error', (error) => resolve({ ok: false, how: messageOf(error) }))
      this.#process.once('close', (code, signal) =>
        resolve({ ok: code === 0, how: signal === null ? `exit code ${code}` : `signal ${signal}` }),
      )
    }).finally(() => {
      this.#running = false
      guard()
      process.off('exit', kill)
    })
  }

  get running(): boolean {
    return this.#running
  }

  /** Undefined when its output is not a pipe. */
  get stdout(): Readable | null {
    return this.#process.stdout
  }

  get stderr(): Readable | null {
    return this.#process.stderr
  }

  /** Asks it to end in its own way. */
  stop(): void {
    if (this.#running) this.#process.kill('SIGTERM')
  }

  async kill(): Promise<void> {
    if (this.#running) this.#process.kill('SIGKILL')
    await this.ended
  }
}
