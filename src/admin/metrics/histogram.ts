import type { Metric } from 'prom-client'
import type { OutcomeFigures } from '../figures.ts'

/** From a server on the same machine to one that is about to be given up. */
export const bucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const

/** As OpenMetrics writes it, in the other format too: otherwise a bucket would be another series in each of them. */
const bounds = [...bucketsSeconds.map((bound) => (Number.isInteger(bound) ? `${bound}.0` : String(bound))), '+Inf']

interface Row {
  /** One count a bucket, not cumulative; the last is for what is longer than the last bound. */
  readonly counts: number[]
  sumSeconds: number
}

interface Value {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Durations, counted before prom-client is loaded and shown through it. */
export class Histogram {
  readonly name: string
  readonly help: string
  /** Undefined: it has none. */
  readonly label: string | undefined
  readonly #rows = new Map<string, Row>()

  constructor(name: string, help: string, label?: string) {
    this.name = name
    this.help = help
    this.label = label
    if (label === undefined) this.#row('')
  }

  /** @param labelValue  one of a few: each is a series for each bucket */
  observe(durationMs: number, labelValue = ''): void {
    const row = this.#row(labelValue)
    const seconds = durationMs / 1000
    const at = bucketsSeconds.findIndex((bound) => seconds <= bound)
    const bucket = at === -1 ? bucketsSeconds.length : at
    row.counts[bucket] = row.counts[bucket]! + 1
    row.sumSeconds += seconds
  }

  /** For the status page, where the label is an outcome. */
  get outcomes(): OutcomeFigures[] {
    return [...this.#rows].map(([outcome, { counts, sumSeconds }]) => {
      const count = counts.reduce((sum, each) => sum + each, 0)
      const mostSeconds = bucketsSeconds[bucketOf(counts, count * 0.95)] ?? null
      return { outcome, count, meanSeconds: sumSeconds / count, mostSeconds }
    })
  }

  /** In the shape that a registry asks of what is registered: it takes whatever has a name and a `get`. */
  get metric(): Metric {
    const { name, help } = this
    const get = () => Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values: this.#values() })
    return { name, get } as unknown as Metric
  }

  #row(labelValue: string): Row {
    const known = this.#rows.get(labelValue)
    if (known !== undefined) return known
    const row = { counts: bounds.map(() => 0), sumSeconds: 0 }
    this.#rows.set(labelValue, row)
    return row
  }

  #values(): Value[] {
    const { name } = this
    return [...this.#rows].flatMap(([labelValue, { counts, sumSeconds }]) => {
      const own = this.label === undefined ? {} : { [this.label]: labelValue }
      let total = 0
      const buckets = counts.map((count, at) => {
        total += count
        return { metricName: `${name}_bucket`, labels: { le: bounds[at]!, ...own }, value: total }
      })
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels: own, value: sumSeconds },
        { metricName: `${name}_count`, labels: own, value: total },
      ]
    })
  }
}

/** The first bucket that has so many together with those before it. */
function bucketOf(counts: readonly number[], enough: number): number {
  let sum = 0
  return counts.findIndex((count) => {
    sum += count
    return sum >= enough
  })
}
