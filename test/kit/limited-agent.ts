import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { logBlocks } from '../../bench/log.ts'
import { SinkProcess } from '../../bench/sink-client.ts'
import { messagesOfFile } from '../../bench/strict.ts'
import { parseExposition } from '../admin/exposition.ts'
import { type CgroupProcess, spawnInCgroup } from '../../src/bench/machine/cgroup.ts'
import type { CgroupLimits } from '../../src/bench/machine/cgroup-files.ts'
import { findFreePort } from './elasticsearch/ports.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const rotateBytes = 48 * 1024 * 1024

export interface Seen {
  readonly status: number
  readonly text: string
}

export interface WriteOptions {
  readonly bytesMax: number
  /** Between two blocks of a MiB. */
  readonly pauseMs: number
  /** Asked after each block: no more is written. */
  readonly enough?: (bytes: number) => boolean
}

/** The real process in a real cgroup, before the strict null sink, with a directory of logs that the test writes. */
export class LimitedAgent {
  readonly group: CgroupProcess
  readonly sink: SinkProcess
  readonly #directory: string
  readonly #port: number
  readonly #exit: Promise<unknown[]>
  readonly #output: number

  private constructor(directory: string, limits: CgroupLimits, sink: SinkProcess, port: number, secure: boolean) {
    this.#directory = directory
    this.sink = sink
    this.#port = port
    this.#output = fs.openSync(path.join(directory, 'agent.out'), 'w')
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('REMORA_'))
    this.group = spawnInCgroup(limits, process.execPath, [main, 'run'], {
      stdio: ['ignore', this.#output, this.#output],
      env: {
        ...Object.fromEntries(inherited),
        REMORA_PATHS: `${path.join(directory, 'logs')}/*.log`,
        REMORA_STATE_DIR: path.join(directory, 'state'),
        REMORA_ELASTICSEARCH_URL: sink.url,
        REMORA_ADMIN_PORT: String(port),
        REMORA_POD_UID: 'limited',
        ...(secure && sink.secureEnv),
      },
    })
    this.#exit = once(this.group.child, 'exit')
  }

  /** @param secure  over https */
  static async start(limits: CgroupLimits, secure = false): Promise<LimitedAgent> {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-limited-'))
    fs.mkdirSync(path.join(directory, 'logs'))
    return new LimitedAgent(directory, limits, await SinkProcess.start(true), await findFreePort(), secure)
  }

  /** Where its probes and metrics are. */
  get port(): number {
    return this.#port
  }

  /** What it said last. */
  said(): string {
    return fs.readFileSync(path.join(this.#directory, 'agent.out'), 'utf8').slice(-4000)
  }

  async ask(at: string, mostMs = 10_000): Promise<Seen> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}${at}`, { signal: AbortSignal.timeout(mostMs) })
    return { status: answer.status, text: await answer.text() }
  }

  /** @returns the value of a metric without labels, by its name */
  async metrics(): Promise<(name: string) => number | undefined> {
    const { samples } = parseExposition((await this.ask('/metrics')).text)
    return (name) => samples.find((sample) => sample.name === name)?.value
  }

  /** Writes and rotates; all of it also beside, to compare with. @returns lines written */
  async write({ bytesMax, pauseMs, enough }: WriteOptions): Promise<number> {
    const log = path.join(this.#directory, 'logs/app.log')
    let [inFile, rotations, bytes] = [0, 0, 0]
    for (const block of logBlocks(11, bytesMax)) {
      if (enough?.(bytes) === true) break
      bytes += block.length
      fs.appendFileSync(log, block)
      fs.appendFileSync(this.#whole, block)
      inFile += block.length
      if (inFile > rotateBytes) {
        fs.renameSync(log, `${log}.${++rotations}`)
        inFile = 0
      }
      await delay(pauseMs)
    }
    return messagesOfFile(this.#whole).count
  }

  /** Files with a line each, beside the one that is written. */
  makeFiles(count: number): void {
    for (let file = 0; file < count; file++) {
      const text = `the only line of service ${file}\n`
      fs.writeFileSync(path.join(this.#directory, 'logs', `service-${file}.log`), text)
      fs.appendFileSync(this.#whole, text)
    }
  }

  /** What arrived, and what should have: the two are equal when every line came once and as it was written. */
  async arrived(lines: number, mostMs: number) {
    const { documents, strict } = await this.sink.waitFor(lines, mostMs, AbortSignal.timeout(mostMs))
    return {
      is: { documents, duplicates: strict!.duplicates, messages: strict!.messages },
      shouldBe: { documents: lines, duplicates: 0, messages: messagesOfFile(this.#whole).digest() },
    }
  }

  /** SIGTERM. @returns exit code and signal */
  stop(): Promise<unknown[]> {
    this.group.child.kill('SIGTERM')
    return this.#exit
  }

  async remove(): Promise<void> {
    this.group.child.kill('SIGKILL')
    await this.group.cleanup()
    await this.sink.stop()
    fs.closeSync(this.#output)
    fs.rmSync(this.#directory, { recursive: true, force: true })
  }

  get #whole(): string {
    return path.join(this.#directory, 'whole')
  }
}
