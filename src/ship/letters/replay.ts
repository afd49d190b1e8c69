/** Takes letters out of their directory: sends them again, and removes those that were taken. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { codeOf, messageOf } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import type { DeadLetter } from '../dead-letter.ts'
import { lineOf, readLetter, reasonOf, type Letter } from './letter.ts'
import {
  countLines,
  lettersDirectory,
  linesOf,
  removeOldDrafts,
  segmentPath,
  segmentsIn,
  takeOverFormer,
  type Segment,
} from './segments.ts'
import type { LetterVerdict, Outbound } from './sending.ts'

export interface ReplayOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly stateDir: string
  /** @returns undefined when it cannot be sent as it is; it stays */
  readonly shape: (letter: Letter) => Outbound | undefined
  readonly sending: { send(letters: readonly Outbound[]): Promise<LetterVerdict[]>; readonly isOver: boolean }
  /** Of one request. */
  readonly batchBytes?: number
  /** Segments that are left alone. */
  readonly skip?: (segment: Segment) => boolean
  /** A letter that was refused again: as it is to stay. */
  readonly refusedAgain: (letter: Letter, refused: DeadLetter, nowMs: number) => Letter
}

/** What became of the letters. */
export interface Replayed {
  segments: number
  taken: number
  /** Of those taken, the ones that were there already. */
  duplicates: number
  possiblyDuplicated: number
  refused: number
  /** No verdict after some tries, or never sent. */
  left: number
  /** Lines that are no letter, or one that cannot be sent: they stay as they are. */
  unreadable: number
  unreadableIn: string | undefined
  /** Lines that a crash or a full disk has cut: they never counted as kept, and go. */
  torn: number
  /** Of those refused, by status and type. */
  readonly reasons: Map<string, number>
  /** The disk would not, or a segment was changed meanwhile. */
  failure: string | undefined
}

/** With the reason that the server gives now. */
export function withNewReason(letter: Letter, refused: DeadLetter, nowMs: number): Letter {
  const { reason: _before, ...rest } = letter
  const { status, errorType: type, reason } = refused
  const at = new Date(nowMs).toISOString()
  const { target, run, path, offset, action, source } = rest
  return {
    at,
    status,
    type,
    ...reasonOf(reason),
    target,
    ...(run !== undefined && { run }),
    ...(path !== undefined && { path }),
    ...(offset !== undefined && { offset }),
    action,
    source,
  }
}

/**
 * Sends every letter that is there now, the oldest first, and puts into the place of each segment what is left of it: written
 * beside it, flushed, renamed. Killed at any moment it loses none; what it had sent of the segment under way is answered
 * 409 the next time. It keeps one batch in memory. Remora may run and put down letters meanwhile (`dead-letters.ts`).
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { disk, clock, stateDir, sending, skip } = options
  const directory = lettersDirectory(stateDir)
  const result: Replayed = {
    segments: 0,
    taken: 0,
    duplicates: 0,
    possiblyDuplicated: 0,
    refused: 0,
    left: 0,
    unreadable: 0,
    unreadableIn: undefined,
    torn: 0,
    reasons: new Map(),
    failure: undefined,
  }
  try {
    takeOverFormer(disk, stateDir)
    removeOldDrafts(disk, directory, clock.nowMs())
    let before: Segment | undefined
    for (const segment of segmentsIn(disk, directory)) {
      if (skip?.(segment) === true) continue
      if (sending.isOver || result.failure !== undefined) {
        result.left += countLines(disk, segment.path, 0, segment.sizeBytes)
        continue
      }
      const taken = take(disk, directory, segment)
      if (taken === undefined) continue
      result.segments++
      await new SegmentReplay(options, taken, result).run()
      if (result.failure === undefined) before = await merged(disk, before, taken)
    }
    if (result.segments > 0) await flushed(disk, directory)
  } catch (error) {
    result.failure ??= messageOf(error)
  }
  return result
}

/**
 * From here on nobody appends to it.
 *
 * @returns undefined when another replay has it, or had
 * @throws what the disk says, or that something is in the way
 */
function take(disk: Disk, directory: string, segment: Segment): Segment | undefined {
  if (segment.closed) return segment
  const path = segmentPath(directory, segment.number, true)
  try {
    if (disk.look(path) !== undefined && disk.look(segment.path) !== undefined)
      throw new Error(`${segment.path} and ${path} are both there: give one of them another number`)
    disk.rename(segment.path, path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  return { ...segment, path, name: path.slice(directory.length + 1), closed: true }
}

/**
 * What replays leave again and again must not become ever more files: a small rest is put together with the one before. A
 * crash between the two steps leaves letters of the one before twice.
 *
 * @returns the segment that the next one may be put together with
 */
async function merged(disk: Disk, before: Segment | undefined, segment: Segment): Promise<Segment | undefined> {
  const facts = disk.look(segment.path)
  if (facts === undefined) return before
  if (facts.sizeBytes > limits.replayMergeBytes) return undefined
  const former = before === undefined ? undefined : disk.look(before.path)
  if (before === undefined || former === undefined) return segment
  if (former.sizeBytes + facts.sizeBytes > limits.replayMergeBytes) return segment
  const draft = draftOf(segment)
  try {
    disk.append(draft, disk.readText(before.path) + disk.readText(segment.path))
    await disk.flush(draft)
    if (disk.look(segment.path)?.inode !== facts.inode || disk.look(before.path)?.inode !== former.inode)
      return undefined
    disk.rename(draft, segment.path)
    // In this order after a power cut, too.
    await flushed(disk, segment.path.slice(0, segment.path.lastIndexOf('/')))
    disk.remove(before.path)
  } finally {
    disk.remove(draft)
  }
  return segment
}

async function flushed(disk: Disk, directory: string): Promise<void> {
  try {
    await disk.flush(directory)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Of this replay alone: two at once must not write into one file. */
const draftOf = ({ path }: Segment): string => `${path}.${randomUUID()}.draft`

/** A line of the segment with what is to be sent of it, if anything. */
interface Entry {
  readonly line: string
  readonly letter?: Letter
  readonly outbound?: Outbound
}

/** One segment, from its first line to what is left of it. */
class SegmentReplay {
  readonly #o: ReplayOptions
  readonly #segment: Segment
  readonly #draft: string
  readonly #result: Replayed
  #entries: Entry[] = []
  #entriesBytes = 0
  #outbound: Outbound | undefined
  /** Bytes of the draft; 0: there is none. */
  #drafted = 0
  /** What is left is not what was there. */
  #changed = false

  constructor(options: ReplayOptions, segment: Segment, result: Replayed) {
    this.#o = options
    this.#segment = segment
    this.#draft = draftOf(segment)
    this.#result = result
  }

  async run(): Promise<void> {
    const { disk, shape, batchBytes } = this.#o
    const { path } = this.#segment
    const inode = disk.look(path)?.inode
    try {
      for (const { text, ended } of linesOf(disk, path)) {
        if (text === undefined) throw new Error(`${path} has a line that is longer than a letter can be`)
        const letter = readLetter(text)
        if (letter === undefined && !ended) {
          this.#result.torn++
          this.#changed = true
          continue
        }
        const outbound = letter && shape(letter)
        if (letter === undefined || outbound === undefined) {
          this.#result.unreadable++
          this.#result.unreadableIn ??= path
          this.#entries.push({ line: text })
        } else {
          const first = this.#outbound
          if (first !== undefined && (first.target !== outbound.target || first.hasId !== outbound.hasId))
            await this.#send()
          this.#outbound ??= outbound
          this.#entries.push({ line: text, letter, outbound })
        }
        this.#entriesBytes += text.length
        if (
          this.#entriesBytes >= (batchBytes ?? limits.replayBatchBytes) ||
          this.#entries.length >= limits.replayBatchDocuments
        )
          await this.#send()
      }
      await this.#send()
      await this.#commit(inode)
    } catch (error) {
      // ENOENT: it went while it was read, for the bound or for another replay.
      if (codeOf(error) !== 'ENOENT') this.#result.failure ??= messageOf(error)
    } finally {
      disk.remove(this.#draft)
    }
  }

  async #send(): Promise<void> {
    const { sending, clock, refusedAgain } = this.#o
    const entries = this.#entries
    this.#entries = []
    this.#entriesBytes = 0
    this.#outbound = undefined
    const outbound = entries.flatMap((entry) => entry.outbound ?? [])
    const verdicts =
      outbound.length === 0 || sending.isOver
        ? outbound.map((): LetterVerdict => ({ kind: 'none' }))
        : await sending.send(outbound)
    let at = 0
    let kept = ''
    for (const { line, letter, outbound: sent } of entries) {
      const verdict = sent === undefined ? undefined : verdicts[at++]!
      if (verdict !== undefined) this.#count(verdict)
      if (verdict?.kind === 'taken') this.#changed = true
      else if (verdict?.kind === 'refused') {
        this.#changed = true
        kept += lineOf(refusedAgain(letter!, verdict.refused, clock.nowMs()))
      } else kept += `${line}\n`
    }
    if (kept === '') return
    this.#o.disk.append(this.#draft, kept)
    this.#drafted += Buffer.byteLength(kept)
  }

  #count(verdict: LetterVerdict): void {
    const result = this.#result
    if (verdict.kind === 'none') result.left++
    else if (verdict.kind === 'refused') {
      result.refused++
      const { status, errorType } = verdict.refused
      const why = `${status} ${errorType}`
      // As many as a person reads: an answer names its type as it likes.
      if (result.reasons.size < limits.reasonsMax || result.reasons.has(why))
        result.reasons.set(why, (result.reasons.get(why) ?? 0) + 1)
    } else {
      result.taken++
      if (verdict.duplicate) result.duplicates++
      if (verdict.possiblyDuplicated) result.possiblyDuplicated++
    }
  }

  /** @param inode  what was read: another one in its place is somebody else's work, and stays */
  async #commit(inode: bigint | undefined): Promise<void> {
    const { disk } = this.#o
    const { path } = this.#segment
    if (!this.#changed) return
    if (this.#drafted > 0) {
      await disk.flush(this.#draft)
      // A draft that seemed to be an old one's was removed, and only its end is there.
      if (disk.look(this.#draft)?.sizeBytes !== this.#drafted)
        throw new Error(`${this.#draft} was changed by somebody else`)
    }
    const now = disk.look(path)
    if (now === undefined) return
    if (now.inode !== inode) throw new Error(`${path} was changed by somebody else meanwhile: run it once more`)
    if (this.#drafted > 0) disk.rename(this.#draft, path)
    else disk.remove(path)
  }
}
