import type { FileFacts } from '../base/disk.ts'
import { limits } from '../base/limits.ts'
import type { Endings } from './endings.ts'
import type { Generation } from './generation.ts'
import { isIntact } from './identity.ts'
import type { Parts } from './parts.ts'
import { stampOf } from './seen.ts'

/** A file that may be deleted, as far as is known without looking again. */
export interface Removable {
  readonly generation: Generation
  /** Everything of it was read, and every line that was read has its final verdict. */
  readonly settled: boolean
  /** Since its last new byte. */
  readonly quietMs: number
}

/** What a file was when everything about it was known to hold. */
export interface Prepared {
  readonly path: string
  readonly facts: FileFacts
}

/** Which files somebody may delete to make room, and what that means for what is known of them. */
export class Removals {
  readonly #p: Parts
  readonly #endings: Endings

  constructor(parts: Parts, endings: Endings) {
    this.#p = parts
    this.#endings = endings
  }

  /**
   * Rotated files with a content that is known, and that has ended; the oldest content first. A file that has lost its name
   * may still be the one that is written to: it counts as rotated when the file that has its name now has bytes. Into a copy
   * or an archive no application writes. What has a name that no rotation gives was put there by somebody who wants it.
   */
  list(): Removable[] {
    const { generations } = this.#p.family
    const writtenTo = new Set<string>()
    for (const { stage, key, sizeBytes, path } of generations)
      if (stage === 'live' && key !== '' && sizeBytes > 0) writtenTo.add(path)
    const removable: Removable[] = []
    for (const generation of generations) {
      const quietMs = this.#quietMs(generation)
      if (quietMs < limits.endedQuietMs || !isRotated(generation, writtenTo)) continue
      if (this.#p.namesBefore(generation.currentPath ?? '').length === 0) continue
      removable.push({ generation, settled: this.#isSettled(generation), quietMs })
    }
    return removable.toSorted(byAge)
  }

  /** A file that had ended before the restart was quiet then: its own time tells for how long. */
  #quietMs({ changedAtMs, finished, writtenMs }: Generation): number {
    const { clock } = this.#p
    const quietMs = clock.monotonicMs() - changedAtMs
    return finished && writtenMs > 0 ? Math.max(quietMs, clock.nowMs() - writtenMs) : quietMs
  }

  #isSettled(generation: Generation): boolean {
    const { finished, offset, sizeBytes } = generation
    return finished && offset === sizeBytes && this.#p.settled(generation)
  }

  /**
   * Looks at a file once more, through its descriptor.
   *
   * @returns what it must still be when it is deleted; undefined: it is not what it was, or nobody can tell now
   */
  prepare({ generation, settled }: Removable): Prepared | undefined {
    const { archives, descriptors, disk, look } = this.#p
    const { currentPath: path, packing } = generation
    // It may just be in the hands of somebody who packs it: what comes out of that would be a stranger.
    if (path === undefined || archives.mayHold(generation)) return undefined
    if (packing !== undefined) {
      const facts = disk.look(path)
      return facts !== undefined && stampOf(facts) === generation.archiveStamp ? { path, facts } : undefined
    }
    // Other forms of it: what is unread goes on in one of them, and counting it as dropped would be wrong.
    if (!settled && generation.copies.size > 0) return undefined
    if (!descriptors.reopen(generation)) return undefined
    look(generation)
    const { descriptor } = generation
    if (descriptor === -1 || generation.currentPath !== path) return undefined
    if (this.#isSettled(generation) !== settled || !isIntact(disk, generation)) return undefined
    const facts = disk.factsOf(descriptor)
    return facts.sizeBytes === generation.sizeBytes ? { path, facts } : undefined
  }

  /**
   * It was deleted after everything of it had been shipped.
   *
   * @returns false: bytes came in the last moment; they are read through the open descriptor, as those of any deleted file
   */
  shipped({ generation }: Removable): boolean {
    const { descriptor, packing } = generation
    if (packing === undefined && this.#p.disk.sizeOf(descriptor).sizeBytes !== generation.offset) {
      this.#p.look(generation)
      return false
    }
    this.#p.happened({ kind: 'freed', generation })
    // Not held as other deleted files are: in memory, or under a quota, an open file takes the room that was to be made.
    this.#endings.vanish(generation, 'it was deleted after it was shipped, to make room', false)
    return true
  }

  /**
   * It was deleted with what nobody had read of it. What is under way has its verdict to come.
   *
   * @returns those bytes; undefined: there are none, and all of it has its verdict, so that nothing is given up
   */
  dropped({ generation }: Removable): number | undefined {
    const { descriptor, packing, offset } = generation
    const isPlain = packing === undefined
    const sizeBytes = isPlain ? this.#p.disk.sizeOf(descriptor).sizeBytes : generation.contentBytes
    const isWhole = sizeBytes <= offset && this.#p.settled(generation)
    if (isWhole) this.#p.happened({ kind: 'freed', generation, why: unsaved })
    else this.#p.happened({ kind: 'dropped', generation })
    generation.sizeBytes = offset
    generation.provenBytes = Math.min(generation.provenBytes, offset)
    generation.finished = true
    this.#endings.vanish(generation, 'it was given up unshipped, to make room', false)
    return isWhole ? undefined : Math.max(0, sizeBytes - offset)
  }
}

const unsaved =
  'the volume had to be kept below its limit, and everything of it was shipped, though no checkpoint says so'

function isRotated(generation: Generation, writtenTo: ReadonlySet<string>): boolean {
  const { stage, key, currentPath, failed, waitsFor, wanted, isSuspect, packing, path } = generation
  if (key === '' || currentPath === undefined) return false
  if (failed || waitsFor !== undefined || wanted !== undefined || isSuspect) return false
  // What could not be unpacked of it somebody may still want.
  if (packing !== undefined && generation.isDamaged) return false
  // The content of another inode, in a copy that it was found in.
  if (stage === 'replaced') return true
  return stage === 'rotated' && (packing !== undefined || writtenTo.has(path))
}

/** By when it was first seen, for a copy or an archive is younger than what is in it. */
function byAge({ generation: a }: Removable, { generation: b }: Removable): number {
  return a.seenMs - b.seenMs || Number(a.birthNs - b.birthNs)
}
