import type { Packing } from '../base/unpack.ts'
import type { Encoding } from '../base/charset.ts'
import type { Wait } from './elders.ts'
import { hashOf, type Fingerprint } from './identity.ts'
import type { PassedMark } from './marks.ts'
import type { Anchor, Naming } from './names.ts'

/** Why nothing new is expected of a generation. `live`: it is. */
export type Stage = 'live' | 'rotated' | 'deleted' | 'replaced'

const none = Buffer.alloc(0)
const noneHash = hashOf(none)
const noMarks: readonly PassedMark[] = []
const noCopies: ReadonlySet<string> = new Set()

/**
 * Bytes that are kept, a character each: a Buffer of them takes half a KiB beside its bytes, in V8's heap and in malloc's, and
 * each file has one.
 */
function kept(bytes: Uint8Array): string {
  return bytes.length === 0 ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/**
 * One life of a file's content, from its first byte to truncation or deletion; renames and copies do not end it.
 * State only: what changes it is in `sightings.ts`, `sizing.ts`, `endings.ts` and `turn.ts`.
 */
export class Generation {
  /** `log.file.path`: the name under which it was first found. */
  readonly path: string
  /** Its name before any rotation, as far as names tell. */
  readonly basePath: string
  /** Begins the `_id` of each line before the anchor; known before the first document. */
  id: string | undefined
  /** Where the lines begin that are named by what they say. */
  anchor: Anchor | undefined
  /** No line before this is the anchor; Infinity: there is none. */
  bannerTo = 0
  /** A line that may count waits until then for the next one, monotonic; undefined: none does. */
  countsUntilMs: number | undefined
  /** No line waits for the next one to show that it counts. */
  impatient = false
  /** Lines were named by the anchor. */
  anchorUsed = false
  /** Hash of the line at the anchor, noted with `Names`. */
  anchorHash: string | undefined
  fingerprint: Fingerprint | undefined
  /** Grows with each one that becomes known. */
  serial = 0
  /** Tells lives of one inode apart: 0 for the first, one more after each truncation. */
  readonly epoch: number
  /** Wall clock when it was first seen, epoch milliseconds; kept over restarts, for a date in the name of its index. */
  seenMs = 0

  /** Identity of the inode that holds the content now; empty when no name and no descriptor leads to it. */
  key = ''
  inode = 0n
  birthNs = 0n
  /** What held it when the state was written, while nothing does. */
  former: { readonly inode: bigint; readonly birthNs: bigint } | undefined
  /** How the inode holds the content, when it is an archive. */
  packing: Packing | undefined
  /** Size and time of the archive when it was read through. */
  archiveStamp = ''
  /** All that is in the archive, however much of it is unpacked yet. */
  contentBytes = 0
  /** The archive cannot be unpacked to its end. */
  isDamaged = false
  /** There was a copy, which may be packed at any time. */
  wasCopied = false
  /** Most have none. */
  #copies: Set<string> | undefined

  /** The name at the last look, and the directory it is in; undefined when it has none. */
  currentPath: string | undefined
  directory: string | undefined
  /** The last name that it had. */
  lastPath: string | undefined
  descriptor = -1

  /** How it writes its text; found in its first bytes at the first turn, and again after a restart. */
  encoding: Encoding | undefined
  /** Everything before is in a batch. */
  offset = 0
  #guard = ''
  /** Of the guard, once it was asked for. */
  #guardHash: string | undefined
  /** Its hash as the checkpoint knew it, while the bytes themselves were not read again. */
  savedGuardHash: string | undefined
  /** Guards before places that reading has passed. */
  marks: readonly PassedMark[] = noMarks
  /** `offset` stands inside a line that was cut. */
  skipping = false
  /** Behind `offset` and before this there is no newline. */
  searchedTo = 0
  #tail = ''
  /** Last write at the last look of the descriptor. */
  writtenMs = 0
  /** Size at the last turn that has found the content to be the same. */
  provenBytes = 0
  /** This process has looked at it. */
  sized = false
  /** Size at the last look. */
  sizeBytes = 0
  /** Modification time in the last listing; -1 when the file may have changed again within the same tick. */
  modifiedMs = -1

  /** A checkpoint knows how its lines are named: after a crash they are named the same. */
  durable = false
  /** How often that has changed. */
  renamings = 0

  /** The last read failed. */
  failed = false
  stage: Stage = 'live'
  /** Everything is read and, as it has ended, nothing more will come. */
  finished = false
  changedAtMs: number
  /** When all that could be read of it had been read, as far as looks have shown, monotonic. */
  caughtUpAtMs: number
  nextPollMs = 0
  pollIntervalMs: number
  /** A generation of the same path that is read first while it has unread bytes. */
  predecessor: Generation | undefined
  /** What may come before it and is not known yet. */
  waitsFor: Wait | undefined
  /** Looks at its directory that it waits for. */
  looksToWait = 0
  /** Until then at the latest, monotonic; 0: it has not waited yet. */
  waitsUntilMs = 0
  /** Its inode is gone: the content is looked for in a copy beside it, or in an archive only. */
  wanted: 'copy' | 'archive' | undefined
  /** Since when, wall clock: whatever holds it was made before. */
  wantedSinceMs = 0
  /** The directory of a copy that is shorter than what was read, while not all of that has its verdict. */
  outrunIn: string | undefined
  /** It follows in an inode that has a rotated name: maybe a copy of what is known. */
  isSuspect = false
  /** Its inode is there, and holds another content. */
  isEmptied = false
  /** What became of its inode. */
  goneWhy = ''

  constructor(path: string, basePath: string, epoch: number, nowMs: number, pollIntervalMs: number) {
    this.path = path
    this.basePath = basePath
    this.epoch = epoch
    this.changedAtMs = this.caughtUpAtMs = nowMs
    this.pollIntervalMs = pollIntervalMs
  }

  /** Its lines are named otherwise from some place on: no checkpoint knows that yet. */
  renamed(): void {
    this.durable = false
    this.renamings++
  }

  place(path: string | undefined): void {
    this.currentPath = path
    if (path !== undefined) this.lastPath = path
    this.directory = path?.slice(0, path.lastIndexOf('/'))
  }

  /** The bytes just before `offset`; a copy is kept of what is given, and given of what is kept. */
  get guard(): Buffer {
    return Buffer.from(this.#guard, 'latin1')
  }

  set guard(bytes: Uint8Array) {
    this.#guard = kept(bytes)
    this.#guardHash = undefined
  }

  guardHash(): string {
    if (this.savedGuardHash !== undefined && this.#guard.length === 0) return this.savedGuardHash
    return (this.#guardHash ??= this.#guard.length === 0 ? noneHash : hashOf(this.guard))
  }

  /** The bytes just before `searchedTo`, as far as they were searched: other bytes there mean another content. */
  get tail(): Buffer {
    return Buffer.from(this.#tail, 'latin1')
  }

  set tail(bytes: Uint8Array) {
    this.#tail = kept(bytes)
  }

  /** Further inodes with a copy of the content, by their keys. */
  get copies(): ReadonlySet<string> {
    return this.#copies ?? noCopies
  }

  hasCopy(key: string): void {
    this.#copies ??= new Set()
    this.#copies.add(key)
  }

  /** @param key  undefined: of none of them any more */
  hasNoCopy(key?: string): void {
    if (key !== undefined) this.#copies?.delete(key)
    if (key === undefined || this.#copies?.size === 0) this.#copies = undefined
  }

  /** The name of the line at `offset`; undefined while that is not known. */
  naming(): Naming | undefined {
    const { id, anchor, offset } = this
    if (anchor !== undefined && offset >= anchor.offset) return { id: anchor.id, until: Infinity }
    const until = anchor?.offset ?? this.bannerTo
    return id === undefined || until <= offset ? undefined : { id, until }
  }

  /** Nothing behind `offset` was searched. */
  searchAgain(): void {
    this.searchedTo = this.offset
    this.tail = none
  }

  /** Bytes from the start that are known: a file with fewer holds another content. */
  get knownBytes(): number {
    return Math.max(this.offset, this.fingerprint?.bytes ?? 0)
  }

  /** Bytes that exist and were not put into a batch. */
  get unreadBytes(): number {
    return Math.max(0, this.sizeBytes - this.offset)
  }

  /** Bytes that nobody has searched. */
  get unsearched(): boolean {
    return !this.finished && this.sizeBytes > Math.max(this.offset, this.searchedTo)
  }

  /** Whether reading could find a line. */
  get readable(): boolean {
    return this.descriptor !== -1 && this.unsearched
  }
}
