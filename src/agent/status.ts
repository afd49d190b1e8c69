/** What the status page shows. Loaded when somebody looks for the first time: an agent that nobody looks at carries none of it. */
import { pageOf, type Page } from '../admin/page/page.ts'
import { statusOf, type Place, type Status } from '../admin/page/status.ts'
import type { Metrics } from '../admin/metrics.ts'
import type { Recent } from '../admin/recent.ts'
import type { Clock } from '../base/clock.ts'
import type { Figures } from '../admin/figures.ts'
import { fileList, type FileSources } from './file-list.ts'

export interface StatusView {
  readonly version: string
  /** Wall clock. */
  readonly startedAtMs: number
  readonly clock: Clock
  readonly place: Place
  readonly agent: { figures(): Figures; readonly fileSources: FileSources }
  readonly metrics: Pick<Metrics, 'outcomes' | 'sentBytes'>
  readonly recent: Recent
}

/** @param find  part of a file's name; empty: any */
export function statusNow(view: StatusView, find: string): Status {
  const { version, startedAtMs, clock, place, agent, metrics, recent } = view
  return statusOf({
    version,
    startedAtMs,
    nowMs: clock.nowMs(),
    place,
    figures: agent.figures(),
    files: fileList(agent.fileSources, clock.monotonicMs(), find),
    outcomes: metrics.outcomes,
    sentBytes: metrics.sentBytes,
    warnings: recent.list,
  })
}

export function pageNow(view: StatusView, find: string): Page {
  return pageOf(statusNow(view, find))
}
