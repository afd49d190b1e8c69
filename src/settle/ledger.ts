import { assert } from '../base/errors.ts'
import { limits } from '../base/limits.ts'

/** What became of some lines: their sum is the number of lines. See `ship/`, which makes them. */
export interface Settlement {
  readonly done: number
  readonly duplicates: number
  readonly deadLettered: number
  readonly lost: number
  /** No verdict before the end. */
  readonly held: number
  /** Of those done, sent again without knowing whether they were there. */
  readonly possiblyDuplicated?: number
  /** Of those done, in the failure store. */
  readonly failureStored?: number
}

/** One side of the ledger: read = acknowledged + filtered + dead-lettered + lost + held, at all times. */
export class Account {
  readLines = 0
  readBytes = 0
  /** Answered for by Elasticsearch, with those it had already. */
  acknowledgedLines = 0
  /** Of these, the ones that were there already (409). */
  duplicateLines = 0
  /** Of these, the ones that were sent again although nobody could tell whether they were there. */
  possiblyDuplicatedLines = 0
  /** Of these, the ones that the failure store of the data stream took. */
  failureStoredLines = 0
  filteredLines = 0
  deadLetteredLines = 0
  lostLines = 0
  /** Refused for good, whatever became of them then: with the next four, for metrics, which must never fall. */
  refusedLines = 0
  /** Of those lost, the ones that were dead-lettered before. */
  expiredLines = 0
  /** Bytes of files by the verdicts on their lines; in a part of a batch that was not answered alike, by their number. */
  acknowledgedBytes = 0
  refusedBytes = 0
  /** Of the refused ones, those that were kept, for however long. */
  deadLetteredBytes = 0
  lostBytes = 0
  /** In a batch, without a final verdict. */
  heldLines = 0
  /** Lines that were longer than the limit and were cut. */
  cutLines = 0
  /** Of the bytes read, the NUL bytes of holes: no line had them. */
  skippedBytes = 0
  /** Bytes of files that vanished before they were read: how many lines they held nobody knows. */
  gapBytes = 0
  gaps = 0
  /** Files that were deleted unshipped to keep the volume below its limit, and the bytes in them that nobody had read. */
  droppedFiles = 0
  droppedBytes = 0
  /** Files that were deleted for that after all of them was shipped, and the room that made. */
  freedFiles = 0
  freedBytes = 0

  /** Lines in no account; anything but 0 is a bug. */
  get imbalance(): number {
    const { readLines, acknowledgedLines, filteredLines, deadLetteredLines, lostLines, heldLines } = this
    return readLines - acknowledgedLines - filteredLines - deadLetteredLines - lostLines - heldLines
  }

  add(other: Account): void {
    for (const key of Object.keys(this) as Count[]) this[key] += other[key]
  }
}

/** The figures of an account that are counted. */
export type Count = Exclude<keyof Account, 'imbalance' | 'add'>

/**
 * What became of the lines, in all and for each file by the name under which it was found. Lines that are read again
 * after a restart count again, and come back as duplicates. Files beyond a bound share one account: `others`.
 */
export class Ledger extends Account {
  readonly #files = new Map<string, Account>()
  readonly #others = new Account()
  /** Letters that went before the batch of their lines was settled, by file. */
  readonly #expired = new Map<string, number>()

  read(path: string, lines: number, bytes: number, cutLines: number, skippedBytes = 0): void {
    for (const account of [this, this.#open(path)]) {
      account.readLines += lines
      account.readBytes += bytes
      account.cutLines += cutLines
      account.skippedBytes += skippedBytes
      account.heldLines += lines
    }
  }

  /**
   * Moves lines of one file out of those held.
   *
   * @param bytes  that they take up in the file, with what is no line
   * @throws when they do not add up: going on would lose some, or count twice
   */
  settle(path: string, lines: number, settlement: Settlement, bytes = 0): void {
    const { done, duplicates, deadLettered, lost, held, possiblyDuplicated = 0, failureStored = 0 } = settlement
    const whole =
      done + deadLettered + lost + held === lines &&
      duplicates <= done &&
      possiblyDuplicated <= done &&
      failureStored <= done
    assert(whole, `the verdicts on ${lines} lines of ${path} do not add up: ${JSON.stringify(settlement)}`)
    const shares = sharesOf(bytes, lines, [deadLettered, lost, held])
    const [deadLetteredBytes = 0, lostBytes = 0, heldBytes = 0] = shares
    for (const account of [this, this.of(path)]) {
      account.heldLines -= lines - held
      account.acknowledgedLines += done
      account.duplicateLines += duplicates
      account.possiblyDuplicatedLines += possiblyDuplicated
      account.failureStoredLines += failureStored
      account.deadLetteredLines += deadLettered
      account.lostLines += lost
      account.refusedLines += deadLettered + lost
      account.acknowledgedBytes += bytes - deadLetteredBytes - lostBytes - heldBytes
      account.refusedBytes += deadLetteredBytes + lostBytes
      account.deadLetteredBytes += deadLetteredBytes
      account.lostBytes += lostBytes
    }
    if (this.#expired.size > 0) this.#expire()
    this.check(path)
  }

  /**
   * The only thing that was left of some lines is gone: they move from dead-lettered to lost. Those of a batch that is not
   * settled yet as soon as it is.
   *
   * @param path  empty: nobody knows
   */
  expireLetters(path: string, lines: number): void {
    this.#expired.set(path, (this.#expired.get(path) ?? 0) + lines)
    this.#expire()
    this.check(path)
  }

  #expire(): void {
    for (const [path, lines] of this.#expired) {
      let left = lines
      const all = path === '' ? [this.#others, ...this.#files.values()] : [this.of(path), this.#others]
      for (const account of new Set(all)) left -= this.#lose(account, left)
      if (left === 0) this.#expired.delete(path)
      else this.#expired.set(path, left)
    }
  }

  #lose(account: Account, linesMax: number): number {
    const lines = Math.min(linesMax, account.deadLetteredLines)
    const bytes = sharesOf(account.deadLetteredBytes, account.deadLetteredLines + account.expiredLines, [lines])[0]!
    for (const each of [this, account]) {
      each.deadLetteredLines -= lines
      each.lostLines += lines
      each.expiredLines += lines
      each.lostBytes += bytes
    }
    return lines
  }

  gap(path: string, bytes: number): void {
    for (const account of [this, this.#open(path)]) {
      account.gaps++
      account.gapBytes += bytes
    }
  }

  dropped(path: string, bytes: number): void {
    for (const account of [this, this.#open(path)]) {
      account.droppedFiles++
      account.droppedBytes += bytes
    }
  }

  freed(path: string, bytes: number): void {
    for (const account of [this, this.#open(path)]) {
      account.freedFiles++
      account.freedBytes += bytes
    }
  }

  /** @throws with the numbers when the account of a file, or all of them together, do not balance */
  check(path: string): void {
    for (const [name, account] of [[path, this.of(path)] as const, ['all files', this] as const]) {
      const balances = account.imbalance === 0 && account.heldLines >= 0
      assert(balances, () => `the ledger of ${name} does not balance: ${JSON.stringify(account)}`)
    }
  }

  /** The account of a file; that of the others when it has none of its own. */
  of(path: string): Account {
    return this.#files.get(path) ?? this.#others
  }

  /** The files with an account of their own, the one that was opened first in front. */
  get files(): ReadonlyMap<string, Account> {
    return this.#files
  }

  get others(): Account {
    return this.#others
  }

  /** No file gets an account of its own any more. */
  get isFull(): boolean {
    return this.#files.size >= limits.ledgerFilesMax
  }

  /** Makes room: the accounts of files that are gone, with nothing held, become part of `others`. */
  fold(isKnown: (path: string) => boolean): void {
    for (const [path, account] of this.#files) {
      if (account.heldLines > 0 || isKnown(path)) continue
      this.#others.add(account)
      this.#files.delete(path)
    }
  }

  #open(path: string): Account {
    const known = this.#files.get(path)
    if (known !== undefined) return known
    // A file that has lines among the others' goes on there until they are settled: they leave the account they came into.
    if (this.isFull || this.#others.heldLines > 0) return this.#others
    const account = new Account()
    this.#files.set(path, account)
    return account
  }
}

/** Bytes of some of the lines, by their number: never more than all of them, and all for all. */
function sharesOf(bytes: number, lines: number, parts: readonly number[]): number[] {
  let before = 0
  return parts.map((part) => {
    const from = share(bytes, before, lines)
    before += part
    return share(bytes, before, lines) - from
  })
}

function share(bytes: number, part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((bytes * part) / whole)
}
