/** The files that dead letters lie in: their names, which there are, and reading them in pieces. */
import type { Disk } from '../../base/disk.ts'
import { codeOf } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'

/**
 * `00000007.ndjson`: Remora may still append to it, when it is the newest. `00000007.closed.ndjson`: nobody does any more, and
 * a replay may put another one in its place.
 */
export interface Segment {
  readonly name: string
  readonly path: string
  /** The oldest has the smallest. */
  readonly number: number
  readonly closed: boolean
  readonly sizeBytes: number
  readonly inode: bigint
  readonly modifiedMs: number
}

export const lettersDirectory = (stateDir: string): string => `${stateDir}/dead-letters`

/** The two files of an earlier version, the older one first, with the numbers that are kept for them. */
export const formerFiles = (stateDir: string) =>
  [
    { path: `${stateDir}/dead-letters.older.ndjson`, number: 1 },
    { path: `${stateDir}/dead-letters.ndjson`, number: 2 },
  ] as const

export const numberFirst = 3

export function segmentPath(directory: string, number: number, closed = false): string {
  return `${directory}/${String(number).padStart(8, '0')}${closed ? '.closed' : ''}.ndjson`
}

const segmentName = /^(\d{8,15})(\.closed)?\.ndjson$/
const draftName = /^\d{8,15}\.closed\.ndjson\.[\w-]+\.draft$/

/** The oldest first; none where there is no directory. @throws what the disk says otherwise */
export function segmentsIn(disk: Disk, directory: string): Segment[] {
  const segments: Segment[] = []
  for (const name of namesIn(disk, directory)) {
    const [, digits, closed] = segmentName.exec(name) ?? []
    if (digits === undefined) continue
    const path = `${directory}/${name}`
    const facts = disk.look(path)
    if (facts?.kind !== 'file') continue
    const { sizeBytes, inode, modifiedMs } = facts
    segments.push({ name, path, number: Number(digits), closed: closed !== undefined, sizeBytes, inode, modifiedMs })
  }
  return segments.toSorted((a, b) => a.number - b.number || Number(b.closed) - Number(a.closed))
}

/** What replays that were killed have left half-written. */
export function removeOldDrafts(disk: Disk, directory: string, nowMs: number): void {
  for (const name of namesIn(disk, directory)) {
    if (!draftName.test(name)) continue
    const path = `${directory}/${name}`
    const facts = disk.look(path)
    if (facts !== undefined && Math.abs(nowMs - facts.modifiedMs) > limits.letterDraftMs) disk.remove(path)
  }
}

function namesIn(disk: Disk, directory: string): string[] {
  try {
    return disk.list(directory).map(({ name }) => name)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

/** Takes over what an earlier version has left: as the oldest segments. @throws what the disk says */
export function takeOverFormer(disk: Disk, stateDir: string): void {
  const directory = lettersDirectory(stateDir)
  for (const { path, number } of formerFiles(stateDir)) {
    if (disk.look(path)?.kind !== 'file') continue
    disk.makeDirectory(directory)
    let free = number
    // Only after a downgrade and back there is one already.
    const isTaken = (at: number) =>
      [true, false].some((closed) => disk.look(segmentPath(directory, at, closed)) !== undefined)
    if (isTaken(free)) free = (segmentsIn(disk, directory).at(-1)?.number ?? number) + 1
    disk.rename(path, segmentPath(directory, free, true))
  }
}

/** One line of a segment, without its line break. */
export interface Line {
  /** Undefined: longer than any letter, and passed over. */
  readonly text: string | undefined
  /** False: the file ends in the middle of it. */
  readonly ended: boolean
}

const newline = 10

/** All lines but empty ones, as far as the file went when it was opened; one line of it is in memory. @throws what the disk says */
export function* linesOf(disk: Disk, path: string): Generator<Line> {
  const descriptor = disk.open(path)
  try {
    const { kind, sizeBytes } = disk.factsOf(descriptor)
    if (kind !== 'file') return
    const piece = Buffer.alloc(Math.min(limits.letterPieceBytes, Math.max(1, sizeBytes)))
    let parts: Buffer[] = []
    let length = 0
    const take = (ended: boolean): Line => {
      const text = length > limits.letterBytesMax ? undefined : Buffer.concat(parts).toString('utf8')
      parts = []
      length = 0
      return { text, ended }
    }
    for (let position = 0; position < sizeBytes;) {
      const read = disk.read(descriptor, piece, 0, Math.min(piece.length, sizeBytes - position), position)
      if (read === 0) break
      position += read
      for (let from = 0; from < read;) {
        const found = piece.subarray(0, read).indexOf(newline, from)
        const to = found === -1 ? read : found
        length += to - from
        if (length > limits.letterBytesMax) parts = []
        else parts.push(Buffer.from(piece.subarray(from, to)))
        from = to + 1
        if (found !== -1 && length > 0) yield take(true)
      }
    }
    if (length > 0) yield take(false)
  } finally {
    disk.close(descriptor)
  }
}

/** Lines that end in `[from, to)` of a file, but empty ones: letters, when nothing in it is damaged. @throws what the disk says */
export function countLines(disk: Disk, path: string, from: number, to: number): number {
  const descriptor = disk.open(path)
  try {
    const piece = Buffer.alloc(Math.min(limits.letterPieceBytes, Math.max(1, to - from)))
    let [lines, before] = [0, newline]
    for (let position = from; position < to;) {
      const read = disk.read(descriptor, piece, 0, Math.min(piece.length, to - position), position)
      if (read === 0) break
      position += read
      const bytes = piece.subarray(0, read)
      for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1))
        if ((at === 0 ? before : bytes[at - 1]) !== newline) lines++
      before = bytes[read - 1]!
    }
    return lines
  } finally {
    disk.close(descriptor)
  }
}
