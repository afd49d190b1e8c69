import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'

export interface DeadLetter {
  readonly status: number
  readonly errorType: string
  /** As the server says it, bounded; undefined: it was not asked. */
  readonly reason: string | undefined
  readonly target: string
  /** The action line and the source line as they were sent: enough to send them again. */
  readonly action: string
  readonly source: string
}

/**
 * Documents that Elasticsearch will never take, one JSON object a line, in two files of half the bound each: the older
 * is written over. Not flushed one by one: a thousand refused documents would hold the loop for seconds. `{"at":"…","status":400,"type":"…","target":"…","action":"…","source":"…"}`
 */
export class DeadLetters {
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #directory: string
  readonly #path: string
  readonly #older: string
  readonly #bytesMax: number
  #bytes: number | undefined

  constructor(disk: Disk, clock: Clock, directory: string, bytesMax: number) {
    this.#disk = disk
    this.#clock = clock
    this.#directory = directory
    this.#path = `${directory}/dead-letters.ndjson`
    this.#older = `${directory}/dead-letters.older.ndjson`
    this.#bytesMax = bytesMax
  }

  get path(): string {
    return this.#path
  }

  /** @returns why it could not be kept, or undefined when it is on disk */
  keep(letter: DeadLetter): string | undefined {
    const line = `${JSON.stringify({
      at: new Date(this.#clock.nowMs()).toISOString(),
      status: letter.status,
      type: letter.errorType,
      reason: letter.reason,
      target: letter.target,
      action: letter.action,
      source: letter.source,
    })}\n`
    const bytes = Buffer.byteLength(line)
    if (bytes > this.#bytesMax / 2) return 'it is larger than half of REMORA_DEAD_LETTER_BYTES'
    try {
      this.#append(line, bytes)
      return undefined
    } catch (error) {
      this.#bytes = undefined
      if (codeOf(error) !== 'ENOENT') return messageOf(error)
    }
    // Somebody has deleted the file, or the directory with it.
    try {
      this.#disk.makeDirectory(this.#directory)
      this.#append(line, bytes)
      return undefined
    } catch (error) {
      this.#bytes = undefined
      return messageOf(error)
    }
  }

  #append(line: string, bytes: number): void {
    let torn = false
    if (this.#bytes === undefined) {
      this.#bytes = this.#disk.look(this.#path)?.sizeBytes ?? 0
      torn = this.#bytes > 0
    }
    if (this.#bytes + bytes + 1 > this.#bytesMax / 2) {
      if (this.#bytes > 0) this.#disk.rename(this.#path, this.#older)
      this.#bytes = 0
      torn = false
    }
    // What a crash or a full disk may have left of a letter ends here: an empty line at worst.
    this.#disk.append(this.#path, torn ? `\n${line}` : line)
    this.#bytes += torn ? bytes + 1 : bytes
  }
}
