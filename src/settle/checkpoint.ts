import { createHash } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { SavedGeneration } from '../base/state.ts'

/** Everything that outlives the process. */
export interface State {
  /** Outside Kubernetes the name of this installation, made once: begins the ids where no Pod UID is known. */
  readonly instance: string
  /** Wall clock of the first start, epoch milliseconds. */
  readonly sinceMs: number
  readonly generations: readonly SavedGeneration[]
}

export type Loaded =
  | { readonly kind: 'loaded'; readonly state: State; readonly from: string; readonly setAside?: string }
  | { readonly kind: 'fresh'; readonly setAside?: string; readonly why?: string }

const version = 1

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** One header line, one line of JSON: `{"remora":"checkpoint","version":1,"sha256":"…"}`. */
export function serialize(state: State): string {
  const body = JSON.stringify(state)
  return `${JSON.stringify({ remora: 'checkpoint', version, sha256: checksumOf(body) })}\n${body}\n`
}

/** @throws Error that says what is wrong with the text */
export function deserialize(text: string): State {
  const [head = '', body = '', ...rest] = text.split('\n')
  const header = parse(head, 'the header') as { remora?: unknown; version?: unknown; sha256?: unknown } | null
  if (header?.remora !== 'checkpoint') throw new Error('it is not a checkpoint of Remora')
  if (header.version !== version)
    throw new Error(`it has version ${String(header.version)}, this Remora knows ${version}`)
  if (rest.length !== 1 || rest[0] !== '' || checksumOf(body) !== header.sha256)
    throw new Error('its checksum is wrong: it was cut or changed')
  return parse(body, 'the state') as State
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(text === '' ? `${what} is empty` : `${what} is not JSON`)
  }
}

/** The checkpoint on disk: written at most once a second and at stop; a disk that is full does not stop shipping. */
export class Checkpoint {
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #path: string
  readonly #previous: string
  readonly #failed: (message: string) => void
  readonly #recovered: () => void
  #writing: Promise<boolean> | undefined
  #failing = false
  writtenAtMs: number | undefined
  failures = 0

  constructor(disk: Disk, clock: Clock, directory: string, failed: (message: string) => void, recovered: () => void) {
    this.#disk = disk
    this.#clock = clock
    this.#path = `${directory}/checkpoint.json`
    this.#previous = `${directory}/checkpoint.previous.json`
    this.#failed = failed
    this.#recovered = recovered
  }

  /** The newest readable state. What cannot be read is set aside, never written over. */
  load(): Loaded {
    let setAside: string | undefined
    let why: string | undefined
    for (const path of [this.#path, this.#previous]) {
      try {
        const state = deserialize(this.#disk.readText(path))
        return { kind: 'loaded', state, from: path, ...(setAside !== undefined && { setAside }) }
      } catch (error) {
        if (codeOf(error) === 'ENOENT') continue
        why ??= `${path}: ${messageOf(error)}`
        const aside = this.#setAside(path)
        setAside ??= aside
      }
    }
    return { kind: 'fresh', ...(setAside !== undefined && { setAside }), ...(why !== undefined && { why }) }
  }

  #setAside(path: string): string {
    const aside = `${path}.unreadable-${this.#clock.nowMs()}`
    try {
      this.#disk.rename(path, aside)
      return aside
    } catch {
      return path
    }
  }

  /** Writes and flushes; false: it failed, was reported, and the one before is still there. One write at a time. */
  async write(state: State): Promise<boolean> {
    while (this.#writing !== undefined) await this.#writing
    this.#writing = this.#write(state)
    try {
      return await this.#writing
    } finally {
      this.#writing = undefined
    }
  }

  async #write(state: State): Promise<boolean> {
    try {
      await this.#disk.replace(this.#path, this.#previous, serialize(state))
      this.writtenAtMs = this.#clock.nowMs()
      if (this.#failing) this.#recovered()
      this.#failing = false
      return true
    } catch (error) {
      this.failures++
      if (!this.#failing) this.#failed(`${this.#path}: ${messageOf(error)}`)
      this.#failing = true
      return false
    }
  }
}

/** A state is written again after this time at the earliest; longer while the disk refuses. */
export function checkpointDelayMs(failures: number): number {
  return Math.min(limits.checkpointIntervalMs * 2 ** Math.min(failures, 5), 30_000)
}
