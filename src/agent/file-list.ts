import type { FileList, FileRow } from '../admin/page/file-row.ts'
import { visible } from '../admin/page/pieces.ts'
import { limits } from '../base/limits.ts'
import { notReopened, readFailed, type Registry } from '../follow/registry.ts'
import type { Ledger } from '../settle/ledger.ts'
import type { Frontiers } from './frontiers.ts'

type Gathered = { -readonly [K in keyof FileRow]: FileRow[K] }

export interface FileSources {
  readonly ledger: Pick<Ledger, 'files' | 'others'>
  readonly registry: Pick<Registry, 'generations' | 'waiting' | 'unopened'>
  readonly frontiers: Pick<Frontiers, 'markOf'>
}

/**
 * Each file that is known, with what is left of it and how far it is: gathered when somebody looks, as one pass over all of
 * them, and cut to the worst.
 *
 * @param nowMs  monotonic
 * @param find  part of the name, as it is shown; upper and lower case are one
 */
export function fileList({ ledger, registry, frontiers }: FileSources, nowMs: number, find: string): FileList {
  const rows = new Map<string | undefined, Gathered>()
  const row = (path: string | undefined) => {
    const known = rows.get(path)
    if (known !== undefined) return known
    const made = nothingOf(path)
    rows.set(path, made)
    return made
  }
  for (const generation of registry.generations) {
    const { path, finished, failed, unreadBytes, unsearched, caughtUpAtMs, offset, sizeBytes } = generation
    const found = row(path)
    // Older ones come first.
    found.offsetBytes = offset
    found.shippedBytes = frontiers.markOf(generation)?.offset ?? offset
    found.sizeBytes = Math.max(offset, sizeBytes)
    if (finished) continue
    found.lives++
    found.unreadBytes += unreadBytes
    if (failed) found.unreadable = readFailed
    if (unsearched) found.lagSeconds = Math.max(found.lagSeconds, (nowMs - caughtUpAtMs) / 1000)
  }
  for (const { path, finished, sizeBytes, offset } of registry.waiting) {
    const found = row(path)
    Object.assign(found, { offsetBytes: offset, shippedBytes: offset, sizeBytes: Math.max(offset, sizeBytes) })
    if (finished) continue
    found.lives++
    found.unreadBytes += Math.max(0, sizeBytes - offset)
    found.unreadable = notReopened
  }
  for (const { path, bytes, reason } of registry.unopened) {
    const found = row(path)
    found.lives++
    found.unreadBytes += bytes
    found.sizeBytes = bytes
    if (reason !== '') found.unreadable = reason
  }
  for (const [path, account] of ledger.files) take(row(path), account)
  if (ledger.others.readLines > 0 || ledger.others.gaps > 0) take(row(undefined), ledger.others)
  const known = rows.size
  const wanted = find.toLowerCase()
  const matching = [...rows.values()].filter(({ path }) => isFound(path, wanted))
  return { find, known, matching: matching.length, rows: worst(matching, limits.statusFilesMax) }
}

function isFound(path: string | undefined, wanted: string): boolean {
  if (wanted === '') return true
  return path !== undefined && visible(path).toLowerCase().includes(wanted)
}

function nothingOf(path: string | undefined): Gathered {
  return {
    path,
    lives: 0,
    unreadBytes: 0,
    lagSeconds: 0,
    offsetBytes: 0,
    shippedBytes: 0,
    sizeBytes: 0,
    unreadable: '',
    readLines: 0,
    acknowledgedLines: 0,
    heldLines: 0,
    deadLetteredLines: 0,
    lostLines: 0,
    gapBytes: 0,
    droppedBytes: 0,
  }
}

type Counted = Pick<
  FileRow,
  'readLines' | 'acknowledgedLines' | 'heldLines' | 'deadLetteredLines' | 'lostLines' | 'gapBytes' | 'droppedBytes'
>

function take(row: Gathered, account: Counted): void {
  row.readLines = account.readLines
  row.acknowledgedLines = account.acknowledgedLines
  row.heldLines = account.heldLines
  row.deadLetteredLines = account.deadLetteredLines
  row.lostLines = account.lostLines
  row.gapBytes = account.gapBytes
  row.droppedBytes = account.droppedBytes
}

/**
 * What lags comes first, then what went wrong. A quarter of the room is for what went wrong although enough others lag: that
 * nobody would see otherwise.
 */
export function worst(rows: readonly FileRow[], most: number): readonly FileRow[] {
  const ordered = rows.toSorted(byUrgency)
  if (ordered.length <= most) return ordered
  const damaged = ordered.slice(most).filter((row) => damageOf(row) > 0)
  const kept = damaged.toSorted((a, b) => damageOf(b) - damageOf(a)).slice(0, Math.floor(most / 4))
  return [...ordered.slice(0, most - kept.length), ...kept]
}

function byUrgency(a: FileRow, b: FileRow): number {
  return (
    b.unreadBytes - a.unreadBytes || damageOf(b) - damageOf(a) || b.heldLines - a.heldLines || b.readLines - a.readLines
  )
}

function damageOf({ lostLines, gapBytes, droppedBytes, deadLetteredLines, unreadable }: FileRow): number {
  return lostLines + gapBytes + droppedBytes + deadLetteredLines + Number(unreadable !== '')
}
