import type { Logger } from '../admin/logger.ts'
import { fieldsOf, textOf, type Notices } from '../admin/logger.ts'
import { messageOf } from '../base/errors.ts'
import type { Settings } from '../config/types.ts'
import type { Ledger } from '../settle/ledger.ts'
import type { DeadLetter } from '../ship/dead-letter.ts'
import { DeadLetters, type Expired } from '../ship/letters/dead-letters.ts'
import { Mover } from '../ship/letters/mover.ts'
import * as texts from './texts.ts'
import type { World } from './world.ts'

export interface LettersOptions {
  readonly world: World
  readonly settings: Settings
  /** A word that no other process has. */
  readonly run: string
  readonly ledger: Ledger
  readonly notices: Notices
  readonly logger: Logger
}

/** What the metrics show of dead letters. */
export interface LetterFigures {
  /** In the directory, from this process or another. */
  readonly letters: number
  readonly letterBytes: number
  /** What the directory may hold. */
  readonly letterBytesMax: number
  /** Gone because the bound was reached. */
  readonly expiredLetters: number
  /** Of these, the ones that an earlier process had put down: no line of this ledger. */
  readonly expiredEarlierLetters: number
  /** In the index instead. */
  readonly movedLetters: number
}

/** Dead letters as the agent has them: kept, said, counted when they go, and brought to an index where there is one. */
export class Letters {
  readonly #o: LettersOptions
  readonly #kept: DeadLetters
  readonly #mover: Mover | undefined
  #expired = 0
  #expiredEarlier = 0
  #saidExpired = false

  constructor(options: LettersOptions) {
    this.#o = options
    const { world, settings, run, notices } = options
    const { disk, clock, random, letterWire: wire } = world
    const { stateDir, deadLetterBytesMax: bytesMax, deadLetterIndex: index } = settings
    this.#kept = new DeadLetters({ disk, clock, stateDir, bytesMax, run, expired: (gone) => this.#expire(gone) })
    const stuck = (why: string | undefined) =>
      why === undefined
        ? notices.resolved('DEAD_LETTERS_STUCK')
        : notices.warn(texts.lettersStuck(index!, why, this.#kept.directory))
    if (index !== undefined && wire !== undefined)
      this.#mover = new Mover({ disk, clock, random, stateDir, index, wire, stuck })
  }

  start(): void {
    try {
      this.#kept.open()
    } catch (error) {
      this.#o.notices.warn(texts.lettersUnavailable(this.#kept.directory, error))
    }
    this.#mover?.start()
  }

  /** @returns why it could not be kept; it is said */
  keep(letter: DeadLetter): string | undefined {
    const why = this.#kept.keep(letter)
    this.#o.notices.warn(texts.refused(why, letter, this.#kept.directory))
    if (why === undefined) this.#mover?.ring()
    return why
  }

  /** Until the device has all that was kept. @throws what the disk says */
  flush(): Promise<void> {
    return this.#kept.flush()
  }

  /** Tries once more to bring what is there to the index. */
  async stop(signal: AbortSignal): Promise<void> {
    await this.#mover?.stop(signal)
  }

  figures(): LetterFigures {
    const counted = {
      letterBytesMax: this.#o.settings.deadLetterBytesMax,
      expiredLetters: this.#expired,
      expiredEarlierLetters: this.#expiredEarlier,
    }
    const moved = this.#mover?.moved ?? 0
    try {
      const { letters, bytes } = this.#kept.kept()
      return { letters, letterBytes: bytes, ...counted, movedLetters: moved }
    } catch (error) {
      this.#o.notices.warn(texts.lettersUnavailable(this.#kept.directory, messageOf(error)))
      return { letters: 0, letterBytes: 0, ...counted, movedLetters: moved }
    }
  }

  #expire({ ours, others }: Expired): void {
    this.#expired += others
    this.#expiredEarlier += others
    for (const [path, lines] of ours) {
      this.#o.ledger.expireLetters(path, lines)
      this.#expired += lines
    }
    if (this.#saidExpired) return
    this.#saidExpired = true
    const notice = texts.lettersExpired(this.#kept.directory, this.#expired)
    this.#o.logger.error(fieldsOf(notice), textOf(notice))
  }
}
