/** One life of a content, as the application knows it: what a generation is to be. */
export class Life {
  readonly name: string
  /** Names that it had and that are watched: it is known by the first one that was seen. */
  readonly paths: Set<string>
  /** ASCII, so that a character is a byte. */
  text: string
  /** Where the line begins that is being written. */
  lineStart: number
  /** Where a line was left off for a while: if the file ended there, a document may end and another begin there. */
  readonly pauses = new Set<number>()
  /** Where its file was cut to a part. */
  readonly cuts = new Set<number>()
  /** Begins of lines whose bytes were destroyed while nobody could read them: they may be missing. */
  readonly excused = new Set<number>()
  /** Of these, the ones that the agent knew of: a gap must be reported. */
  readonly owed = new Set<number>()
  /** Its file was renamed, and is there to be read: before its successor. */
  drainsFirst = false
  /** From here on it was written after its successor had bytes. */
  lateFrom = Infinity
  /** Why its lines may come under two generations; undefined: they may not. */
  repeats: string | undefined
  /** So many bytes were in the file already, as those of another life, which may have brought them. */
  readonly inherited: number
  readonly origin: Life | undefined
  /** With its directory, so that its name before any rotation is another one. */
  isMoved = false
  /** The state was lost after it began. */
  isStrange = false
  /** Some checkpoint knew its file. */
  isSaved = false
  /** Some process has read lines of it. */
  wasRead = false
  /** Begins of lines in a file that Remora has deleted, and may have given up. */
  readonly dropped = new Set<number>()
  /** Its size when the present process read lines of it last. */
  seenBytes = 0

  constructor(name: string, paths: Set<string>, origin?: Life, inherited = 0) {
    this.name = name
    this.paths = paths
    this.origin = origin
    this.inherited = inherited
    for (let at = origin; at !== undefined; at = at.origin) at.cuts.add(inherited)
    this.text = origin?.text.slice(0, inherited) ?? ''
    this.lineStart = this.text.lastIndexOf('\n') + 1
    for (const pause of origin?.pauses ?? []) if (pause <= inherited) this.pauses.add(pause)
    if (this.text !== '' && !this.text.endsWith('\n')) this.pauses.add(this.text.length)
  }

  write(text: string): void {
    const newline = text.lastIndexOf('\n')
    if (newline !== -1) this.lineStart = this.text.length + newline + 1
    this.text += text
    if (newline !== text.length - 1) this.pauses.add(this.text.length)
  }
}

export interface Line {
  readonly life: Life
  readonly from: number
  /** NULs before its text: a writer that does not append has left a hole, which is no part of the line. */
  readonly holeBytes: number
  /** Behind the newline. */
  readonly to: number
  /** Without newline, and without the carriage return before it. */
  readonly text: string
}

export function linesOf(life: Life): Line[] {
  const lines: Line[] = []
  for (let from = 0; ;) {
    const newline = life.text.indexOf('\n', from)
    if (newline === -1) return lines
    const end = newline > from && life.text[newline - 1] === '\r' ? newline - 1 : newline
    let start = from
    while (life.text[start] === '\0') start++
    lines.push({ life, from, holeBytes: start - from, to: newline + 1, text: life.text.slice(start, end) })
    from = newline + 1
  }
}

/** With those that it descends from: they begin with the same bytes. */
export function mark(life: Life, why: string): void {
  for (let at: Life | undefined = life; at !== undefined; at = at.origin) at.repeats = why
}

export function descends(life: Life, from: Life): boolean {
  for (let at = life.origin; at !== undefined; at = at.origin) if (at === from) return true
  return false
}

/** How many bytes a life has in common with the one that it descends from. */
export function inheritedFrom(life: Life, from: Life): number {
  let bytes = Infinity
  for (let at: Life | undefined = life; at !== undefined && at !== from; at = at.origin) {
    bytes = Math.min(bytes, at.inherited)
  }
  return bytes
}
