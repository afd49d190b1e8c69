import { createHash } from 'node:crypto'
import { limits } from '../base/limits.ts'
import type { SavedGeneration, State } from '../base/state.ts'
import { checkState, unnamed, type Checked } from './state-shape.ts'

export const stateVersion = 2

/** A state as it was read. */
export interface Read extends Checked {
  /** Of the text; the state itself is always of the newest. */
  readonly version: number
  /** The process that wrote it; empty: older versions do not say. */
  readonly writer: string
}

/** Written by a Remora that is newer than this one. */
export class FutureState extends Error {}

/** Over the writer and the body: neither is put together with the other, for the body may be large. */
function checksumOf(signer: string, body: string): string {
  return createHash('sha256').update(signer).update(body).digest('base64url')
}

/** A state whose generations are made one by one as they are written. */
export interface Unwritten extends Omit<State, 'generations'> {
  readonly generations: Iterable<SavedGeneration>
}

/** More than can be read again. */
export class StateTooLarge extends Error {}

/** A piece of the text: what is smaller is put together with the next. */
const pieceBytes = 256 * 1024

/**
 * One header line, one line of JSON: `{"remora":"checkpoint","version":2,"writer":"…","sha256":"…"}`.
 *
 * In pieces outside of V8's heap, and without all generations as objects at once: 10,000 of them are 6 MB of text.
 *
 * @param writer  a word that no other process has: tells who has written last
 * @throws StateTooLarge when it would be too large to be read again
 */
export function piecesOf({ generations, ...head }: Unwritten, writer = ''): Buffer[] {
  const hash = createHash('sha256').update(`${writer}\n`)
  const pieces: Buffer[] = []
  let [bytes, count] = [0, 0]
  let text = `${JSON.stringify(head).slice(0, -1)},"generations":[`
  const cut = () => {
    const piece = Buffer.from(text)
    hash.update(piece)
    pieces.push(piece)
    bytes += piece.length
    text = ''
  }
  for (const generation of generations) {
    text += (count++ === 0 ? '' : ',') + JSON.stringify(generation)
    if (text.length >= pieceBytes) cut()
  }
  text += ']}'
  cut()
  const sha256 = hash.digest('base64url')
  const header = Buffer.from(`${JSON.stringify({ remora: 'checkpoint', version: stateVersion, writer, sha256 })}\n`)
  bytes += header.length + 1
  if (bytes > limits.stateBytesMax || count > limits.stateGenerationsMax)
    throw new StateTooLarge(`the state has ${count} generations and ${bytes} bytes, more than can be read again`)
  const all = [header, ...pieces, Buffer.from('\n')]
  return bytes <= pieceBytes ? [Buffer.concat(all)] : all
}

/** The same as one text, for what is small. */
export function serialize(state: Unwritten, writer = ''): string {
  return Buffer.concat(piecesOf(state, writer)).toString()
}

/** What each version is made into the next with. */
const migrations: ReadonlyMap<number, (value: unknown) => unknown> = new Map([[1, fromVersion1]])

/** @throws Error that says what is wrong with the text */
export function deserialize(text: string): Read {
  const headEnd = text.indexOf('\n')
  const { version, writer, sha256 } = headerOf(headEnd === -1 ? text : text.slice(0, headEnd))
  const isWhole = headEnd !== -1 && text.length > headEnd + 1 && text.indexOf('\n', headEnd + 1) === text.length - 1
  // Views of the text, not copies of it.
  const body = text.slice(headEnd + 1, -1)
  if (!isWhole || checksumOf(version === 1 ? '' : `${writer}\n`, body) !== sha256)
    throw new Error('its checksum is wrong: it was cut or changed')
  let value = parse(body, 'the state')
  for (let at = version; at < stateVersion; at++) value = migrations.get(at)!(value)
  return { ...checkState(value), version, writer }
}

function headerOf(head: string): { version: number; writer: string; sha256: unknown } {
  const header = parse(head, 'the header') as Partial<
    Record<'remora' | 'version' | 'writer' | 'sha256', unknown>
  > | null
  if (header?.remora !== 'checkpoint') throw new Error('it is not a checkpoint of Remora')
  const { version, writer, sha256 } = header
  if (typeof version === 'number' && version > stateVersion)
    throw new FutureState(`a newer Remora has written it: it has version ${version}, this one knows ${stateVersion}`)
  if (version !== stateVersion && !(typeof version === 'number' && migrations.has(version)))
    throw new Error(`it has version ${String(version)}, this Remora knows 1 to ${stateVersion}`)
  return { version, writer: typeof writer === 'string' ? writer : '', sha256 }
}

/** Who has written the text that begins so; empty: it cannot be told. */
export function writerOf(text: string): string {
  try {
    return headerOf(text.slice(0, text.indexOf('\n'))).writer
  } catch {
    return ''
  }
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(text === '' ? `${what} is empty` : `${what} is not JSON`)
  }
}

/** Version 1 had no names, indices, anchors and archives. Its incarnation is made at the start that reads it. */
function fromVersion1(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { generations } = value as { generations?: unknown }
  return {
    ...value,
    incarnation: unnamed,
    names: '',
    indices: null,
    generations: Array.isArray(generations)
      ? (generations as unknown[]).map((entry) =>
          typeof entry === 'object' && entry !== null
            ? {
                ...(entry as SavedGeneration),
                anchor: anchorOf(entry as SavedGeneration),
                bannerTo: 0,
                packing: null,
                marks: [],
              }
            : entry,
        )
      : generations,
  }
}

/** One name was for all lines of a generation, and stays that: some may have been sent under it and not answered. */
function anchorOf({ id }: SavedGeneration): SavedGeneration['anchor'] {
  return typeof id === 'string' ? { offset: 0, id } : null
}
