import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { messageOf, RemoraError } from '../base/errors.ts'
import { type AgentAccount, type AgentFigures, askFigures } from './agent-figures.ts'
import { closingAccount, complaintsOf } from './agent-log.ts'
import { Child } from './child.ts'

const script = fileURLToPath(new URL('../main.ts', import.meta.url))
const answerMs = 1_000

/** `remora run` in a process of its own, its messages in a file. */
export class AgentProcess {
  readonly child: Child
  readonly #port: number
  readonly #logPath: string
  /** The last that it said on `/metrics`; undefined until it answers. */
  figures: AgentFigures | undefined
  /** Resolves when it has answered for the first time. */
  readonly answered: Promise<object>
  readonly #answering = Promise.withResolvers<object>()

  /** @param port  free, for its metrics  @param logPath  a file to be made */
  constructor(port: number, logPath: string, env: Readonly<Record<string, string>>) {
    this.#port = port
    this.#logPath = logPath
    const log = openSync(logPath, 'a', 0o600)
    this.child = new Child({ script, args: ['run'], env, output: log })
    closeSync(log)
    this.answered = this.#answering.promise
  }

  async look(): Promise<AgentFigures | undefined> {
    this.figures = (await askFigures(this.#port, answerMs)) ?? this.figures
    if (this.figures !== undefined) this.#answering.resolve(this.figures)
    return this.figures
  }

  /** What it came to: its last word, or else what it said last while it ran. Undefined when it said nothing at all. */
  account(): AgentAccount | undefined {
    return closingAccount(this.#log()) ?? this.figures
  }

  complaints(): readonly string[] {
    return complaintsOf(this.#log())
  }

  #log(): string {
    return readFileSync(this.#logPath, 'utf8')
  }
}

/**
 * A port that was free a moment ago, as the settings do not let the agent choose one.
 * @throws RemoraError `NO_PORT` where this process may not listen at all
 */
export async function freePort(): Promise<number> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, resolve)
    })
  } catch (error) {
    throw noPort(error)
  }
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return typeof address === 'object' && address !== null ? address.port : 0
}

export function noPort(error: unknown): RemoraError {
  return new RemoraError(
    'NO_PORT',
    `the demo cannot listen on a port of this machine: ${messageOf(error)}`,
    'It needs two free ports on the loopback interface; a sandbox or a firewall may forbid that.',
    { cause: error },
  )
}
