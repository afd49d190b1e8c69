import { backOffMs } from '../base/backing-off.ts'
import { codeOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Steps } from '../base/steps.ts'
import type { Endings } from './endings.ts'
import type { Generation } from './generation.ts'
import { isIntact, keyOf, sameBirth } from './identity.ts'
import type { Identifying } from './identifying.ts'
import type { Parts } from './parts.ts'
import type { Rest } from './rest.ts'
import type { Sizing } from './sizing.ts'

/** When each file is asked, and what for: nothing is spent on those whose time has not come. */
export class Polling {
  readonly #p: Parts
  readonly #rest: Rest
  readonly #endings: Endings
  readonly #identifying: Identifying
  readonly #sizing: Sizing
  /** Directories in which a listing has shown growth. */
  readonly #grown = new Set<string>()
  /** Whose time may come before all are gone through again; the others cost nothing until then. */
  #soon = new Set<Generation>()
  #sweepAtMs = 0
  /** When the time of the first of the others comes. */
  #laterMs = Infinity
  /** Live files that no notification tells of, at the last time that all were gone through. */
  #polled = 0

  constructor(parts: Parts, rest: Rest, endings: Endings, identifying: Identifying, sizing: Sizing) {
    this.#p = parts
    this.#rest = rest
    this.#endings = endings
    this.#identifying = identifying
    this.#sizing = sizing
  }

  /** Its time may come soon. */
  soon(generation: Generation): void {
    this.#soon.add(generation)
  }

  /** A listing has shown that something grew in a directory. */
  grew(directory: string): void {
    this.#grown.add(directory)
  }

  /** Whose time comes when may have changed: all are gone through at the next poll. */
  sweep(): void {
    this.#sweepAtMs = 0
  }

  /**
   * Asks each file whose time has come for its size: an open one itself, another one by its name.
   *
   * @param watched     whether a hint would come from this directory: its files need no asking
   * @param everything  all of them, whether their time has come or not
   * @returns           the directories in which something grew
   */
  *poll(watched: (directory: string) => boolean, everything: boolean): Steps<Set<string>> {
    const nowMs = this.#p.clock.monotonicMs()
    this.#identifying.dueMs = Infinity
    const grown = new Set<string>(this.#grown)
    this.#grown.clear()
    const isSweep = everything || nowMs >= this.#sweepAtMs
    const asked = isSweep ? this.#p.family.generations : this.#soon
    for (const generation of asked) {
      yield
      this.#identifying.poll(generation, nowMs)
      if (this.#p.elders.isOver(generation, nowMs) && generation.readable) this.#p.readable(generation)
      if (generation.descriptor === -1) {
        if (nowMs - generation.changedAtMs >= limits.endedQuietMs && this.#rest.isGivenUp(generation)) {
          if (!this.#rest.looksForOutrun(generation)) this.#endings.gone(generation)
        } else if (this.#waitsForTurn(generation)) this.safely(generation, () => this.#takeTurn(generation))
        else if (generation.nextPollMs <= nowMs && generation.failed && isClosed(generation)) {
          generation.searchAgain()
          this.safely(generation, () => this.#takeTurn(generation))
        } else if (generation.nextPollMs <= nowMs && isAskedByName(generation) && !watched(generation.directory!)) {
          this.safely(generation, () => {
            if (this.#askByName(generation)) grown.add(generation.directory!)
          })
        }
        continue
      }
      if (generation.nextPollMs > nowMs && !everything) continue
      const { directory, failed, stage } = generation
      if (!everything && directory !== undefined && stage === 'live' && !failed && watched(directory)) {
        generation.nextPollMs = nowMs + limits.pollIntervalMaxMs
        continue
      }
      this.safely(generation, () => {
        if (this.ask(generation) && directory !== undefined) grown.add(directory)
      })
    }
    this.#p.archives.poll()
    this.#p.unopened.poll()
    if (isSweep) this.findSoon(watched)
    return grown
  }

  /** Goes through all for those whose time comes soon. */
  findSoon(watched: (directory: string) => boolean): void {
    const nowMs = this.#p.clock.monotonicMs()
    this.#sweepAtMs = nowMs + limits.sweepIntervalMs
    this.#laterMs = Infinity
    this.#polled = 0
    this.#soon = new Set()
    for (const generation of this.#p.family.generations) {
      const { directory, stage, packing, finished } = generation
      const dueMs = this.#dueMs(generation, watched)
      if (dueMs < Infinity && stage === 'live' && directory !== undefined) this.#polled++
      if (dueMs < this.#sweepAtMs || (packing !== undefined && !finished)) this.#soon.add(generation)
      else if (dueMs < this.#laterMs) this.#laterMs = dueMs
    }
  }

  /** The same for a file that is not open: it is opened again when it has changed. True when it grew. */
  #askByName(generation: Generation): boolean {
    const nowMs = this.#p.clock.monotonicMs()
    const { currentPath, directory, key, birthNs, changedAtMs } = generation
    generation.nextPollMs = nowMs + backOffMs(nowMs - changedAtMs, this.#polled, limits.pollIntervalMaxMs)
    const facts = this.#p.disk.look(currentPath!)
    if (facts === undefined || keyOf(facts) !== key || !sameBirth(birthNs, facts.birthNs)) {
      this.#p.lookAgain(directory!)
      return false
    }
    if (facts.sizeBytes === generation.sizeBytes && facts.modifiedMs === generation.modifiedMs) return false
    const before = this.#p.namesBefore(currentPath!)
    this.#p.again(generation, { path: currentPath!, facts, matched: true, before })
    return generation.changedAtMs > changedAtMs
  }

  /** An archive that is to be read, and no other one is. */
  #waitsForTurn({ packing, finished, currentPath, failed, nextPollMs }: Generation): boolean {
    if (packing === undefined || finished || currentPath === undefined) return false
    if (failed && nextPollMs > this.#p.clock.monotonicMs()) return false
    return !this.#p.descriptors.unpacking && !this.#p.archives.probing
  }

  #takeTurn(generation: Generation): void {
    generation.failed = false
    if (this.reopen(generation)) this.#sizing.look(generation, this.#p.clock.monotonicMs())
    else this.failedToRead(generation)
  }

  /** One file that the disk does not give keeps none of the others. */
  safely(generation: Generation, act: () => void): void {
    try {
      act()
    } catch (error) {
      if (codeOf(error) === '') throw error
      this.failedToRead(generation)
    }
  }

  /** True when it grew. By the time of the asking: a poll in turns may last, and what has just grown is not quiet. */
  ask(generation: Generation): boolean {
    const nowMs = this.#p.clock.monotonicMs()
    if (generation.packing !== undefined && this.#endings.isInterrupted(generation.descriptor)) {
      this.#p.descriptors.release(generation)
      this.failedToRead(generation)
      return false
    }
    const wasFailing = generation.failed
    if (wasFailing) generation.searchAgain()
    const grown = this.#sizing.look(generation, nowMs)
    if (wasFailing) generation.failed = false
    generation.nextPollMs = nowMs + this.#intervalMs(generation, nowMs)
    // Nothing is left to read: that takes no slot, of which none may be free for hours.
    if (!generation.finished && this.#endings.hasEnded(generation)) {
      if (this.#isReadWhole(generation)) this.#endings.finish(generation)
      else this.#p.readable(generation)
    }
    this.#endings.retire(generation, nowMs)
    return grown
  }

  #intervalMs({ stage, pollIntervalMs, changedAtMs }: Generation, nowMs: number): number {
    if (stage !== 'live' || pollIntervalMs < limits.pollIntervalMaxMs) return pollIntervalMs
    return backOffMs(nowMs - changedAtMs, this.#polled, pollIntervalMs)
  }

  /** When `poll` has something to do next, monotonic; Infinity: only a hint can tell. */
  nextPollMs(watched: (directory: string) => boolean): number {
    let nextMs = Math.min(
      this.#p.archives.nextMs,
      this.#p.unopened.dueMs,
      this.#rest.searchAtMs,
      Math.max(this.#laterMs, this.#sweepAtMs),
    )
    for (const generation of this.#soon) nextMs = Math.min(nextMs, this.#dueMs(generation, watched))
    return nextMs
  }

  #dueMs(generation: Generation, watched: (directory: string) => boolean): number {
    const { directory, stage, failed, waitsFor, nextPollMs } = generation
    let dueMs = generation.countsUntilMs ?? Infinity
    if (waitsFor !== undefined) dueMs = Math.min(dueMs, generation.waitsUntilMs)
    if (generation.descriptor === -1) {
      if (this.#rest.isGivenUp(generation)) dueMs = Math.min(dueMs, generation.changedAtMs + limits.endedQuietMs)
      if (this.#waitsForTurn(generation)) return 0
      if (generation.failed && isClosed(generation)) return Math.min(dueMs, nextPollMs)
      return isAskedByName(generation) && !watched(directory!) ? Math.min(dueMs, nextPollMs) : dueMs
    }
    if (directory !== undefined && stage === 'live' && !failed && watched(directory)) return dueMs
    return Math.min(dueMs, nextPollMs)
  }

  /** A rotated file that holds what it held, all of it read: not one whose rest may be elsewhere. */
  #isReadWhole(generation: Generation): boolean {
    const { stage, wanted, packing, descriptor, id, offset, sizeBytes } = generation
    if (stage !== 'rotated' || wanted !== undefined || packing !== undefined || descriptor === -1) return false
    return id !== undefined && offset > 0 && offset === sizeBytes && isIntact(this.#p.disk, generation)
  }

  /** A read failed: it is tried again after a while, and the other files go on. */
  failedToRead(generation: Generation): void {
    generation.failed = true
    generation.searchedTo = generation.sizeBytes
    generation.nextPollMs = this.#p.clock.monotonicMs() + limits.readRetryMs
    this.#soon.add(generation)
  }

  /** Opens a file again whose descriptor was given back. False: its name leads to another file now, or to none. */
  reopen(generation: Generation): boolean {
    if (generation.descriptor === -1) this.#soon.add(generation)
    if (this.#p.descriptors.reopen(generation)) return true
    // It is there and could not be opened: nobody else comes back to it, for it has not changed.
    if (isClosed(generation) && this.#p.descriptors.refusedLast) this.failedToRead(generation)
    return false
  }
}

/** It gave its descriptor back, and its name leads to it. */
export function isClosed({ descriptor, currentPath, packing, wanted }: Generation): boolean {
  return descriptor === -1 && currentPath !== undefined && packing === undefined && wanted === undefined
}

/** The same, and it may be written. */
function isAskedByName(generation: Generation): boolean {
  return generation.stage === 'live' && generation.directory !== undefined && isClosed(generation)
}
