import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'

const mostMs = 60_000

/** Of the last message of a run. */
export interface Ledger {
  readonly readLines: number
  readonly acknowledgedLines: number
  readonly duplicateLines: number
  readonly deadLetteredLines: number
  readonly lostLines: number
}

/** A directory with one log file, for one test, and one agent process after another on it. */
export class AgentRuns {
  readonly #directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-compatibility-'))
  readonly #settings: Readonly<Record<string, string>>
  #agent: AgentProcess | undefined

  /** @param settings  REMORA_… variables beside paths and state */
  constructor(settings: Readonly<Record<string, string>>) {
    this.#settings = settings
    onTestFinished(async () => {
      await this.#agent?.end('SIGKILL')
      fs.rmSync(this.#directory, { recursive: true, force: true })
    })
  }

  write(lines: readonly string[]): void {
    fs.appendFileSync(`${this.#directory}/app.log`, lines.map((line) => `${line}\n`).join(''))
  }

  /** As with a volume that was not kept. */
  loseState(): void {
    fs.rmSync(`${this.#directory}/state`, { recursive: true })
  }

  start(): void {
    this.#agent = startAgent({
      REMORA_PATHS: `${this.#directory}/*.log`,
      REMORA_STATE_DIR: `${this.#directory}/state`,
      REMORA_POD_UID: 'pod',
      REMORA_LOG_LEVEL: 'debug',
      REMORA_MEMORY_LIMIT: '256Mi',
      ...this.#settings,
    })
  }

  /** Waits until the running agent has said something. */
  said(text: string): Promise<void> {
    return this.until(() => this.#agent!.output().includes(text))
  }

  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + mostMs
    while (!(await condition())) {
      if (this.#agent!.child.exitCode !== null) throw new Error(`the agent ended: ${this.output}`)
      if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${mostMs} ms: ${this.output}`)
      await delay(20)
    }
  }

  get output(): string {
    return this.#agent!.output()
  }

  /** Tells the agent to end, which ships what is there before. */
  async stop(): Promise<Ledger> {
    const agent = this.#agent!
    const code = await agent.end('SIGTERM')
    this.#agent = undefined
    const messages = agent.output().trim().split('\n')
    const last = JSON.parse(messages.at(-1)!) as { 'event.code': string; remora: { ledger: Ledger } }
    if (code !== 0 || last['event.code'] !== 'STOPPED') throw new Error(`ended with ${code}: ${agent.output()}`)
    return last.remora.ledger
  }

  /** Ships all that is there, and ends. */
  async once(): Promise<Ledger> {
    this.start()
    await this.said('"START"')
    return this.stop()
  }

  /** The documents that were refused, by status and type. */
  letters(): { readonly status: number; readonly type: string }[] {
    const files = fs.readdirSync(`${this.#directory}/state`, { recursive: true, encoding: 'utf8' })
    return files
      .filter((name) => name.includes('dead-letter') && name.endsWith('.ndjson'))
      .flatMap((name) => fs.readFileSync(`${this.#directory}/state/${name}`, 'utf8').trim().split('\n'))
      .map((line) => JSON.parse(line))
  }
}
