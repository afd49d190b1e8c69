import { generationOf, type MemoryServer, type Stored } from '../kit/agent-server.ts'
import { limits } from '../../src/base/limits.ts'
import { findAnchor } from '../../src/follow/names.ts'
import type { Application } from './application.ts'
import { linesOf, type Life, type Line } from './lives.ts'

/** Bytes that the agent has reported as destroyed before it could read them. */
export interface Gap {
  readonly path: string
  readonly from: number
  readonly to: number
}

export interface Facts {
  /** From there on lines are cut. */
  readonly lineBytesMax: number
  readonly gaps: readonly Gap[]
  /** Rotated files match the glob too: what is found under such a name first is known by it. */
  readonly wide: boolean
  /** Nothing that was delivered can look undelivered: no process was killed, no answer was lost. */
  readonly peaceful: boolean
}

/**
 * The promises, checked against what the application wrote: each line once, and no document that is not a line.
 *
 * @returns what is wrong
 */
export function judge(application: Application, server: MemoryServer, facts: Facts): string[] {
  const broken: string[] = []
  // A document may be refused, and be taken when it is sent again after a crash.
  const documents = [...new Map([...server.refused, ...server.documents]).values()].map((document) => ({
    ...document,
    path: facts.wide ? firstNameOf(document.path) : document.path,
  }))
  const byPath = new Map<string, Life[]>()
  for (const life of application.lives) {
    for (const path of life.paths) {
      const lives = byPath.get(path)
      if (lives === undefined) byPath.set(path, [life])
      else lives.push(life)
    }
  }
  const repeatedTo = repetitions(application.lives)
  const covered = assign(byPath, documents, facts, broken)
  for (const life of application.lives) {
    const parts = (covered.get(life) ?? []).toSorted((a, b) => a.offset - b.offset)
    let at = 0
    for (const line of linesOf(life)) {
      const mine: Stored[] = []
      while (at < parts.length && parts[at]!.offset < line.to) mine.push(parts[at++]!)
      // The same first line in every file: no one can say which of them a document is. See `countBanners`.
      if (line.from === 0 && application.habits.banner) continue
      const told = line.from < (repeatedTo.get(life) ?? 0) ? onceEach(mine) : mine
      broken.push(...judgeLine(line, told, facts, covered))
    }
    const rest = parts.slice(at)
    if (
      rest.length > 1 &&
      life.repeats === undefined &&
      !repeatedTo.has(life) &&
      !isCovered(rest, life.text.slice(life.lineStart), life)
    )
      broken.push(`the unfinished line of ${life.name} came as ${summary(rest)}`)
  }
  if (application.habits.banner) broken.push(...countBanners(application, documents))
  if (facts.peaceful && !application.habits.banner) broken.push(...idleGaps(byPath, covered, facts))
  return broken.slice(0, 5)
}

function onceEach(documents: readonly Stored[]): readonly Stored[] {
  const keys = documents.map(({ offset, message }) => `${offset} ${message}`)
  return documents.filter((_document, at) => keys.indexOf(keys[at]!) === at)
}

/**
 * Lives that were begun when the state was lost, and how far their lines may come twice for that: to the one that tells (the
 * one before it counts with it only if it did not stand alone for a while), or wholly, when another life has the same one.
 */
function repetitions(lives: readonly Life[]): Map<Life, number> {
  const anchors = new Map<string, Life[]>()
  const repeatedTo = new Map<Life, number>()
  for (const life of lives) {
    const anchor = findAnchor(Buffer.from(life.text.slice(0, limits.headBytesMax)), 0, true)
    if (life.isStrange) repeatedTo.set(life, anchor.kind === 'found' && !life.isMoved ? anchor.telling : Infinity)
    if (anchor.kind !== 'found') continue
    const to = life.text.indexOf('\n', anchor.telling)
    // Written in pieces, it may have been taken for another one.
    if ([...life.pauses].some((at) => at > anchor.telling && (to === -1 || at <= to)) && life.isStrange)
      repeatedTo.set(life, Infinity)
    for (const path of life.paths) {
      const key = `${path} ${anchor.hash}`
      anchors.set(key, [...(anchors.get(key) ?? []), life])
    }
  }
  for (const alike of anchors.values()) {
    if (alike.length > 1) for (const life of alike) if (life.isStrange) repeatedTo.set(life, Infinity)
  }
  return repeatedTo
}

/** Which life each document is of. Those that say the same in several lives belong where they are missed. */
function assign(
  byPath: ReadonlyMap<string, readonly Life[]>,
  documents: readonly Stored[],
  facts: Facts,
  broken: string[],
): Map<Life, Stored[]> {
  const covered = new Map<Life, Stored[]>()
  const taken = new Map<Life, Set<number>>()
  const livesOf = new Map<string, Set<Life>>()
  const give = (life: Life, document: Stored) => {
    const mine = covered.get(life)
    if (mine === undefined) covered.set(life, [document])
    else mine.push(document)
    taken.set(life, (taken.get(life) ?? new Set()).add(document.offset))
    const generation = generationOf(document.id)
    livesOf.set(generation, (livesOf.get(generation) ?? new Set()).add(life))
  }
  const unclear: [Stored, Life[]][] = []
  for (const document of documents) {
    const candidates = (byPath.get(document.path) ?? []).filter((life) => isPart(life, document, facts))
    if (candidates.length === 1) give(candidates[0]!, document)
    else if (candidates.length > 1) unclear.push([document, candidates])
    else broken.push(`no application wrote ${summary([document])}`)
  }
  for (const [document, candidates] of unclear) {
    const free = candidates.filter((life) => taken.get(life)?.has(document.offset) !== true)
    const near = free.filter((life) => livesOf.get(generationOf(document.id))?.has(life))
    const wanting = (life: Life) =>
      !life.excused.has(document.offset) && life.text.indexOf('\n', document.offset) >= life.inherited
    const owed = (life: Life) => life.owed.has(document.offset)
    const missed = near.find(wanting) ?? free.find(wanting) ?? free.find(owed)
    const mayRepeat = candidates.find((life) => life.repeats !== undefined)
    give(missed ?? near[0] ?? free[0] ?? mayRepeat ?? candidates[0]!, document)
  }
  return covered
}

/** A document begins with a line or where one was taken up again, and ends with it or where one was left off. */
function isPart(life: Life, { offset, message, truncated }: Stored, facts: Facts): boolean {
  const { text, pauses } = life
  if (!text.startsWith(message, offset)) return false
  // A copy that is shipped as a file of its own ends where the copying had come to.
  if (life.repeats !== undefined) return true
  if (offset > 0 && !'\n\0'.includes(text[offset - 1]!) && !pauses.has(offset)) return false
  if (truncated) return message.length === facts.lineBytesMax
  const end = offset + message.length
  return end === text.length || text[end] === '\n' || text.startsWith('\r\n', end) || pauses.has(end)
}

function judgeLine(
  line: Line,
  parts: readonly Stored[],
  facts: Facts,
  covered: ReadonlyMap<Life, readonly Stored[]>,
): string[] {
  const { life, from, to, text } = line
  const where = `line ${JSON.stringify(text.slice(0, 20))} of ${life.name} at ${from}`
  const [first] = parts
  if (first === undefined) {
    if (to <= life.inherited || isInHeir(line, covered)) return []
    if (!life.excused.has(from)) return [`${where} is missing`]
    const isOfLife = ({ path }: Gap) => life.paths.has(facts.wide ? firstNameOf(path) : path)
    const reported = facts.gaps.some((gap) => isOfLife(gap) && gap.from < to)
    // Read with the offset of the life before, it was gone again before anybody could know it for another one.
    const wasRead = (covered.get(life)?.length ?? 0) > 0
    // Nobody can tell where a line was cut that was written on.
    const straddles = from < life.inherited && to > life.inherited
    const wasKnown = life.owed.has(from) && wasRead && !straddles && life.repeats === undefined
    return wasKnown && !reported ? [`${where} was known, is missing, and no gap was reported`] : []
  }
  if (life.repeats !== undefined) return []
  const whole = text.slice(0, facts.lineBytesMax)
  if (parts.length === 1 && first.offset === from + line.holeBytes && first.message === whole) return []
  // A few NULs are not worth being called a hole.
  const withHole = ('\0'.repeat(line.holeBytes) + text).slice(0, facts.lineBytesMax)
  if (parts.length === 1 && first.offset === from && first.message === withHole) return []
  // Cut between CR and LF, and shipped before the LF came.
  if (parts.length === 1 && first.message === `${text}\r` && life.cuts.has(to - 1)) return []
  const inPieces = [...life.pauses].some((pause) => pause > from && pause < to)
  if (inPieces && (isCovered(parts, text, life, from) || (life.excused.has(from) && parts.length === 1))) return []
  return [`${where} came as ${summary(parts)}`]
}

/** What was left of a file when it was cut may come as a line of the life that followed. */
function isInHeir(line: Line, covered: ReadonlyMap<Life, readonly Stored[]>): boolean {
  for (const [life, documents] of covered) {
    if (life.inherited < line.to) continue
    let at: Life | undefined = life.origin
    while (at !== undefined && at !== line.life) at = at.origin
    if (at === line.life && documents.some(({ offset }) => offset === line.from)) return true
  }
  return false
}

/**
 * A line that was finished after its file had ended: one document for each part. A part whose answer was lost may come
 * again with what was written since: its content is another one then, and so is its id.
 */
function isCovered(parts: readonly Stored[], text: string, life: Life, from = life.lineStart): boolean {
  let to = from
  for (const [at, { offset, message, truncated }] of parts.entries()) {
    if (offset > to || !text.startsWith(message, offset - from)) return false
    // The rest of a cut line is no document.
    if (truncated) return at === parts.length - 1
    to = Math.max(to, offset + message.length)
  }
  return from === life.lineStart || to === from + text.length
}

/** As many documents of the line that all files begin with as there were files: no more, and none of them is missing. */
function countBanners({ lives, banner }: Application, documents: readonly Stored[]): string[] {
  const counts = new Map<string, number>()
  for (const { offset, message, path } of documents) {
    if (offset === 0 && message === banner) counts.set(path, (counts.get(path) ?? 0) + 1)
  }
  for (const [path, count] of counts) {
    const mine = lives.filter((life) => life.paths.has(path))
    if (count > mine.length && mine.every(({ repeats, isStrange }) => repeats === undefined && !isStrange))
      return [`${count} first lines of ${path}, which began ${mine.length} times`]
    // Under which name one is known that was moved with its directory depends on when it was seen first.
    if (mine.some(({ isMoved }) => isMoved)) continue
    const begun = mine.filter(
      ({ text, excused, inherited }) => text.startsWith(`${banner}\n`) && !excused.has(0) && inherited === 0,
    )
    if (count < begun.length) return [`${count} first lines of ${path}, which began ${begun.length} times to be read`]
  }
  return []
}

/** A gap that is reported where nothing is missing would make a person look for what is not there. */
function idleGaps(
  byPath: ReadonlyMap<string, readonly Life[]>,
  covered: ReadonlyMap<Life, readonly Stored[]>,
  facts: Facts,
): string[] {
  return facts.gaps
    .filter(({ path, from, to }) =>
      (byPath.get(path) ?? []).every((life) => {
        // It may have been shipped as another one's.
        if (life.repeats !== undefined) return false
        const offsets = new Set(covered.get(life)?.map(({ offset }) => offset))
        // The rest of a line that was cut is no document, and may well be missing.
        const missing = linesOf(life).filter((line) => !offsets.has(line.from) || line.text.length > facts.lineBytesMax)
        if (life.lineStart < life.text.length)
          missing.push({ life, from: life.lineStart, holeBytes: 0, to: life.text.length, text: '' })
        return missing.every((line) => line.to <= from || line.from >= to)
      }),
    )
    .map(({ path, from, to }) => `a gap of ${path} from ${from} to ${to} is reported, and nothing is missing`)
}

/** Before any rotation, and before Remora has put it aside. */
export function firstNameOf(path: string): string {
  return path.replace(/(?:\.\d+|\.old|-20260101\.\d+)(?:\.gz)?$/, '')
}

function summary(documents: readonly Stored[]): string {
  return JSON.stringify(documents.slice(0, 4).map(({ id, offset, message }) => [id, offset, message.slice(0, 20)]))
}
