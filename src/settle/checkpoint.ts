import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { State } from '../base/state.ts'
import { ownershipOf } from './ownership.ts'
import {
  checkpointPath,
  findInstallation,
  findState,
  installationText,
  instancePath,
  previousPath,
  type Found,
  type Installation,
} from './reading.ts'
import { deleted, inTheWay, shared, takenBack, writeFailed, writtenAgain, type Say, type Unreadable } from './report.ts'
import { piecesOf, StateTooLarge, writerOf, type Read, type Unwritten } from './state-text.ts'

export type { State }

/** What an earlier run has left. */
export interface Loaded {
  /** The newest state that can be read, and where it was. */
  readonly newest: { readonly path: string; readonly read: Read } | undefined
  readonly installation: Installation | undefined
  /** What could not be read and was set aside, the newest first. */
  readonly unreadable: readonly Unreadable[]
}

export interface CheckpointOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly directory: string
  /** A word that no other process has. */
  readonly writer: string
  readonly say: Say
  /** Makes durable what the state relies on: where it fails, no checkpoint is written. */
  readonly first?: () => Promise<void>
}

/** A header line is shorter. */
const headerBytesMax = 512

/** The checkpoint on disk: written at most once a second and at stop; a disk that is full does not stop shipping. */
export class Checkpoint {
  readonly #o: CheckpointOptions
  readonly #path: string
  readonly #previous: string
  readonly #instance: string
  #writing: Promise<boolean> | undefined
  /** What went wrong the last time: said once, and again when it is something else. */
  #failing: string | undefined
  #owned = false
  /** Written, and nothing has gone wrong since. */
  #present = false
  #installed = false
  /** Set while the checkpoint is another process's: how it was at the last look, and since when it is so. */
  #other: { mark: string; sinceMs: number } | undefined
  writtenAtMs: number | undefined
  /** The last one that was written. */
  writtenBytes = 0
  failures = 0
  /** Since the last that was written. */
  failuresInARow = 0

  constructor(options: CheckpointOptions) {
    this.#o = options
    this.#path = checkpointPath(options.directory)
    this.#previous = previousPath(options.directory)
    this.#instance = instancePath(options.directory)
  }

  /** The newest readable state. What cannot be read is set aside, never written over. */
  load(): Loaded {
    const { disk, directory } = this.#o
    const unreadable: Unreadable[] = []
    const kept = <T>(path: string, found: Found<T>): T | undefined => {
      if (found.kind === 'readable') return found.value
      if (found.kind === 'unreadable')
        unreadable.push({ path, keptAs: this.#setAside(path), why: found.why, future: found.future })
      return undefined
    }
    let newest: Loaded['newest']
    for (const path of [this.#path, this.#previous]) {
      const read = kept(path, findState(disk, path))
      if (read === undefined) continue
      newest = { path, read }
      break
    }
    const installation = kept(this.#instance, findInstallation(disk, directory))
    this.#installed = installation !== undefined
    return { newest, installation, unreadable }
  }

  #setAside(path: string): string {
    const { disk, clock } = this.#o
    try {
      // A clock that was set back must not write over what was set aside before.
      let aside = `${path}.unreadable-${clock.nowMs()}`
      for (let more = 1; disk.look(aside) !== undefined; more++) aside = `${path}.unreadable-${clock.nowMs()}-${more}`
      disk.rename(path, aside)
      this.#forget(`${path}.unreadable-`)
      return aside
    } catch {
      return path
    }
  }

  /** A disk that damages each checkpoint must not be filled with them: the oldest go. */
  #forget(beginning: string): void {
    const { disk, directory } = this.#o
    try {
      const names = disk.list(directory).map(({ name }) => `${directory}/${name}`)
      const kept = names.filter((name) => name.startsWith(beginning))
      const oldestFirst = kept.toSorted((a, b) => (disk.look(a)?.modifiedMs ?? 0) - (disk.look(b)?.modifiedMs ?? 0))
      for (const name of oldestFirst.slice(0, -limits.setAsideMax)) disk.remove(name)
    } catch {
      // They take up room, and nothing else.
    }
  }

  /**
   * Writes and flushes; false: it failed, was reported, and the one before is still there. One write at a time.
   *
   * @param state  called when its turn has come: all of it is of one moment
   */
  async write(state: Unwritten | (() => Unwritten)): Promise<boolean> {
    while (this.#writing !== undefined) await this.#writing
    this.#writing = this.#write(typeof state === 'function' ? state() : state)
    try {
      return await this.#writing
    } finally {
      this.#writing = undefined
    }
  }

  async #write(state: Unwritten): Promise<boolean> {
    const { disk, clock, directory, writer } = this.#o
    try {
      if (!this.#mayWrite()) {
        this.#count()
        return false
      }
      const content = contentOf(state, writer)
      if (!this.#present) disk.makeDirectory(directory)
      this.#present = false
      await this.#o.first?.()
      await disk.replace(this.#path, this.#previous, content)
      this.writtenBytes = content.reduce((sum, { length }) => sum + length, 0)
      this.#owned = true
      // After the checkpoint, which has it too: one without the other is a state that was lost.
      if (!this.#installed)
        await disk.replace(this.#instance, `${this.#instance}.previous`, installationText(installationOf(state)))
      this.#installed = true
      this.#present = true
      this.writtenAtMs = clock.nowMs()
      if (this.#failing !== undefined) this.#o.say(writtenAgain)
      this.#failing = undefined
      this.failuresInARow = 0
      return true
    } catch (error) {
      // A fault of ours is not the disk's: it stops the process, and the checkpoint before is the last good one.
      if (error instanceof Unmade) throw error.cause
      this.#failed(error)
      return false
    }
  }

  #count(): void {
    this.failures++
    this.failuresInARow++
  }

  #failed(error: unknown): void {
    const code = codeOf(error)
    this.#count()
    if (this.#failing !== code) this.#o.say(writeFailed(this.#path, code, messageOf(error), this.writtenBytes))
    this.#failing = code
    for (const path of [this.#path, this.#previous, this.#instance]) {
      this.#clear(path)
      this.#clear(`${path}.tmp`)
    }
  }

  /** Moves away what no file can be put in the place of, and frees what half a file takes up on a full disk. */
  #clear(path: string): void {
    const { disk } = this.#o
    try {
      const kind = disk.look(path)?.kind
      if (kind === undefined) return
      if (kind !== 'file') this.#o.say(inTheWay(path, this.#setAside(path), `a ${kind}`))
      else if (path.endsWith('.tmp')) disk.remove(path)
    } catch {
      // The next write says what is wrong.
    }
  }

  /** False: another process has written since. */
  #mayWrite(): boolean {
    const { clock, writer, say } = this.#o
    const nowMs = clock.monotonicMs()
    const onDisk = this.#onDisk()
    if (this.#other !== undefined && onDisk !== undefined && this.#other.mark !== onDisk.mark)
      this.#other = { mark: onDisk.mark, sinceMs: nowMs }
    const ownership = ownershipOf(
      {
        owned: this.#owned,
        present: this.#present,
        own: writer,
        onDisk: onDisk?.writer,
        silentMs: this.#other === undefined ? 0 : nowMs - this.#other.sinceMs,
      },
      limits.stateYieldMs,
    )
    if (ownership === 'other') {
      if (this.#other === undefined) say(shared(this.#path))
      this.#other ??= { mark: onDisk?.mark ?? '', sinceMs: nowMs }
      return false
    }
    this.#other = undefined
    if (ownership === 'ours') return true
    say(ownership === 'deleted' ? deleted(this.#path) : takenBack(this.#path))
    this.#present = false
    if (ownership === 'deleted') this.#installed = false
    return true
  }

  /** Whose checkpoint is on disk, and a mark that changes when it is written; undefined: there is none. */
  #onDisk(): { writer: string; mark: string } | undefined {
    const { disk } = this.#o
    try {
      const descriptor = disk.open(this.#path)
      try {
        const head = Buffer.alloc(headerBytesMax)
        const length = disk.read(descriptor, head, 0, head.length, 0)
        const { inode, modifiedMs, sizeBytes } = disk.factsOf(descriptor)
        return {
          writer: writerOf(head.toString('utf8', 0, length)),
          mark: [inode, modifiedMs, sizeBytes].join(' '),
        }
      } finally {
        disk.close(descriptor)
      }
    } catch (error) {
      const code = codeOf(error)
      return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : { writer: '', mark: '' }
    }
  }
}

function installationOf({ instance, sinceMs }: Unwritten): Installation {
  return { instance, sinceMs: sinceMs > 0 ? sinceMs : undefined }
}

/**
 * A state is written again after this time at the earliest; longer while the disk refuses, and when it is large: one file that
 * moves among 10,000 must not write 6 MB each second. What a crash finds unwritten is sent again, and answered 409.
 *
 * @param bytes  of the last one
 */
export function checkpointDelayMs(failures: number, bytes = 0): number {
  const pacedMs = Math.min((bytes / limits.checkpointBytesPerSecond) * 1000, limits.checkpointIntervalMaxMs)
  return Math.max(pacedMs, Math.min(limits.checkpointIntervalMs * 2 ** Math.min(failures, 5), 30_000))
}

/** The state could not be made into text, which nobody but Remora is to blame for. */
class Unmade extends Error {}

function contentOf(state: Unwritten, writer: string): Buffer[] {
  try {
    return piecesOf(state, writer)
  } catch (error) {
    if (error instanceof StateTooLarge) throw error
    throw new Unmade('the state cannot be made', { cause: error })
  }
}
