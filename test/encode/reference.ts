/** What the kernel does, said in plain TypeScript: slow, without a single byte trick, and written from the format. */
import type { Place } from '../../src/base/charset.ts'
import type { Encoded } from '../../src/encode/kernel.ts'
import { xxh64 } from './xxh64.ts'

/** What stands around a message. */
export interface Around {
  /** ISO 8601. */
  readonly timestamp: string
  readonly path: string
  /** Undefined: documents without an `_id`. */
  readonly generationId: string | undefined
  /** Static fields, nested. */
  readonly fields: Readonly<Record<string, unknown>>
}

export interface Turn {
  readonly input: Buffer
  /** Of the input's first byte in its generation. */
  readonly offset: number
  readonly roomBytes: number
  readonly documentsMax: number
  readonly final: boolean
  readonly place: Place
}

export interface Line {
  /** Where it begins in the input. */
  readonly at: number
  /** Its bytes without the line's end, not more than `lineBytesMax`. */
  readonly bytes: Buffer
  readonly cut: boolean
  /** Where reading goes on, and whether that is still inside this line. */
  readonly next: number
  readonly skipping: boolean
}

/** As a browser decodes: https://encoding.spec.whatwg.org/#utf-8-decoder. A byte order mark is text like any other. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
export const decode = (bytes: Uint8Array): string => decoder.decode(bytes)

/** A cut that makes no difference to what is decoded on both sides of it does not go through a character. */
function goesBetweenCharacters(bytes: Buffer, at: number): boolean {
  return decode(bytes.subarray(0, at)) + decode(bytes.subarray(at)) === decode(bytes)
}

function cutLength(bytes: Buffer, lineBytesMax: number): number {
  // A character has four bytes at most, so one of these four is between two; a limit below that cuts all the same.
  for (let at = lineBytesMax; at > Math.max(0, lineBytesMax - 4); at--) if (goesBetweenCharacters(bytes, at)) return at
  return lineBytesMax
}

/** The line that begins at `at`, or undefined while there may be more of it to come. */
export function lineAt(input: Buffer, at: number, lineBytesMax: number, final: boolean): Line | undefined {
  const newline = input.indexOf('\n', at)
  const whole = newline !== -1 && newline - at < lineBytesMax + 2
  const longest = Math.min(input.length, at + lineBytesMax + 2)
  if (!whole && longest - at < lineBytesMax + 2 && !final) return undefined

  let bytes = input.subarray(at, whole ? newline : longest)
  if (whole && bytes.at(-1) === 0x0d) bytes = bytes.subarray(0, -1)
  const cut = bytes.length > lineBytesMax
  return {
    at,
    bytes: cut ? bytes.subarray(0, cutLength(bytes, lineBytesMax)) : bytes,
    cut,
    next: whole ? newline + 1 : longest,
    skipping: cut && !whole,
  }
}

function base64url48(value: bigint): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt.asUintN(48, value))
  return bytes.subarray(2).toString('base64url')
}

/** Action line and source line of one document. */
export function documentOf(line: Line, offset: number, around: Around): string {
  const { generationId } = around
  const id =
    generationId === undefined
      ? undefined
      : generationId + base64url48(BigInt(offset + line.at)) + base64url48(xxh64(line.bytes))
  const action = { create: id === undefined ? {} : { _id: id } }
  const source = {
    '@timestamp': around.timestamp,
    message: decode(line.bytes),
    ...around.fields,
    log: { file: { path: around.path }, offset: offset + line.at, ...(line.cut && { flags: ['truncated'] }) },
  }
  return `${JSON.stringify(action)}\n${JSON.stringify(source)}\n`
}

/** What the kernel must have free before it begins a document: message, template, and 64 bytes for all the rest. */
function neededBytes(line: Line, around: Around): number {
  const message = JSON.stringify(decode(line.bytes)).slice(1, -1)
  const empty = documentOf({ ...line, at: 0, bytes: Buffer.alloc(0), cut: false }, 0, around)
  return Buffer.byteLength(message) + Buffer.byteLength(empty) - '0}}\n'.length + 64
}

/** How many of them make a hole, at a line's start. */
export const holeBytes = 512

export function nuls(bytes: Buffer, at: number): number {
  let end = at
  while (bytes[end] === 0) end++
  return end - at
}

/** One call of the kernel. */
export function encode(turn: Turn, lineBytesMax: number, around: Around): Encoded & { readonly text: string } {
  const { input, offset, final } = turn
  let skipping = turn.place === 'cut'
  let at = turn.place === 'hole' ? nuls(input, 0) : 0
  let skippedBytes = at
  let searchedBytes = 0
  let stop: Encoded['stop'] = 'input'
  let room = turn.roomBytes
  let cutLines = 0
  const texts: string[] = []
  while (at < input.length) {
    if (skipping) {
      const newline = input.indexOf('\n', at)
      at = newline === -1 ? input.length : newline + 1
      skipping = newline === -1
      continue
    }
    const zeros = nuls(input, at)
    if (zeros >= holeBytes) {
      skippedBytes += zeros
      at += zeros
      continue
    }
    if (zeros > 0 && at + zeros === input.length && !final) {
      searchedBytes = input.length
      break
    }
    if (texts.length === turn.documentsMax) {
      stop = 'documents'
      break
    }
    const line = lineAt(input, at, lineBytesMax, final)
    if (line === undefined) {
      searchedBytes = input.length
      break
    }
    if (neededBytes(line, around) > room) {
      stop = 'output'
      break
    }
    const text = documentOf(line, offset, around)
    texts.push(text)
    room -= Buffer.byteLength(text)
    if (line.cut) cutLines++
    at = line.next
    skipping = line.skipping
  }
  return {
    text: texts.join(''),
    documents: texts.length,
    consumedBytes: at,
    cutLines,
    stop,
    skipping,
    searchedBytes: Math.max(searchedBytes, at),
    skippedBytes,
    outputBytes: turn.roomBytes - room,
  }
}
