import { limits } from '../base/limits.ts'
import type { Generation } from './generation.ts'
import { isIntact, readBriefly, readInto } from './identity.ts'
import { leaveAnchor, nameLines, noteAnchor, useAnchor, wantsName, widen } from './naming.ts'
import type { Parts } from './parts.ts'

/** Finds the names of contents in their first bytes, and lets a line that may count wait for the next one. */
export class Identifying {
  readonly #p: Parts
  #hurried = false
  /** The first bytes of the one that gets a name. */
  readonly #head = Buffer.allocUnsafeSlow(limits.headBytesMax)
  /** When the next line has waited for long enough, as far as is known. */
  dueMs = Infinity

  constructor(parts: Parts) {
    this.#p = parts
  }

  /** Finds the names that begin the ids of a generation; false while there is none for the line at its offset. */
  identify(generation: Generation): boolean {
    if (wantsName(generation) && generation.packing === undefined) {
      const head = readInto(this.#p.disk, generation.descriptor, this.#head, 0)
      // The bytes of another content must not name this one: so it is compared after they were read.
      if (isIntact(this.#p.disk, generation)) this.#name(generation, head)
    }
    return generation.naming() !== undefined
  }

  /** Bytes of it were put into a batch: the more of its beginning is known, the fewer contents are taken for it. */
  consumed(generation: Generation): void {
    useAnchor(this.#p.names, generation)
    const { fingerprint, packing, descriptor } = generation
    const known = Math.min(generation.offset, limits.headBytesMax)
    if (fingerprint === undefined || fingerprint.bytes >= known || packing !== undefined) return
    widen(generation, readBriefly(this.#p.disk, descriptor, known, 0), known)
  }

  /** A line that waits has waited for long enough. */
  poll(generation: Generation, nowMs: number): void {
    const { countsUntilMs = Infinity, stage } = generation
    // Of a file that was rotated away no further line is waited for: its successor waits.
    if (countsUntilMs <= nowMs || (countsUntilMs < Infinity && stage !== 'live')) this.#countNoMore(generation)
  }

  /** Nothing waits for what may come: Remora stops. */
  hurry(): void {
    this.#hurried = true
    for (const generation of this.#p.family.generations) {
      if (generation.countsUntilMs !== undefined) this.#countNoMore(generation)
      if (generation.searchedTo <= generation.offset) continue
      // Written anew in the same tick, to the same size: nobody looks later.
      generation.searchAgain()
      if (generation.readable) this.#p.readable(generation)
    }
  }

  #name(generation: Generation, head: Uint8Array): void {
    const patient = !this.#hurried && !generation.impatient && generation.stage === 'live'
    const options = { ended: this.#p.hasEnded(generation), patient }
    const waits = nameLines(this.#p.names, generation, head, options, (other) => this.#noteAgain(other))
    generation.impatient = false
    // Emptied while it waits, it is reported.
    if (waits) generation.provenBytes = Math.max(generation.provenBytes, head.length)
    if (!waits) generation.countsUntilMs = undefined
    else generation.countsUntilMs ??= this.#p.clock.monotonicMs() + limits.countPatienceMs
    this.dueMs = Math.min(this.dueMs, generation.countsUntilMs ?? Infinity)
  }

  /** A content that nobody has read yet may be another one by now than the one that was noted. */
  #noteAgain(other: Generation): void {
    if (other.anchor !== undefined || other.descriptor === -1 || other.packing !== undefined) return
    leaveAnchor(this.#p.names, other)
    noteAnchor(this.#p.names, other, readBriefly(this.#p.disk, other.descriptor, limits.headBytesMax, 0))
  }

  /** The line that waits for the next one is shipped as it is. */
  #countNoMore(generation: Generation): void {
    generation.countsUntilMs = undefined
    generation.impatient = true
    generation.searchAgain()
    this.#p.readable(generation)
  }
}
