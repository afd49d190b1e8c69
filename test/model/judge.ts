import { generationOf, type MemoryServer, type Stored } from '../kit/agent-server.ts'
import { linesOf, type Application, type Life, type Line } from './application.ts'

export interface Allowed {
  /** From there on lines are cut. */
  readonly lineBytesMax: number
  /** Lines may come under two generations. */
  readonly repeats: boolean
}

/**
 * The promises, checked against what the application wrote: each line once, and no document that is not a line.
 *
 * @returns what is wrong
 */
export function judge(application: Application, server: MemoryServer, allowed: Allowed): string[] {
  const broken: string[] = []
  // A document may be refused, and be taken when it is sent again after a crash.
  const documents = [...new Map([...server.refused, ...server.documents]).values()]
  const covered = assign(application.lives, documents, allowed, broken)
  for (const life of application.lives) {
    const parts = covered.get(life) ?? []
    // The same first line in every file: no one can say which of them a document is.
    const lines = linesOf(life).filter(({ from }) => from > 0 || !application.hasBanner)
    const repeats = allowed.repeats || life.doubled
    for (const line of lines) broken.push(...judgeLine(line, parts, { ...allowed, repeats }))
    const rest = parts.filter(({ offset }) => offset > life.text.lastIndexOf('\n'))
    if (rest.length > 1 && !repeats) broken.push(`the unfinished line of ${life.name} came as ${summary(rest)}`)
  }
  return broken.slice(0, 5)
}

/** Which life each document is of. Those that say the same in several lives belong where they are missed. */
function assign(
  lives: readonly Life[],
  documents: readonly Stored[],
  allowed: Allowed,
  broken: string[],
): Map<Life, Stored[]> {
  const covered = new Map<Life, Stored[]>()
  const livesOf = new Map<string, Set<Life>>()
  const give = (life: Life, document: Stored) => {
    covered.set(life, [...(covered.get(life) ?? []), document])
    const generation = generationOf(document.id)
    livesOf.set(generation, (livesOf.get(generation) ?? new Set()).add(life))
  }
  const unclear: [Stored, Life[]][] = []
  for (const document of documents) {
    const candidates = lives.filter((life) => isPart(life, document, allowed))
    if (candidates.length === 1) give(candidates[0]!, document)
    else if (candidates.length > 1) unclear.push([document, candidates])
    else broken.push(`no application wrote ${summary([document])}`)
  }
  for (const [document, candidates] of unclear) {
    const free = candidates.filter((life) => !covered.get(life)?.some(({ offset }) => offset === document.offset))
    const near = free.filter((life) => livesOf.get(generationOf(document.id))?.has(life))
    const wanting = (life: Life) => !life.excused.has(document.offset)
    give(near.find(wanting) ?? free.find(wanting) ?? near[0] ?? free[0] ?? candidates[0]!, document)
  }
  return covered
}

function isPart(life: Life, { path, offset, message, truncated }: Stored, allowed: Allowed): boolean {
  if (!life.paths.has(path) || !life.text.startsWith(message, offset)) return false
  if (allowed.repeats || life.doubled) return true
  const inPieces = life.pieced.size > 0
  if (offset > 0 && life.text[offset - 1] !== '\n' && !inPieces) return false
  if (truncated) return message.length === allowed.lineBytesMax
  const end = offset + message.length
  return end === life.text.length || life.text[end] === '\n' || inPieces
}

function judgeLine({ life, from, to, text }: Line, documents: readonly Stored[], allowed: Allowed): string[] {
  const parts = documents.filter(({ offset }) => offset >= from && offset < to).toSorted((a, b) => a.offset - b.offset)
  const where = `line ${JSON.stringify(text.slice(0, 20))} of ${life.name} at ${from}`
  const [first] = parts
  if (first === undefined) {
    return life.excused.has(from) ? [] : [`${where} is missing`]
  }
  if (parts.length === 1 && first.offset === from && first.message === text.slice(0, allowed.lineBytesMax)) return []
  if (life.pieced.has(from) && (isCovered(parts, from, text) || (life.excused.has(from) && parts.length === 1))) {
    return []
  }
  if (allowed.repeats) return []
  return [`${where} came as ${summary(parts)}`]
}

/**
 * A line that was finished after its file had ended: one document for each part. A part whose answer was lost may come
 * again with what was written since.
 */
function isCovered(parts: readonly Stored[], from: number, text: string): boolean {
  let to = from
  for (const { offset, message, truncated } of parts) {
    if (offset > to || !text.startsWith(message, offset - from)) return false
    if (truncated) return true
    to = Math.max(to, offset + message.length)
  }
  return to === from + text.length
}

function summary(documents: readonly Stored[]): string {
  return JSON.stringify(documents.slice(0, 4).map(({ id, offset, message }) => [id, offset, message.slice(0, 20)]))
}
