import type { Figures } from '../../../src/admin/figures.ts'
import type { FileRow } from '../../../src/admin/page/file-row.ts'
import { statusOf, type Status, type StatusSources } from '../../../src/admin/page/status.ts'
import { figures } from '../figures.ts'

/** Each figure another, so that none can be taken for another. */
export function fileRow(path: string | undefined, first = 0): FileRow {
  return {
    path,
    lives: 1,
    unreadBytes: first + 13,
    lagSeconds: first + 14,
    offsetBytes: first + 15,
    shippedBytes: first + 16,
    sizeBytes: first + 17,
    unreadable: '',
    readLines: first + 1,
    acknowledgedLines: first + 3,
    heldLines: first + 9,
    deadLetteredLines: first + 7,
    lostLines: first + 8,
    gapBytes: first + 11,
    droppedBytes: first + 18,
  }
}

export interface Given extends Partial<Omit<StatusSources, 'figures' | 'files'>> {
  readonly figures?: Partial<Figures>
  readonly rows?: readonly FileRow[]
  readonly files?: Partial<StatusSources['files']>
}

export function exampleStatus({ figures: given, rows = [], files, ...rest }: Given = {}): Status {
  return statusOf({
    version: '1.2.3',
    startedAtMs: Date.UTC(2026, 10, 26, 3, 0, 0),
    nowMs: Date.UTC(2026, 10, 26, 4, 30, 0),
    place: { target: 'logs-generic-default', pod: 'orders-0', namespace: 'shop', node: undefined, service: undefined },
    figures: { ...figures, ...given },
    files: { find: '', known: rows.length, matching: rows.length, rows, ...files },
    outcomes: [{ outcome: 'ok', count: 201, meanSeconds: 0.0123, mostSeconds: 0.025 }],
    sentBytes: 202,
    warnings: [],
    ...rest,
  })
}
