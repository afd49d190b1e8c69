import type { DeniedFigures, Figures, FileFigures, UnreadableFigures } from '../admin/figures.ts'
import type { Discovery } from '../discover/discovery.ts'
import type { Kernel } from '../encode/kernel.ts'
import type { Registry } from '../follow/registry.ts'
import type { Arena } from '../queue/arena.ts'
import type { Checkpoint } from '../settle/checkpoint.ts'
import type { Account, Ledger } from '../settle/ledger.ts'
import type { Health } from '../ship/shipper.ts'
import type { BackpressureFigures } from './backpressure-watch.ts'
import type { EventCount } from './events.ts'
import { lagByPath, unreadByPath } from './left.ts'
import type { LetterFigures } from './letters.ts'
import type { MemoryFigures } from './memory.ts'
import type { VolumeFigures } from './volume.ts'

/** What the figures are read from. */
export interface Sources {
  readonly ledger: Ledger
  readonly registry: Registry
  readonly discovery: Discovery
  readonly arena: Arena<Kernel>
  readonly memory: MemoryFigures
  readonly checkpoint: Checkpoint
  /** Wall clock. */
  readonly nowMs: number
  readonly monotonicMs: number
  readonly openFilesMax: number
  readonly requestsUnderWay: number
  readonly pace: { readonly concurrency: number; readonly requestBytesMax: number }
  readonly health: Health
  readonly phase: Figures['phase']
  readonly events: readonly EventCount[]
  readonly letters: LetterFigures
  readonly backpressure: BackpressureFigures
  readonly volume: VolumeFigures
  readonly denied: readonly DeniedFigures[]
  readonly unsaidMessages: number
}

/** Gathered when somebody asks: nothing is counted twice, and nothing while nobody asks. */
export function figuresOf(sources: Sources): Figures {
  const { ledger, registry, discovery, arena, checkpoint, nowMs, health } = sources
  const { writtenAtMs } = checkpoint
  const unread = unreadByPath(registry)
  return {
    ...linesOf(ledger),
    unreadBytes: sum(unread.values()),
    files: registry.generations.size,
    openFiles: registry.openFiles,
    openFilesMax: sources.openFilesMax,
    unreadableFiles: countsOf(registry.unreadable()),
    denied: sources.denied,
    directories: discovery.directories,
    unreadableDirectories: discovery.unreadableDirectories,
    unwatchableDirectories: discovery.unwatchableDirectories,
    slots: arena.slots,
    slotsTaken: arena.taken,
    requestsUnderWay: sources.requestsUnderWay,
    requestsMax: sources.pace.concurrency,
    requestBytesMax: sources.pace.requestBytesMax,
    ...sources.memory,
    checkpointAgeSeconds: writtenAtMs && Math.max(0, nowMs - writtenAtMs) / 1000,
    checkpointFailures: checkpoint.failures,
    checkpointFailing: checkpoint.failuresInARow > 0,
    ...sources.letters,
    ...sources.volume,
    unsaidMessages: sources.unsaidMessages,
    phase: sources.phase,
    health: health.state,
    healthDetail: 'detail' in health ? health.detail : '',
    backpressure: sources.backpressure,
    events: sources.events,
    byFile: byFile(ledger, unread, lagByPath(registry, sources.monotonicMs)),
  }
}

function linesOf(account: Account) {
  return {
    readLines: account.readLines,
    readBytes: account.readBytes,
    acknowledgedLines: account.acknowledgedLines,
    duplicateLines: account.duplicateLines,
    possiblyDuplicatedLines: account.possiblyDuplicatedLines,
    failureStoredLines: account.failureStoredLines,
    filteredLines: account.filteredLines,
    refusedLines: account.refusedLines,
    deadLetteredLines: account.deadLetteredLines,
    expiredLines: account.expiredLines,
    lostLines: account.lostLines,
    acknowledgedBytes: account.acknowledgedBytes,
    refusedBytes: account.refusedBytes,
    deadLetteredBytes: account.deadLetteredBytes,
    lostBytes: account.lostBytes,
    heldLines: account.heldLines,
    cutLines: account.cutLines,
    skippedBytes: account.skippedBytes,
    gapBytes: account.gapBytes,
    gaps: account.gaps,
    droppedFiles: account.droppedFiles,
    droppedBytes: account.droppedBytes,
    freedFiles: account.freedFiles,
    freedBytes: account.freedBytes,
  }
}

/** Files with an account of their own, and one row for all others. */
function byFile(ledger: Ledger, unread: ReadonlyMap<string, number>, lag: ReadonlyMap<string, number>): FileFigures[] {
  const files = [...ledger.files].map(([path, account]) => ({
    path,
    ...linesOf(account),
    unreadBytes: unread.get(path) ?? 0,
    lagSeconds: lag.get(path) ?? 0,
  }))
  const elsewhere = sum(unread.values()) - sum(files.map(({ unreadBytes }) => unreadBytes))
  const { others } = ledger
  if (elsewhere === 0 && others.readLines === 0 && others.gaps === 0 && others.droppedFiles === 0) return files
  let lagSeconds = 0
  for (const [path, seconds] of lag) if (!ledger.files.has(path)) lagSeconds = Math.max(lagSeconds, seconds)
  return [...files, { path: undefined, ...linesOf(others), unreadBytes: elsewhere, lagSeconds }]
}

/** How often each is there. */
function countsOf(reasons: Iterable<string>): UnreadableFigures[] {
  const counts = new Map<string, number>()
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, count]) => ({ reason, count }))
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}
