import { linesOf, type Life, type Line } from './lives.ts'

/**
 * Lines of deleted files that never came, although nobody said that any were given up, or gone.
 *
 * @param texts  of all documents that were taken, or refused for good
 * @param said   first names of the files of which Remora has said that something is gone
 */
export function unsaidDrops(
  lives: readonly Life[],
  texts: ReadonlySet<string>,
  said: ReadonlySet<string>,
  lineBytesMax: number,
): string[] {
  return lives
    .filter(({ paths }) => ![...paths].some((path) => said.has(path)))
    .filter((life) => linesOf(life).some((line) => life.dropped.has(line.from) && !hasCome(line, texts, lineBytesMax)))
    .map(({ name }) => `${name} was deleted with lines that were not shipped, and nobody said so`)
}

/** Whole, or in the pieces that it was written in: when the file has ended between two of them, each is a document. */
function hasCome({ life, from, holeBytes, text }: Line, texts: ReadonlySet<string>, lineBytesMax: number): boolean {
  if (!text.startsWith('<')) return true
  const start = from + holeBytes
  const cuts = [...life.pauses].map((at) => at - start).filter((at) => at > 0 && at < text.length)
  const ends = [...cuts.toSorted((a, b) => a - b), text.length]
  let at = 0
  for (const end of ends) {
    const piece = text.slice(at, end)
    // What is behind the cut of a long one is no document, also when it was written by itself.
    if (text.length - at > lineBytesMax && texts.has(text.slice(at, at + lineBytesMax))) return true
    if (texts.has(piece)) at = end
  }
  return at === text.length
}
