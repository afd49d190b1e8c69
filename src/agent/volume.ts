import type { Logger, Notices } from '../admin/logger.ts'
import { codeOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Settings } from '../config/types.ts'
import type { Discovery } from '../discover/discovery.ts'
import type { Generation } from '../follow/generation.ts'
import type { Registry } from '../follow/registry.ts'
import type { Removable } from '../follow/removals.ts'
import type { Ledger } from '../settle/ledger.ts'
import type { Candidate, Removal } from '../volume/decide.ts'
import { Guard } from '../volume/guard.ts'
import { removeFile } from '../volume/remove.ts'
import * as texts from '../volume/texts.ts'
import { isInVolume, volumesOf } from '../volume/volumes.ts'
import type { Saving } from './saving.ts'
import { VolumeAccount } from './volume-account.ts'
import type { World } from './world.ts'

export interface VolumeOptions {
  readonly world: World
  readonly settings: Settings
  readonly ledger: Ledger
  readonly notices: Notices
  readonly logger: Logger
  readonly discovery: Discovery
  readonly registry: Registry
  readonly saving: Saving
  readonly isSettled: (generation: Generation) => boolean
  /** As `GuardOptions.looked`. */
  readonly looked: () => Promise<void> | undefined
  /** Names in a directory are not what they were. */
  readonly lookAgain: (directory: string) => void
  readonly failed: (error: unknown) => void
}

/** What the metrics show of the volume. */
export interface VolumeFigures {
  /** 0: nobody has measured it. */
  readonly volumeUsedBytes: number
  /** 0: there is none. */
  readonly volumeLimitBytes: number
  /** In deleted files that are held open until they are read: they take up room, and `du` does not see them. */
  readonly volumeHeldBytes: number
  /** Volumes that cannot be measured, or not wholly. */
  readonly volumesInDoubt: number
}

interface Owned extends Candidate {
  readonly removable: Removable
}

/** The volume guard as the agent has it: which files may go, what their going means, and what is said and counted. */
export class Volume {
  readonly #o: VolumeOptions
  readonly #guard: Guard<Owned> | undefined
  /** Files that could not be removed: until when they are not tried again, monotonic, and how often that was so. */
  readonly #resting = new WeakMap<Generation, { readonly untilMs: number; readonly times: number }>()
  /** Nothing can be deleted at all; until then nobody tries, monotonic. */
  #readOnlyUntilMs = 0
  #roots = ''
  #volumes: readonly string[] = []
  readonly #account: VolumeAccount
  /** Since when the checkpoint is waited for that has all of a file as shipped, monotonic. */
  readonly #awaitedSince = new WeakMap<Generation, { readonly sinceMs: number; readonly offset: number }>()

  constructor(options: VolumeOptions) {
    this.#o = options
    const { settings, world } = options
    const { volumeLimitBytes: limitBytes, volumePolicy: policy } = settings
    this.#account = new VolumeAccount({
      ...options,
      limitBytes: limitBytes ?? 0,
      policy,
      usedBytes: () => this.#guard?.usedBytes,
      volumes: () => this.#volumes,
    })
    if (limitBytes === undefined) return
    this.#guard = new Guard<Owned>({
      disk: world.volumeDisk,
      clock: world.clock,
      yield: () => world.yield(),
      looked: options.looked,
      limitBytes,
      policy,
      volumes: () => this.#volumesNow(),
      knownBytes: (volume) => this.#knownBytes(volume),
      candidates: (volume) => this.#candidates(volume),
      remove: (removal) => this.#remove(removal),
      removed: () => this.#account.sayFreed(),
      short: (volume, usedBytes) => this.#account.short(volume, usedBytes),
      eased: (volume) => this.#account.eased(volume),
      doubt: (volume, doubt, usedBytes) => this.#account.doubt(volume, doubt, usedBytes),
      failed: options.failed,
    })
  }

  start(): void {
    this.#guard?.start()
  }

  /** Nothing is deleted any more. */
  stop(): void {
    this.#guard?.stop()
  }

  figures(): VolumeFigures {
    let volumeHeldBytes = 0
    for (const { stage, descriptor, sizeBytes } of this.#o.registry.generations)
      if (stage === 'deleted' && descriptor !== -1) volumeHeldBytes += sizeBytes
    return {
      volumeUsedBytes: this.#guard?.usedBytes ?? 0,
      volumeLimitBytes: this.#o.settings.volumeLimitBytes ?? 0,
      volumeHeldBytes,
      volumesInDoubt: this.#guard?.doubts.size ?? 0,
    }
  }

  /** For a probe that asks for details; undefined: there is no limit. */
  get detail(): object | undefined {
    const { volumeLimitBytes: limitBytes } = this.#o.settings
    if (this.#guard === undefined || limitBytes === undefined) return undefined
    const { usedBytes = null, doubts } = this.#guard
    return { usedBytes, limitBytes, doubts: Object.fromEntries(doubts) }
  }

  #volumesNow(): readonly string[] {
    const { discovery, world, settings, notices } = this.#o
    const { roots } = discovery
    if (roots.join('\n') === this.#roots) return this.#volumes
    this.#volumes = volumesOf(world.volumeDisk, roots)
    this.#roots = roots.join('\n')
    if (settings.volumePolicy === 'keep') return this.#volumes
    for (const root of roots) {
      const code = world.volumeDisk.refusalToWrite(root)
      if (code !== undefined) notices.warn(texts.readOnly(root, code))
    }
    return this.#volumes
  }

  #isIn(path: string, volume: string): boolean {
    return isInVolume(this.#o.discovery.realPathOf(path), volume)
  }

  /** An archive is read as its content, which is not what it takes up. */
  #knownBytes(volume: string): number {
    let bytes = 0
    for (const { currentPath, packing, sizeBytes } of this.#o.registry.generations)
      if (currentPath !== undefined && packing === undefined && this.#isIn(currentPath, volume)) bytes += sizeBytes
    return bytes
  }

  #candidates(volume: string): Owned[] {
    const { registry, saving, world } = this.#o
    const nowMs = world.clock.monotonicMs()
    if (nowMs < this.#readOnlyUntilMs) return []
    const room = { shipped: limits.volumeCandidatesMax, unshipped: limits.volumeCandidatesMax }
    const candidates: Owned[] = []
    let isAwaited = false
    let unsaved: texts.Unsaved | undefined
    for (const removable of registry.removals.list()) {
      const { generation, quietMs, settled } = removable
      const path = generation.currentPath
      if (path === undefined || !this.#isIn(path, volume)) continue
      const shipped = settled && saving.hasSavedEnd(generation)
      const { offset, sizeBytes } = generation
      const isUnsaved = !shipped && offset === sizeBytes && this.#o.isSettled(generation)
      const forMs = this.#unsavedForMs(generation, isUnsaved, nowMs)
      if (forMs >= limits.volumeAwaitMs) unsaved ??= { path, bytes: sizeBytes, forMs }
      const { untilMs = 0, times = 0 } = this.#resting.get(generation) ?? {}
      if (untilMs > nowMs) {
        isAwaited ||= shipped && times < limits.volumeTriesMax
        continue
      }
      // The next checkpoint makes it one that is shipped; where none is written, it is as good as any to be given up.
      if (isUnsaved && forMs < limits.volumeAwaitMs && !saving.isFailing) {
        isAwaited = true
        continue
      }
      const kind = shipped ? 'shipped' : 'unshipped'
      if (room[kind] <= 0) continue
      const allocatedBytes = this.#alone(path)
      if (allocatedBytes === undefined) continue
      room[kind]--
      candidates.push({ removable, shipped, quietMs, allocatedBytes })
    }
    this.#account.unsaved(volume, unsaved)
    // One that is shipped was rotated just now, as a rule: nothing is given up instead.
    return isAwaited ? candidates.filter((candidate) => candidate.shipped) : candidates
  }

  /** How long a checkpoint is waited for that has what is shipped now: after a late line the wait begins anew. */
  #unsavedForMs(generation: Generation, isUnsaved: boolean, nowMs: number): number {
    if (!isUnsaved) return 0
    const { offset } = generation
    const known = this.#awaitedSince.get(generation)
    if (known?.offset === offset) return nowMs - known.sinceMs
    this.#awaitedSince.set(generation, { sinceMs: nowMs, offset })
    return 0
  }

  /** What a file takes up; undefined when it has another name as well: removing one frees nothing. */
  #alone(path: string): number | undefined {
    try {
      const space = this.#o.world.volumeDisk.spaceOf(this.#o.discovery.realPathOf(path))
      return space?.links === 1 ? space.allocatedBytes : undefined
    } catch (error) {
      if (codeOf(error) === '') throw error
      return undefined
    }
  }

  #remove(removal: Removal<Owned>): { bytes: number; knownBytes: number } | undefined {
    const { removable } = removal.candidate
    const { generation } = removable
    const { path, packing, sizeBytes } = generation
    try {
      const gone = this.#unlink(removal)
      if (gone === undefined) return undefined
      const bytes = removal.candidate.allocatedBytes
      this.#wentBy(removal, path, gone)
      this.#o.saving.touch()
      return { bytes, knownBytes: packing === undefined ? sizeBytes : 0 }
    } catch (error) {
      if (codeOf(error) === '') throw error
      this.#rest(generation, limits.readRetryMs)
      return undefined
    }
  }

  /** @returns where it was; undefined: it is still there */
  #unlink({ as, candidate: { removable } }: Removal<Owned>): string | undefined {
    const { registry, saving, world, notices } = this.#o
    const { generation } = removable
    const prepared = registry.removals.prepare(removable)
    if (prepared === undefined || (as === 'shipped' && !saving.hasSavedEnd(generation))) {
      this.#rest(generation, limits.readRetryMs)
      return undefined
    }
    const { facts } = prepared
    const path = this.#o.discovery.realPathOf(prepared.path)
    const word = Math.floor(world.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
    const aside = `${path.slice(path.lastIndexOf('/') + 1)}~remora-${word}`
    const removed = removeFile(world.volumeDisk, path, facts, aside)
    if (removed.kind === 'removed') return path
    const directory = path.slice(0, path.lastIndexOf('/'))
    if (removed.kind === 'other') {
      // Rotated since the last look, as a rule.
      this.#rest(generation, limits.readRetryMs)
      this.#o.lookAgain(prepared.path.slice(0, prepared.path.lastIndexOf('/')))
      return undefined
    }
    this.#rest(generation, limits.volumeRetryMs)
    if (removed.kind !== 'refused') return undefined
    const { code, leftAs } = removed
    if (code === 'EROFS') this.#readOnlyUntilMs = world.clock.monotonicMs() + limits.volumeRetryMs
    if (leftAs === undefined) notices.warn(texts.readOnly(directory, code))
    else notices.warn(texts.leftAside(path, leftAs, code))
    return undefined
  }

  #wentBy({ as, candidate }: Removal<Owned>, path: string, gone: string): void {
    const { removals } = this.#o.registry
    const { removable, allocatedBytes } = candidate
    if (as === 'dropped') return this.#account.dropped(path, gone, allocatedBytes, removals.dropped(removable))
    removals.shipped(removable)
    this.#account.freed(path, gone, allocatedBytes)
  }

  #rest(generation: Generation, forMs: number): void {
    const times = (this.#resting.get(generation)?.times ?? 0) + 1
    this.#resting.set(generation, { untilMs: this.#o.world.clock.monotonicMs() + forMs, times })
  }
}
