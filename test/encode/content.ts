/** What a whole content is to become, said plainly: the documents of a file that has ended, wherever its reading was cut. */
import { holeBytes, lineAt, nuls, decode } from './reference.ts'

export interface Said {
  /** Of the line's first byte in the file. */
  readonly offset: number
  readonly message: string
  readonly truncated: boolean
}

export function linesIn(content: Buffer, lineBytesMax: number): Said[] {
  if (content.subarray(0, 2).equals(Buffer.of(0xff, 0xfe))) return wideLinesIn(content, lineBytesMax, 'utf-16le')
  if (content.subarray(0, 2).equals(Buffer.of(0xfe, 0xff))) return wideLinesIn(content, lineBytesMax, 'utf-16be')
  return narrowLinesIn(content, lineBytesMax)
}

function narrowLinesIn(content: Buffer, lineBytesMax: number): Said[] {
  const lines: Said[] = []
  const isMarked = content.subarray(0, 3).equals(Buffer.of(0xef, 0xbb, 0xbf))
  for (let at = isMarked ? 3 : nuls(content, 0); at < content.length;) {
    const zeros = nuls(content, at)
    if (zeros >= holeBytes) {
      at += zeros
      continue
    }
    const { bytes, cut, next, skipping } = lineAt(content, at, lineBytesMax, true)!
    lines.push({ offset: at, message: decode(bytes), truncated: cut })
    at = skipping ? content.indexOf('\n', next) + 1 || content.length : next
  }
  return lines
}

const isIn = (from: number, to: number, unit: number | undefined) => unit !== undefined && unit >= from && unit < to

export function wideLinesIn(content: Buffer, lineBytesMax: number, charset: 'utf-16le' | 'utf-16be'): Said[] {
  const decoder = new TextDecoder(charset, { ignoreBOM: true })
  const unitAt = (at: number) =>
    at + 1 >= content.length ? undefined : charset === 'utf-16le' ? content.readUInt16LE(at) : content.readUInt16BE(at)
  const longest = lineBytesMax - (lineBytesMax % 2)
  const lines: Said[] = []
  for (let at = 2; at < content.length;) {
    const zeros = nuls(content, at) - (nuls(content, at) % 2)
    if (zeros >= holeBytes) {
      at += zeros
      continue
    }
    let newline = at
    while (newline + 1 < content.length && unitAt(newline) !== 10) newline += 2
    const found = newline + 1 < content.length
    let end = found ? newline : content.length
    if (found && end > at && unitAt(end - 2) === 13) end -= 2
    const truncated = end - at > longest
    if (truncated) {
      end = at + longest
      if (end > at && isIn(0xd800, 0xdc00, unitAt(end - 2)) && isIn(0xdc00, 0xe000, unitAt(end))) end -= 2
    }
    lines.push({ offset: at, message: decoder.decode(content.subarray(at, end)), truncated })
    at = found ? newline + 2 : content.length
  }
  return lines
}
