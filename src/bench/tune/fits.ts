import { RemoraError } from '../../base/errors.ts'
import { memoryLimit, type MemoryLimit } from '../../base/memory.ts'
import { limitFor, planFor } from '../../commands/plan.ts'
import { loadSettings, type Loaded } from '../../config/load.ts'
import { readSettingFile } from '../../config/read-file.ts'
import type { Limits } from '../types.ts'
import type { Effect, Values } from './types.ts'

export type Fit =
  | { readonly ok: true; readonly effect: Effect }
  | { readonly ok: false; readonly reason: string; readonly wayOut: string }

/** What the agent would make of settings: its own reading of them, and its own memory plan at the limit that it would see. */
export class Fits {
  readonly #given: Values
  readonly #url: string
  readonly #machine: MemoryLimit

  /** @param given  settings that are not tuned, and those that are as they stand  @param url  https takes memory */
  constructor(given: Values, url: string, limits: Limits, machine: MemoryLimit = memoryLimit()) {
    this.#given = given
    this.#url = url
    const { memoryBytes = Infinity } = limits
    this.#machine = memoryBytes < machine.bytes ? { bytes: memoryBytes, origin: "the container's limit" } : machine
  }

  of(values: Values): Fit {
    const { settings, problems } = this.#load(values)
    if (settings === undefined) {
      const [first] = problems
      return { ok: false, reason: `${first?.variable}: ${first?.message}`, wayOut: first?.wayOut ?? '' }
    }
    try {
      const { batchBytes, concurrency, slots } = planFor(settings, limitFor(settings, this.#machine))
      const { compression, compressionLevel, batchLingerMs: lingerMs } = settings
      const packed = compression === 'none' ? compression : `${compression} ${compressionLevel}`
      return { ok: true, effect: { batchBytes, concurrency, slots, lingerMs, compression: packed } }
    } catch (error) {
      if (!(error instanceof RemoraError)) throw error
      return { ok: false, reason: error.message, wayOut: error.wayOut }
    }
  }

  #load(values: Values): Loaded {
    const own = { REMORA_ELASTICSEARCH_URL: this.#url, REMORA_INDEX: 'remora-bench' }
    return loadSettings({ ...own, ...this.#given, ...values }, readSettingFile)
  }
}
