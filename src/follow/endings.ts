import { isSystemError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Generation } from './generation.ts'
import { isIntact } from './identity.ts'
import { leaveAnchor } from './naming.ts'
import type { Parts } from './parts.ts'
import type { Rest } from './rest.ts'
import { broken } from './seen.ts'

/** How a generation ends: replaced in its inode, read to its end, gone for good; and what is said of what was not read. */
export class Endings {
  readonly #p: Parts
  readonly #rest: Rest

  constructor(parts: Parts, rest: Rest) {
    this.#p = parts
    this.#rest = rest
  }

  /** The content of an open file is another one: its generation has ended, and a new one begins in the same inode. */
  replaced(generation: Generation, why: string): void {
    if (generation.packing !== undefined) {
      // Another archive has its place, and is read through as one.
      this.#p.descriptors.release(generation)
      this.#p.archives.forget(generation.key)
      this.#p.family.disown(generation)
      return this.end(generation, why)
    }
    const { currentPath } = generation
    generation.isEmptied = true
    const successor = this.#p.family.makeAfter(generation)
    // Written over in place under a rotated name, as by `cp` each time: maybe a copy of what is known, the next look tells.
    successor.isSuspect = currentPath !== undefined && this.#p.namesBefore(currentPath).length > 0
    if (successor.isSuspect) this.#p.elders.holdBack(successor)
    this.#p.family.pass(generation, successor)
    this.#p.descriptors.pass(generation, successor)
    this.end(generation, why)
    this.#p.look(successor)
  }

  /** A content is gone from its inode: what was not read of it may be in a copy. */
  end(generation: Generation, why: string): void {
    leaveAnchor(this.#p.names, generation)
    generation.countsUntilMs = undefined
    generation.stage = 'replaced'
    // What the last look saw may have been the size of the other content.
    if (generation.fingerprint !== undefined) generation.sizeBytes = Math.max(generation.offset, generation.provenBytes)
    generation.goneWhy = `${why}, and no copy with the rest was found`
    this.#p.happened({ kind: 'replaced', generation, why })
    this.#rest.want(generation, 'copy')
  }

  /** The inode is gone. Is there a copy or an archive, the content goes on in that. */
  vanish(generation: Generation, why: string, isUrgent = true): void {
    generation.goneWhy = why
    if (generation.copies.size === 0 && generation.fingerprint === undefined) return this.gone(generation)
    this.#p.descriptors.release(generation)
    this.#p.family.disown(generation)
    if (generation.copies.size > 0) return this.end(generation, why)
    generation.stage = 'replaced'
    this.#rest.want(generation, 'archive', isUrgent)
  }

  /** Everything of a generation that has ended was read: no more is expected. */
  finish(generation: Generation): void {
    if (generation.finished) return
    if (generation.stage !== 'replaced' && !this.verify(generation)) return
    generation.finished = true
    const { offset, provenBytes } = generation
    if (provenBytes > offset)
      this.lost(generation, offset, provenBytes, 'they were written between copy and truncation')
    const failure = generation.descriptor === -1 ? undefined : this.#p.disk.failureOf(generation.descriptor)
    if (failure !== undefined) this.#p.happened(broken(generation.currentPath ?? generation.path, failure))
    this.#p.happened({ kind: 'finished', generation })
    // The decoder's memory is another one's.
    if (generation.packing !== undefined) {
      this.#p.descriptors.release(generation)
      this.#p.archives.turn()
    }
    this.retire(generation, this.#p.clock.monotonicMs())
  }

  /**
   * Compares for the last time: a write in the same tick as the last look, that left the size as it was, has shown nowhere.
   *
   * @returns whether the content is still the one that was read
   */
  verify(generation: Generation): boolean {
    if (generation.descriptor === -1 || isIntact(this.#p.disk, generation)) return true
    this.replaced(generation, 'it has ended, and the bytes before the offset are others')
    return false
  }

  /** Whether the last line needs no newline any more. */
  hasEnded(generation: Generation): boolean {
    if (generation.packing !== undefined) {
      const { descriptor } = generation
      return descriptor !== -1 && this.#p.disk.isWhole(descriptor) && !this.isInterrupted(descriptor)
    }
    if (generation.stage === 'live') return false
    if (generation.stage === 'replaced') return true
    return this.#p.clock.monotonicMs() - generation.changedAtMs >= limits.endedQuietMs
  }

  /** The disk has failed in the middle of an archive, which says nothing of the archive. */
  isInterrupted(descriptor: number): boolean {
    return isSystemError(this.#p.disk.failureOf(descriptor))
  }

  /** Closes and forgets what has ended, once everything of it has its verdict. */
  retire(generation: Generation, nowMs: number): void {
    if (generation.unreadBytes > 0 && !generation.finished) return
    if (generation.stage === 'live' || !this.#p.settled(generation)) return
    const quietMs = nowMs - generation.changedAtMs
    if (generation.stage === 'deleted' || generation.currentPath === undefined) {
      // Moved to where nobody looks, it may be written for long; deleted, it takes up space that nobody sees.
      if (quietMs < (generation.stage === 'deleted' ? limits.deletedHoldMs : limits.unseenHoldMs)) return
      this.#p.descriptors.release(generation)
      this.vanish(generation, 'it was deleted')
    } else if (generation.finished) {
      this.#p.descriptors.release(generation)
    }
  }

  gone(generation: Generation): void {
    generation.wanted = undefined
    const bytes = generation.unreadBytes
    this.#p.descriptors.release(generation)
    this.forget(generation)
    if (bytes === 0 || generation.finished) return
    this.#p.happened({ kind: 'gap', generation, bytes, why: generation.goneWhy })
  }

  /** Bytes `[from, to)` that were there are gone, and the generation goes on. */
  lost(generation: Generation, from: number, to: number, why: string): void {
    generation.provenBytes = from
    this.#p.happened({ kind: 'gap', generation, bytes: to - from, why })
  }

  forget(generation: Generation): void {
    this.#p.family.forget(generation)
    this.#p.copies.forgetOf(generation)
    if (generation.anchorHash !== undefined)
      this.#p.names.forget(generation, generation.basePath, generation.anchorHash)
  }
}
