/** What lies in a directory of dead letters: reads, and changes nothing. */
import type { Disk } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { readLetter, type Letter } from '../ship/letters/letter.ts'
import { formerFiles, lettersDirectory, linesOf, segmentsIn } from '../ship/letters/segments.ts'

/** How often each word was there: the ones that came first by name, all others together. */
export class Tally {
  readonly counts = new Map<string, number>()
  others = 0

  add(word: string): void {
    const known = this.counts.get(word)
    if (known === undefined && this.counts.size >= limits.tallyMax) this.others++
    else this.counts.set(word, (known ?? 0) + 1)
  }

  /** The most frequent first. */
  get rows(): [word: string, count: number][] {
    return [...this.counts].toSorted((a, b) => b[1] - a[1])
  }
}

export interface LettersFound {
  readonly stateDir: string
  readonly directory: string
  /** Why it, or a part of it, cannot be read. */
  obstacle: string | undefined
  segments: number
  bytes: number
  letters: number
  /** Lines that are no letter, and lines that were cut at the end of their segment. */
  unreadable: number
  torn: number
  /** ISO 8601, as the letters say. */
  oldest: string | undefined
  newest: string | undefined
  readonly byType: Tally
  readonly byStatus: Tally
  readonly byTarget: Tally
  readonly byFile: Tally
  readonly byReason: Tally
  /** The first of each type. */
  readonly examples: Letter[]
}

/**
 * A reason without what makes each one another: the place in the document, and all from the first quotation on, for a server
 * quotes what the line said, which may have quotation marks itself.
 */
export function plainReason(reason: string): string {
  return reason.replace(/^\[\d+:\d+\] /, '').replace(/(?<=[\s:=([])['"`].*$/s, "'…'")
}

/** @param each  gets every letter; only one is in memory */
export function lettersIn(stateDir: string, disk: Disk, each: (letter: Letter) => void): LettersFound {
  const found: LettersFound = {
    stateDir,
    directory: lettersDirectory(stateDir),
    obstacle: undefined,
    segments: 0,
    bytes: 0,
    letters: 0,
    unreadable: 0,
    torn: 0,
    oldest: undefined,
    newest: undefined,
    byType: new Tally(),
    byStatus: new Tally(),
    byTarget: new Tally(),
    byFile: new Tally(),
    byReason: new Tally(),
    examples: [],
  }
  try {
    const former = formerFiles(stateDir).filter(({ path }) => disk.look(path)?.kind === 'file')
    for (const { path } of [...former, ...segmentsIn(disk, found.directory)]) readSegment(found, path, disk, each)
  } catch (error) {
    found.obstacle = messageOf(error)
  }
  return found
}

function readSegment(found: LettersFound, path: string, disk: Disk, each: (letter: Letter) => void): void {
  // A replay may have just closed it, or be done with it.
  for (const name of [path, path.replace(/(?<!\.closed)\.ndjson$/, '.closed.ndjson')]) {
    try {
      const lines = linesOf(disk, name)
      const first = lines.next()
      found.segments++
      found.bytes += disk.look(name)?.sizeBytes ?? 0
      if (first.done !== true) take(found, first.value, each)
      for (const line of lines) take(found, line, each)
      return
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue
      found.obstacle ??= `${name}: ${messageOf(error)}`
      return
    }
  }
}

function take(
  found: LettersFound,
  { text, ended }: { text: string | undefined; ended: boolean },
  each: (letter: Letter) => void,
): void {
  const letter = text === undefined ? undefined : readLetter(text)
  if (letter === undefined) {
    if (ended) found.unreadable++
    else found.torn++
    return
  }
  const { at, status, type, target, path, reason } = letter
  found.letters++
  if (found.oldest === undefined || at < found.oldest) found.oldest = at
  if (found.newest === undefined || at > found.newest) found.newest = at
  const isNew = !found.byType.counts.has(type)
  found.byType.add(type)
  found.byStatus.add(String(status))
  found.byTarget.add(target)
  found.byFile.add(path ?? 'not known')
  if (reason !== undefined) found.byReason.add(plainReason(reason))
  if (isNew && found.examples.length < limits.letterExamplesMax) found.examples.push(letter)
  each(letter)
}
