import { limits } from '../base/limits.ts'
import type { SavedGeneration, State } from '../base/state.ts'

/**
 * What a state must look like before anything is done with it. A checksum says that it is what was written, not that
 * what was written made sense, nor that no one has edited it.
 */
type Check = (value: unknown) => boolean

const natural: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const boolean: Check = (value) => typeof value === 'boolean'
/** Fits 64 bits, signed or not: what `BigInt` takes and the kernel can give. */
const decimal: Check = (value) => typeof value === 'string' && /^\d{1,20}$/.test(value)
/** An id, a hash. */
const word: Check = (value) => typeof value === 'string' && /^[\w-]{1,128}$/.test(value)
const path: Check = (value) => typeof value === 'string' && /^\/[^\0]*$/u.test(value) && value.length <= limits.pathMax
const base64: Check = (value) => typeof value === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value)
const index: Check = (value) => typeof value === 'string' && value.length >= 1 && value.length <= 255
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value)
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shape(checks: Readonly<Record<string, Check>>): Check {
  return (value) => isRecord(value) && wrongIn(value, checks) === undefined
}

function wrongIn(value: Record<string, unknown>, checks: Readonly<Record<string, Check>>): string | undefined {
  return Object.keys(checks).find((name) => !(Object.hasOwn(value, name) && checks[name]!(value[name])))
}

const markShape = shape({ offset: natural, hash: word })

const generationChecks: Readonly<Record<keyof SavedGeneration, Check>> = {
  id: orNull(word),
  path,
  currentPath: orNull(path),
  epoch: natural,
  inode: decimal,
  birthNs: decimal,
  fingerprint: orNull(shape({ hash: word, bytes: natural })),
  offset: natural,
  skipping: boolean,
  // Of no bytes at all it may be empty.
  guardHash: (value) => value === '' || word(value),
  marks: (value) => Array.isArray(value) && value.length <= limits.marksMax && value.every((mark) => markShape(mark)),
  sizeBytes: natural,
  finished: boolean,
  anchor: orNull(shape({ offset: natural, id: word })),
  bannerTo: natural,
  packing: oneOf(null, 'gzip', 'zstd'),
  seenMs: (value) => natural(value) && (value as number) <= limits.wallMsMax,
}

/** Plain text that begins ids and stands in a file of its own. */
export const isInstance: Check = (value) => typeof value === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(value)

const stateChecks: Readonly<Record<Exclude<keyof State, 'generations'>, Check>> = {
  instance: isInstance,
  incarnation: isInstance,
  sinceMs: natural,
  names: base64,
  indices: orNull(
    (value) => Array.isArray(value) && value.length <= limits.stateIndicesMax && value.every((name) => index(name)),
  ),
}

/** The incarnation of a state that has none, or whose names are not known: it gets one at the start that reads it. */
export const unnamed = 'none'

/** What takes the place of a part that makes no sense, where something can. */
const fallbacks: Readonly<Record<string, Partial<State>>> = {
  incarnation: { incarnation: unnamed },
  sinceMs: { sinceMs: 0 },
  names: { names: '', incarnation: unnamed },
  indices: { indices: null },
}

/** What may be used of a state: a broken part does not take the others with it. */
export interface Checked {
  readonly state: State
  /** What was left out, one sentence each: `generation 7: its offset is missing or wrong`. */
  readonly dropped: readonly string[]
}

/** @throws Error that says what is wrong, when nothing can take its place */
export function checkState(value: unknown): Checked {
  if (!isRecord(value)) throw new Error('the state is no object')
  const dropped: string[] = []
  let mended: Partial<State> = {}
  for (const name of Object.keys(stateChecks)) {
    if (wrongIn(value, { [name]: stateChecks[name as keyof typeof stateChecks] }) === undefined) continue
    if (fallbacks[name] === undefined) throw new Error(`its ${name} is missing or wrong`)
    dropped.push(`its ${name} is missing or wrong`)
    mended = { ...mended, ...fallbacks[name] }
  }
  const { generations } = value
  if (!Array.isArray(generations)) throw new Error('its generations are missing or wrong')
  if (generations.length > limits.stateGenerationsMax)
    throw new Error(`it has ${generations.length} generations, more than ${limits.stateGenerationsMax}`)
  const kept = (generations as unknown[]).filter((entry, at) => {
    const why = wrongOf(entry)
    if (why !== undefined) dropped.push(`generation ${at + 1}: ${why}`)
    return why === undefined
  })
  const state = { ...(value as unknown as State), ...mended }
  const seen = (kept as SavedGeneration[]).map((entry) => withTime(entry, state.sinceMs))
  return { state: { ...state, generations: seen }, dropped }
}

/**
 * States of before do not say when a generation was first seen: not before its birth and not before the first start. The same at
 * each start, for a line sent again must go to the same index. Where neither is known, the next start says.
 */
function withTime(entry: SavedGeneration, sinceMs: number): SavedGeneration {
  if (entry.seenMs !== undefined) return entry
  const seenMs = Math.min(Math.max(Number(BigInt(entry.birthNs) / 1_000_000n), sinceMs), limits.wallMsMax)
  return seenMs === 0 ? entry : { ...entry, seenMs }
}

function wrongOf(entry: unknown): string | undefined {
  if (!isRecord(entry)) return 'it is no object'
  const { seenMs, ...required } = generationChecks
  const checks = entry['seenMs'] === undefined ? required : { ...required, seenMs }
  const wrong = wrongIn(entry, checks)
  return wrong && `its ${wrong} is missing or wrong`
}
