import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { readAlertGroups } from '../../build/alerts.ts'
import { makeMetrics, type Metrics } from '../../src/admin/metrics.ts'
import type { Agent } from '../../src/agent.ts'
import { parseExposition } from '../admin/exposition.ts'
import type { AgentHarness } from '../kit/agent.ts'
import { temporaryTree } from '../kit/agent-tree.ts'

const run = promisify(execFile)

/** Time between two scrapes, and between two evaluations of the rules. */
export const intervalMs = 30_000

/** What Prometheus adds to each series that it scrapes. */
const target = { job: 'shop/remora', instance: '10.0.0.1:9600', namespace: 'shop', pod: 'orders-0' }

const labelText = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')

/** Names that the rules read; of everything else nothing is recorded. */
const read = new Set(
  readAlertGroups().flatMap(({ rules }) =>
    rules.flatMap(({ expr }) => expr.match(/\b(?:remora|process)_[a-z_]+/g) ?? []),
  ),
)

/** What a Prometheus has scraped of one agent, in virtual time, and which alerts should have fired when. */
export class Recording {
  readonly #agent: AgentHarness
  readonly #series = new Map<string, string[]>()
  readonly #expected: { readonly at: number; readonly alerts: readonly string[] }[] = []
  #metrics: Metrics | undefined
  #of: Agent | undefined
  #startedAtSeconds = 0
  #scrapes = 0

  constructor(agent: AgentHarness) {
    this.#agent = agent
  }

  /** One scrape: of an agent that is not there it gets no answer. */
  async scrape(): Promise<void> {
    this.#put(`up{${labelText(target)}}`, this.#agent.isUp ? 1 : 0)
    if (this.#agent.isUp) await this.#ask()
    this.#scrapes++
    // What was there before and is not now is stale.
    for (const values of this.#series.values()) {
      if (values.length === this.#scrapes) continue
      values.push(values.at(-1) === '_' || values.at(-1) === 'stale' ? '_' : 'stale')
    }
  }

  /** Prometheus itself was away. */
  miss(): void {
    this.#scrapes++
    for (const values of this.#series.values()) values.push('_')
  }

  /** As of the last scrape exactly these alerts fire. */
  expect(...alerts: readonly string[]): void {
    this.#expected.push({ at: this.#scrapes - 1, alerts })
  }

  /** All that were to fire at any time. */
  get allExpected(): ReadonlySet<string> {
    return new Set(this.#expected.flatMap(({ alerts }) => alerts))
  }

  /** @returns what promtool has against it; empty: nothing */
  async verdict(): Promise<string> {
    const tree = temporaryTree()
    const rules = path.join(tree.directory('rules'), 'rules.yaml')
    const tests = path.join(tree.directory('rules'), 'tests.yaml')
    fs.writeFileSync(rules, stringify({ groups: readAlertGroups() }))
    fs.writeFileSync(tests, stringify(this.#tests(rules), { lineWidth: 0 }))
    try {
      await run('promtool', ['test', 'rules', tests], { maxBuffer: 2 ** 24 })
      return ''
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
      if (stdout === '' && stderr === '') throw error
      return stdout + stderr
    }
  }

  async #ask(): Promise<void> {
    const { agent, clock } = this.#agent
    if (this.#of !== agent) {
      this.#of = agent
      this.#metrics = makeMetrics('1.2.3', () => agent.figures(), { monotonicMs: () => clock.nowMs })
      // promtool's time begins with the first scrape.
      this.#startedAtSeconds = (this.#scrapes * intervalMs) / 1000
    }
    const { text } = await this.#metrics!.text()
    for (const { name, labels, value } of parseExposition(text).samples) {
      if (!read.has(name)) continue
      // The agent runs in the test's own process, which does not start again.
      const now = name === 'process_start_time_seconds' ? this.#startedAtSeconds : value
      this.#put(`${name}{${labelText({ ...labels, ...target })}}`, now)
    }
  }

  #put(series: string, value: number): void {
    let values = this.#series.get(series)
    if (values === undefined) this.#series.set(series, (values = Array.from({ length: this.#scrapes }, () => '_')))
    values.push(String(value))
  }

  #tests(rules: string): object {
    const interval = `${intervalMs / 1000}s`
    return {
      rule_files: [rules],
      evaluation_interval: interval,
      tests: [
        {
          interval,
          input_series: [...this.#series].map(([series, values]) => ({ series, values: values.join(' ') })),
          promql_expr_test: this.#expected.map(({ at, alerts }) => ({
            expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
            eval_time: `${(at * intervalMs) / 1000}s`,
            exp_samples: alerts.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
          })),
        },
      ],
    }
  }
}
