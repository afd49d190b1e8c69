import { type ChildProcess, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { certificates } from '../test/check/certificates.ts'
import { cleanEnv, endOf } from '../src/bench/machine/process.ts'
import type { SinkPorts, SinkTotals } from './sink.ts'

const startMsMax = 10_000
const stopMsMax = 5_000
/** One long poll; a longer wait is several of them. */
const pollMsMax = 10_000
/** An agent that sends nothing for so many polls has stopped sending. */
const quietPollsMax = 3

/** The null sink in a process of its own. */
export class SinkProcess {
  readonly port: number
  private readonly child: ChildProcess
  private readonly securePort: number

  private constructor(child: ChildProcess, { port, securePort }: SinkPorts) {
    this.child = child
    this.port = port
    this.securePort = securePort
  }

  static async start(strict: boolean): Promise<SinkProcess> {
    const args = [fileURLToPath(new URL('sink.ts', import.meta.url)), ...(strict ? ['--strict'] : [])]
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], env: cleanEnv({}) })
    const line = String(await once(child.stdout, 'data', { signal: AbortSignal.timeout(startMsMax) }))
    const ports: SinkPorts = JSON.parse(line)
    return new SinkProcess(child, ports)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** What an agent is told in order to send over TLS; without TLS `url` is enough. */
  get secureEnv(): Readonly<Record<string, string>> {
    return {
      REMORA_ELASTICSEARCH_URL: `https://127.0.0.1:${this.securePort}`,
      REMORA_CA_FINGERPRINT: new X509Certificate(certificates.good).fingerprint256.replaceAll(':', ''),
    }
  }

  /** Totals since the last reset. */
  async totals(): Promise<SinkTotals> {
    return this.ask('GET', '/_sink', AbortSignal.timeout(pollMsMax))
  }

  /** Forgets all counts. */
  async reset(): Promise<void> {
    await this.ask('POST', '/_sink/reset', AbortSignal.timeout(pollMsMax))
  }

  /**
   * Resolves as soon as `documents` are there; or with the totals as they are when `signal` aborts, time is up, or
   * nothing new came during `quietPollsMax` polls.
   */
  async waitFor(documents: number, deadlineMs: number, signal: AbortSignal): Promise<SinkTotals> {
    const polls = Math.ceil(deadlineMs / pollMsMax)
    let [seen, quietPolls] = [0, 0]
    for (let poll = 0; poll < polls && quietPolls < quietPollsMax && !signal.aborted; poll++) {
      const within = AbortSignal.timeout(Math.min(pollMsMax, deadlineMs - poll * pollMsMax))
      try {
        return await this.ask('GET', `/_sink?wait=${documents}`, AbortSignal.any([within, signal]))
      } catch (error) {
        if (!within.aborted && !signal.aborted) throw error
      }
      const now = await this.totals()
      quietPolls = now.documents === seen ? quietPolls + 1 : 0
      seen = now.documents
    }
    return this.totals()
  }

  async stop(): Promise<void> {
    this.child.stdin?.end()
    await endOf(this.child, stopMsMax)
  }

  private async ask(method: string, path: string, signal: AbortSignal): Promise<SinkTotals> {
    const answer = await fetch(`${this.url}${path}`, { method, signal })
    const totals: SinkTotals = JSON.parse(await answer.text())
    return totals
  }
}
