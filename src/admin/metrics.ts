import type { Registry, RegistryContentType } from 'prom-client'
import { systemClock, type Clock } from '../base/clock.ts'
import type { Figures, OutcomeFigures } from './figures.ts'
import { formatFor, type Format } from './metrics/accept.ts'
import { fileColumns } from './metrics/file-columns.ts'
import { FileSeries } from './metrics/file-series.ts'
import { Histogram } from './metrics/histogram.ts'
import { means } from './metrics/means.ts'
import { kindOf, work, type Group, type Labels, type Scrape } from './metrics/table.ts'

/** All metrics but the histograms. */
export const groups: readonly Group[] = [...work, ...means]

/** How long things take. */
export function makeHistograms() {
  return {
    request: new Histogram(
      'remora_bulk_request_seconds',
      'Time from sending a bulk request to its whole answer, by what came of it.',
      'outcome',
    ),
    delivery: new Histogram(
      'remora_delivery_seconds',
      'Time from the first line read into a batch to the last verdict on the batch, retries and waiting included.',
    ),
    checkpoint: new Histogram(
      'remora_checkpoint_write_seconds',
      'Time that writing a checkpoint took, also one that failed.',
    ),
  }
}

export interface Metrics {
  /** @param accept  header of the request; OpenMetrics when it asks for that */
  text(accept?: string): Promise<{ readonly contentType: string; readonly text: string }>
  request(outcome: string, durationMs: number, bytes: number): void
  timed(what: 'delivery' | 'checkpoint', durationMs: number): void
  /** Bulk requests by what came of them, and the bytes of their bodies, answered or not. */
  readonly outcomes: readonly OutcomeFigures[]
  readonly sentBytes: number
}

type Histograms = ReturnType<typeof makeHistograms>

/** The library is loaded when somebody asks for the first time: it costs 40 ms of CPU and 5 MiB, and not every Pod is scraped. */
export function makeMetrics(
  version: string,
  figures: () => Figures,
  clock: Pick<Clock, 'monotonicMs'> = systemClock,
): Metrics {
  const histograms = makeHistograms()
  const series = new FileSeries(fileColumns)
  const made = new Map<Format, Promise<Rendering>>()
  let sentBytes = 0
  return {
    async text(accept) {
      const format = formatFor(accept)
      const rendering = made.get(format) ?? makeRendering(format, histograms)
      made.set(format, rendering)
      const { registry, update } = await rendering
      const now = figures()
      update({ ...now, version, sentBytes, fileRows: series.rows(now.byFile, clock.monotonicMs()) })
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
    request(outcome, durationMs, bytes) {
      sentBytes += bytes
      histograms.request.observe(durationMs, outcome)
    },
    timed: (what, durationMs) => histograms[what].observe(durationMs),
    get outcomes() {
      return histograms.request.outcomes
    },
    get sentBytes() {
      return sentBytes
    },
  }
}

interface Rendering {
  readonly registry: Registry<RegistryContentType>
  readonly update: (now: Scrape) => void
}

/**
 * One for each format: written as OpenMetrics, a counter of the library loses the end of its name, and would be called so in the
 * other format from then on.
 */
async function makeRendering(format: Format, histograms: Histograms): Promise<Rendering> {
  const { Counter, Gauge, Registry: PromRegistry } = await import('prom-client')
  const registry = new PromRegistry<RegistryContentType>()
  registry.setContentType(
    format === 'text' ? PromRegistry.PROMETHEUS_CONTENT_TYPE : PromRegistry.OPENMETRICS_CONTENT_TYPE,
  )
  const rows = groups.flatMap((group) =>
    group.rows.map(({ name, help, labels = {}, read }) => {
      const options = { name, help, labelNames: Object.keys(labels), registers: [registry] }
      if (kindOf(name) === 'gauge') {
        const gauge = new Gauge(options)
        return { read, reset: () => gauge.reset(), put: (value: number, of: Labels) => gauge.inc({ ...of }, value) }
      }
      const counter = new Counter(options)
      return { read, reset: () => counter.reset(), put: (value: number, of: Labels) => counter.inc({ ...of }, value) }
    }),
  )
  for (const histogram of Object.values(histograms)) registry.registerMetric(histogram.metric)
  return {
    registry,
    update(now) {
      for (const { read, reset, put } of rows) {
        // Series come and go: what is not put at this scrape is not there.
        reset()
        const values = read(now) ?? 0
        // What is put twice under the same labels adds up, gauges too.
        if (typeof values === 'number') put(values, {})
        else for (const [value, labels] of values) put(value, labels)
      }
    },
  }
}
