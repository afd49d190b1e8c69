import { limits } from '../base/limits.ts'
import type { Endings } from './endings.ts'
import type { Generation } from './generation.ts'
import { isIntact } from './identity.ts'
import type { Parts } from './parts.ts'

/** Asks an open file for its size, and sees in it whether the file has grown, was deleted, or holds another content. */
export class Sizing {
  readonly #p: Parts
  readonly #endings: Endings

  constructor(parts: Parts, endings: Endings) {
    this.#p = parts
    this.#endings = endings
  }

  /** True when it grew. */
  look(generation: Generation, nowMs: number): boolean {
    this.#p.soon(generation)
    const { sizeBytes, links, modifiedMs } = this.#p.disk.sizeOf(generation.descriptor)
    generation.sized = true
    if (!generation.unsearched) generation.caughtUpAtMs = nowMs
    // Written without a byte to read: as a rule what was read already, at times another content of the same size.
    const behind = Math.max(generation.offset, generation.searchedTo)
    const silent = modifiedMs !== generation.writtenMs && sizeBytes === behind && sizeBytes > 0
    generation.writtenMs = modifiedMs
    const grown = sizeBytes > generation.sizeBytes
    const isShorter = sizeBytes < generation.sizeBytes
    const other = sizeBytes < generation.knownBytes || ((silent || isShorter) && !isIntact(this.#p.disk, generation))
    // An archive is read as it is unpacked: it grows, whatever it was found to hold before.
    const isArchive = generation.packing !== undefined
    // What nobody could read has no name, and may be in a copy. Half a first line, without more, is nobody's loss.
    const isUnread = generation.fingerprint === undefined && (generation.failed || generation.readable)
    const shrunk = (other || (isShorter && isUnread)) && !isArchive
    if (sizeBytes < generation.searchedTo || silent) generation.searchAgain()
    if (links === 0 && generation.stage !== 'deleted' && generation.stage !== 'replaced') {
      generation.stage = 'deleted'
      generation.place(undefined)
      this.#p.happened({ kind: 'deleted', generation })
    }
    if (!shrunk && isShorter && generation.fingerprint !== undefined && !isArchive)
      this.#endings.lost(generation, sizeBytes, generation.sizeBytes, 'it was cut shorter, behind what was read')
    if (!shrunk) generation.sizeBytes = sizeBytes
    if (grown || shrunk) {
      generation.changedAtMs = nowMs
      generation.finished = false
      generation.pollIntervalMs = limits.pollIntervalMinMs
    } else {
      generation.pollIntervalMs = Math.min(generation.pollIntervalMs * 2, limits.pollIntervalMaxMs)
    }
    if (shrunk)
      this.#endings.replaced(
        generation,
        sizeBytes < generation.knownBytes
          ? 'it is shorter than what was read'
          : 'it did not grow, and the bytes before the offset are others',
      )
    else if (generation.readable) this.#p.readable(generation)
    return grown || shrunk
  }
}
