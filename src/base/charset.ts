/** How a content writes its text. `utf-8` is the raw lane: whatever ends its lines with a byte 10. */
export type Charset = 'utf-8' | 'utf-16le' | 'utf-16be'

/** Where reading stands: at a line's start, inside a line that was cut, or in a hole, of which all NUL bytes are passed. */
export const places = ['line', 'cut', 'hole'] as const
export type Place = (typeof places)[number]

/** The text's charset, and how long the byte order mark is that says so, bytes: it is no part of the first line. */
export interface Encoding {
  readonly charset: Charset
  readonly markBytes: number
}

/** Source: Unicode 16, section 23.8, "Byte Order Mark". */
const encodings: readonly (readonly [string, Encoding])[] = [
  ['efbbbf', { charset: 'utf-8', markBytes: 3 }],
  ['fffe', { charset: 'utf-16le', markBytes: 2 }],
  ['feff', { charset: 'utf-16be', markBytes: 2 }],
]
const plain: Encoding = { charset: 'utf-8', markBytes: 0 }

/** So many first bytes of a content tell. */
const markBytesMax = 3

/**
 * Only a byte order mark tells: guessing would one day write a line differently than it was written before.
 *
 * @param head  the first bytes of the content, `markBytesMax` or all there are
 */
export function encodingOf(head: Uint8Array): Encoding {
  const hex = Buffer.from(head.subarray(0, markBytesMax)).toString('hex')
  const found = encodings.find(([mark]) => hex.startsWith(mark))
  return found?.[1] ?? plain
}

/** The lowest byte of a newline in UTF-16 stands at an even place of the file in one byte order, at an odd one in the other. */
const newline = 10

/**
 * Whether bytes of a file hold a newline.
 *
 * @param bytes     from `from` on; those before are known to hold none, but may hold the first half of one
 * @param position  of `bytes` in the file
 */
export function holdsNewline(bytes: Uint8Array, from: number, position: number, charset: Charset): boolean {
  if (charset === 'utf-8') return bytes.includes(newline, from)
  const low = charset === 'utf-16le' ? 0 : 1
  for (let at = bytes.indexOf(newline, Math.max(0, from - 1)); at !== -1; at = bytes.indexOf(newline, at + 1)) {
    if ((position + at) % 2 === low && bytes[at + 1 - 2 * low] === 0) return true
  }
  return false
}

/** Whether text ends here with a newline. @param bytes  the last ones before a place in the file */
export function endsLine(bytes: Uint8Array, charset: Charset): boolean {
  if (charset === 'utf-8') return bytes.at(-1) === newline
  const [high, low] = charset === 'utf-16le' ? [-1, -2] : [-2, -1]
  return bytes.at(high) === 0 && bytes.at(low) === newline
}

/** A hole's bytes stand before a place: a line's start has a newline before it, or as in a file's beginning nothing. */
export function standsInHole(bytes: Uint8Array): boolean {
  return bytes.at(-1) === 0 && bytes.every((byte) => byte === 0)
}
