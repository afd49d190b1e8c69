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

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/**
 * One header line, one line of JSON: `{"remora":"checkpoint","version":2,"writer":"…","sha256":"…"}`.
 *
 * @param writer  a word that no other process has: tells who has written last
 * @throws Error when it would be too large to be read again
 */
export function serialize(state: State, writer = ''): string {
  const body = JSON.stringify(state)
  const text = `${JSON.stringify({
    remora: 'checkpoint',
    version: stateVersion,
    writer,
    sha256: checksumOf(`${writer}\n${body}`),
  })}\n${body}\n`
  const bytes = Buffer.byteLength(text)
  if (bytes > limits.stateBytesMax || state.generations.length > limits.stateGenerationsMax)
    throw new Error(
      `the state has ${state.generations.length} generations and ${bytes} bytes, more than can be read again`,
    )
  return text
}

/** What each version is made into the next with. */
const migrations: ReadonlyMap<number, (value: unknown) => unknown> = new Map([[1, fromVersion1]])

/** @throws Error that says what is wrong with the text */
export function deserialize(text: string): Read {
  const [head = '', body = '', ...rest] = text.split('\n')
  const { version, writer, sha256 } = headerOf(head)
  const signed = version === 1 ? body : `${writer}\n${body}`
  if (rest.length !== 1 || rest[0] !== '' || checksumOf(signed) !== sha256)
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
