const boundsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Bulk requests with one outcome. */
export interface OutcomeFigures {
  readonly outcome: string
  readonly count: number
  readonly meanSeconds: number
  /** Of a hundred, 95 took no longer than this bound; null: no bound is that large. */
  readonly mostSeconds: number | null
}

interface Row {
  count: number
  sumSeconds: number
  /** One for each bound, and one for what took longer than all. */
  readonly counts: number[]
}

/** Bulk requests by what came of them, for the status page. */
export class Outcomes {
  /** Bodies that were sent, answered or not. */
  sentBytes = 0
  readonly #rows = new Map<string, Row>()

  /** @param outcome  one of a few */
  observe(outcome: string, durationMs: number, bytes: number): void {
    this.sentBytes += bytes
    let row = this.#rows.get(outcome)
    if (row === undefined) {
      row = { count: 0, sumSeconds: 0, counts: Array.from({ length: boundsSeconds.length + 1 }, () => 0) }
      this.#rows.set(outcome, row)
    }
    const seconds = durationMs / 1000
    const bucket = boundsSeconds.findIndex((bound) => seconds <= bound)
    const at = bucket === -1 ? boundsSeconds.length : bucket
    row.counts[at] = row.counts[at]! + 1
    row.count++
    row.sumSeconds += seconds
  }

  get list(): readonly OutcomeFigures[] {
    return [...this.#rows].map(([outcome, { count, sumSeconds, counts }]) => ({
      outcome,
      count,
      meanSeconds: sumSeconds / count,
      mostSeconds: boundsSeconds[bucketOf(counts, count * 0.95)] ?? null,
    }))
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
