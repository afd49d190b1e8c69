import type { Metric, Registry } from 'prom-client'

const name = 'remora_bulk_request_seconds'
const bucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

interface Row {
  /** One count a bucket, not cumulative; the last is for what is longer than the last bound. */
  readonly counts: number[]
  sumSeconds: number
}

/** The histogram of bulk requests, kept before prom-client is loaded and shown through it. */
export class Timings {
  sentBytes = 0
  readonly #rows = new Map<string, Row>()

  observe(outcome: string, durationMs: number, bytes: number): void {
    this.sentBytes += bytes
    let row = this.#rows.get(outcome)
    if (row === undefined) {
      row = { counts: Array.from({ length: bucketsSeconds.length + 1 }, () => 0), sumSeconds: 0 }
      this.#rows.set(outcome, row)
    }
    const seconds = durationMs / 1000
    const at = bucketsSeconds.findIndex((bound) => seconds <= bound)
    const bucket = at === -1 ? bucketsSeconds.length : at
    row.counts[bucket] = row.counts[bucket]! + 1
    row.sumSeconds += seconds
  }

  /** Values in the shape that a registry asks of its metrics (prom-client, `MetricObjectWithValues`). */
  values(): { metricName: string; labels: Record<string, string>; value: number }[] {
    return [...this.#rows].flatMap(([outcome, { counts, sumSeconds }]) => {
      let total = 0
      const buckets = counts.map((count, at) => {
        total += count
        const le = at === bucketsSeconds.length ? '+Inf' : String(bucketsSeconds[at])
        return { metricName: `${name}_bucket`, labels: { le, outcome }, value: total }
      })
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels: { outcome }, value: sumSeconds },
        { metricName: `${name}_count`, labels: { outcome }, value: total },
      ]
    })
  }

  register(registry: Registry): void {
    const help = 'Time from sending a bulk request to its whole answer.'
    const metric = {
      name,
      get: () => Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values: this.values() }),
    }
    // A registry takes whatever has a name and a `get`; the type names the library's own classes.
    registry.registerMetric(metric as unknown as Metric)
  }
}
