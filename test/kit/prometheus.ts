import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stringify } from 'yaml'
import type { AlertGroup } from '../../build/alerts.ts'
import { temporaryTree } from './agent-tree.ts'
import { findFreePort } from './elasticsearch/ports.ts'

interface Target {
  readonly health: 'up' | 'down' | 'unknown'
  readonly lastError: string
}

const startMsMax = 30_000

/** The real Prometheus, that scrapes one target each second and evaluates rules; on this machine only. */
export class Prometheus {
  readonly #url: string
  readonly #process: ReturnType<typeof spawn>
  #output = ''

  private constructor(port: number, process: ReturnType<typeof spawn>) {
    this.#url = `http://127.0.0.1:${port}/api/v1`
    this.#process = process
    for (const stream of [process.stdout, process.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-20_000)))
  }

  /** @param targetPort  of 127.0.0.1 @param groups  of rules */
  static async start(targetPort: number, groups: readonly AlertGroup[]): Promise<Prometheus> {
    const tree = temporaryTree()
    const directory = tree.directory('prometheus')
    const port = await findFreePort()
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [path.join(directory, 'rules.yaml')],
      scrape_configs: [{ job_name: 'shop/remora', static_configs: [{ targets: [`127.0.0.1:${targetPort}`] }] }],
    }
    fs.writeFileSync(path.join(directory, 'prometheus.yaml'), stringify(config))
    fs.writeFileSync(path.join(directory, 'rules.yaml'), stringify({ groups }, { lineWidth: 0 }))
    const child = spawn(
      'prometheus',
      [
        `--config.file=${path.join(directory, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${path.join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    process.once('exit', () => child.kill('SIGKILL'))
    const prometheus = new Prometheus(port, child)
    await prometheus.until(async () => (await prometheus.targets()).length > 0, startMsMax)
    return prometheus
  }

  /** Asks until it holds. @throws Error with what Prometheus has said */
  async until(holds: () => Promise<boolean>, mostMs = 30_000): Promise<void> {
    const deadlineMs = performance.now() + mostMs
    for (;;) {
      if (await holds().catch(() => false)) return
      if (performance.now() > deadlineMs) throw new Error(`not within ${mostMs} ms: ${this.#output}`)
      await delay(200)
    }
  }

  async targets(): Promise<readonly Target[]> {
    return (await this.#ask<{ activeTargets: Target[] }>('/targets')).activeTargets
  }

  /** Of one series; undefined: there is none. */
  async value(expression: string): Promise<number | undefined> {
    const { result } = await this.#ask<{ result: { value: [number, string] }[] }>(
      `/query?query=${encodeURIComponent(expression)}`,
    )
    return result[0] === undefined ? undefined : Number(result[0].value[1])
  }

  /** Values of a label. */
  async labels(label: string): Promise<readonly string[]> {
    return this.#ask<string[]>(`/label/${label}/values`)
  }

  /** Names of the metrics as the format has them that was scraped: OpenMetrics knows counters without their ending. */
  async families(): Promise<readonly string[]> {
    return Object.keys(await this.#ask<object>('/metadata'))
  }

  async firing(): Promise<readonly string[]> {
    const { alerts } = await this.#ask<{ alerts: { state: string; labels: { alertname: string } }[] }>('/alerts')
    return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname)
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return
    const exit = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exit
  }

  async #ask<T>(at: string): Promise<T> {
    const answer = await fetch(this.#url + at, { signal: AbortSignal.timeout(5_000) })
    const { status, data } = (await answer.json()) as { status: string; data: T }
    if (status !== 'success') throw new Error(`${at}: ${status}`)
    return data
  }
}
