import { fieldsOf, textOf, type Logger, type Notice, type Notices } from '../admin/logger.ts'
import type { Policy } from '../volume/decide.ts'
import type { Doubt } from '../volume/doubts.ts'
import type { Ledger } from '../settle/ledger.ts'
import * as texts from '../volume/texts.ts'
import { isInVolume } from '../volume/volumes.ts'

export interface VolumeAccountOptions {
  readonly ledger: Ledger
  readonly notices: Notices
  readonly logger: Logger
  readonly limitBytes: number
  readonly policy: Policy
  /** Of the fullest volume. */
  readonly usedBytes: () => number | undefined
  readonly volumes: () => readonly string[]
}

/** What the volume guard's doings mean for the ledger, and what is said of them. */
export class VolumeAccount {
  readonly #o: VolumeAccountOptions
  /** Of the present round. */
  #freed: { readonly path: string; readonly bytes: number }[] = []

  constructor(options: VolumeAccountOptions) {
    this.#o = options
  }

  /** @param path  of the ledger, @param gone  where it was, @param bytes  the room that this made */
  freed(path: string, gone: string, bytes: number): void {
    this.#o.ledger.freed(path, bytes)
    this.#freed.push({ path: gone, bytes })
  }

  /** @param unreadBytes  undefined: nothing is given up with it, and so it is no drop */
  dropped(path: string, gone: string, bytes: number, unreadBytes: number | undefined): void {
    const { ledger, usedBytes, limitBytes } = this.#o
    if (unreadBytes === undefined) {
      ledger.freed(path, bytes)
      this.#say('info', texts.freedUnsaved(gone, bytes))
      return
    }
    ledger.dropped(path, unreadBytes)
    this.#say('error', texts.dropped(gone, unreadBytes, usedBytes(), limitBytes))
  }

  /** A round of removals is over. */
  sayFreed(): void {
    if (this.#freed.length === 0) return
    const bytes = this.#freed.reduce((sum, file) => sum + file.bytes, 0)
    const paths = this.#freed.map((file) => file.path)
    this.#freed = []
    const volume = this.#o.volumes().find((each) => isInVolume(paths[0]!, each)) ?? ''
    this.#say('info', texts.freed(volume, paths, bytes))
  }

  short(volume: string, usedBytes: number): void {
    this.#o.notices.warn(texts.full(volume, usedBytes, this.#o.limitBytes, this.#o.policy))
  }

  eased(volume: string): void {
    this.#o.notices.resolved('VOLUME_FULL', volume)
    this.unsaved(volume, undefined)
  }

  /** A file waits for a checkpoint that does not come; undefined: none does. */
  unsaved(volume: string, file: texts.Unsaved | undefined): void {
    const { notices } = this.#o
    if (file === undefined) notices.resolved('VOLUME_UNSAVED', volume)
    else notices.warn(texts.unsaved(volume, file))
  }

  doubt(volume: string, doubt: Doubt | undefined, usedBytes: number | undefined): void {
    const { limitBytes } = this.#o
    if (doubt === undefined) this.#say('info', texts.measuredAgain(volume, usedBytes, limitBytes))
    else this.#say('warn', texts.doubt(volume, doubt, usedBytes, limitBytes))
  }

  #say(level: 'info' | 'warn' | 'error', notice: Notice): void {
    this.#o.logger[level](fieldsOf(notice), textOf(notice))
  }
}
