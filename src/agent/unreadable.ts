import type { DeniedFigures } from '../admin/figures.ts'
import type { Notice } from '../admin/logger.ts'
import { limits } from '../base/limits.ts'
import { isDenied } from '../base/rights.ts'

type Refused = Notice & { readonly path: string }

/**
 * Files and directories that are there and may not be read, which is how most set-ups go wrong. Each reason (owner, mode) is said
 * once, with the lines to add, however many files it has; they are tried again in each look, and counted meanwhile.
 */
export class Unreadable {
  readonly #say: (level: 'info' | 'warn', notice: Notice) => void
  readonly #paths = new Map<string, { notice: Refused; look: number }>()
  readonly #said = new Set<string>()
  /** Looks at everything so far. */
  #looks = 0

  constructor(say: (level: 'info' | 'warn', notice: Notice) => void) {
    this.#say = say
  }

  /** As far as they are remembered: `limits.unopenedFilesMax` of them. */
  get files(): number {
    return this.#paths.size
  }

  /** For a probe that asks for details: how many in all, and of the first one why and what to do. */
  get detail(): DeniedFigures | undefined {
    const [first] = this.#paths.values()
    return first && deniedOf(first.notice, this.files)
  }

  /** By their reasons, the commonest first and a few only: one pass over all of them, for a person who looks. */
  get denied(): readonly DeniedFigures[] {
    const found = new Map<string, { first: Refused; files: number }>()
    for (const { notice } of this.#paths.values()) {
      const known = found.get(notice.message)
      if (known === undefined) found.set(notice.message, { first: notice, files: 1 })
      else known.files++
    }
    const denied = [...found.values()].map(({ first, files }) => deniedOf(first, files))
    return denied.toSorted((a, b) => b.files - a.files).slice(0, limits.deniedReasonsMax)
  }

  /** @returns false: it is refused for another reason than its rights, and somebody else says so */
  take(notice: Refused): boolean {
    if (!isDenied(notice.code)) return false
    const known = this.#paths.get(notice.path)
    if (known !== undefined) known.look = this.#looks
    if (known?.notice.message === notice.message) return true
    if (known !== undefined) known.notice = notice
    else if (this.#paths.size < limits.unopenedFilesMax) this.#paths.set(notice.path, { notice, look: this.#looks })
    if (!this.#said.has(notice.message) && this.#said.size < limits.reasonsMax) {
      this.#said.add(notice.message)
      this.#say('warn', { ...notice, wayOut: `${notice.wayOut ?? ''} ${others}`.trim() })
    }
    return true
  }

  /** It is open. */
  opened(path: string | undefined): void {
    if (path !== undefined && this.#paths.delete(path)) this.#tellIfOver()
  }

  /** A look at everything is over: what was refused neither in it nor in the one before may be read now, or is gone. */
  looked(): void {
    for (const [path, { look }] of this.#paths) if (look < this.#looks) this.#paths.delete(path)
    this.#looks++
    this.#tellIfOver()
  }

  #tellIfOver(): void {
    if (this.#paths.size > 0 || this.#said.size === 0) return
    this.#said.clear()
    this.#say('info', { code: 'READABLE', message: 'nothing is left that may not be read' })
  }
}

const deniedOf = ({ path, message, wayOut = '' }: Refused, files: number): DeniedFigures => ({
  files,
  path,
  why: message,
  wayOut,
})

const others =
  'It is tried again at each scan. Others with the same owner and mode are not named: remora_unreadable_files and remora_unreadable_directories count all of them.'
