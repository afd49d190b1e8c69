import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type Clock, sleep } from '../base/clock.ts'
import { RemoraError } from '../base/errors.ts'
import type { ApplicationAccount, ApplicationOptions } from './application.ts'
import { Child } from './child.ts'

/** Of its logs, the one that it makes last. */
const lastLog = 'payments.log'
const lookMs = 20

const script = fileURLToPath(new URL('application.ts', import.meta.url))

/** The sample application in a process of its own. */
export class ApplicationProcess {
  readonly child: Child
  /** What it wrote, once it has ended. Rejects with RemoraError `APPLICATION_FAILED` when it could not go on. */
  readonly account: Promise<ApplicationAccount>

  readonly #directory: string

  constructor(
    options: Pick<ApplicationOptions, 'directory' | 'seconds' | 'rate' | 'seed'> & { readonly rotateSeconds: number },
    env: Readonly<Record<string, string>>,
  ) {
    const { directory, seconds, rate, seed, rotateSeconds } = options
    this.#directory = directory
    const values = { directory, seconds, rate, seed, 'rotate-seconds': rotateSeconds }
    const args = Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)])
    this.child = new Child({ script, args, env, output: 'pipe' })
    this.account = this.#account()
    // It is awaited only after the agent has had its say.
    this.account.catch(() => undefined)
  }

  /** Resolves when it writes, and so knows what a signal means; or when it has ended. */
  async started(clock: Clock): Promise<void> {
    while (this.child.running && !existsSync(join(this.#directory, lastLog))) await sleep(clock, lookMs)
  }

  async #account(): Promise<ApplicationAccount> {
    const { stdout, stderr } = this.child
    const [out, err, ended] = await Promise.all([
      stdout === null ? '' : text(stdout),
      stderr === null ? '' : text(stderr),
      this.child.ended,
    ])
    if (ended.ok) return JSON.parse(out) as ApplicationAccount
    throw new RemoraError(
      'APPLICATION_FAILED',
      `the sample application could not go on (${ended.how})${err === '' ? '' : `: ${err.trim().slice(-500)}`}`,
      'If its directory is full or read-only, set TMPDIR to another one and run the demo again.',
    )
  }
}
