import { assert } from '../base/errors.ts'

/** A place in a generation where reading may be taken up again. */
export interface Mark {
  readonly offset: number
  /** Inside a line that was cut. */
  readonly skipping: boolean
  /** Hash of the bytes just before. */
  readonly guardHash: string
}

/** Never added to. */
const noPieces: Piece[] = []

interface Piece {
  readonly from: number
  readonly mark: Mark
  settled: boolean
}

/**
 * The offset below which every line of a generation has a final verdict. It follows the verdicts without gaps: one that
 * comes early waits for those before it. It never moves backwards.
 */
export class Frontier {
  #mark: Mark
  /** Issued and not passed, in file order, each beginning where the one before ends. */
  #pieces: Piece[] = noPieces
  #end: number

  constructor(start: Mark) {
    this.#mark = start
    this.#end = start.offset
  }

  get mark(): Mark {
    return this.#mark
  }

  /** Nothing is under way. */
  get settled(): boolean {
    return this.#pieces.length === 0
  }

  /** Notes that the bytes from the end of the last piece up to `mark` are under way. Returns what settles them. */
  issue(from: number, mark: Mark): () => void {
    assert(from === this.#end && mark.offset > from, `a piece from ${from} to ${mark.offset} follows ${this.#end}`)
    const piece = { from, mark, settled: false }
    // Just the one, as a rule: an array that grows by itself keeps room for sixteen more.
    if (this.#pieces.length === 0) this.#pieces = [piece]
    else this.#pieces.push(piece)
    this.#end = mark.offset
    return () => this.#settle(piece)
  }

  #settle(piece: Piece): void {
    assert(!piece.settled, `the piece from ${piece.from} is settled once`)
    piece.settled = true
    let passed = 0
    for (const first of this.#pieces) {
      if (!first.settled) break
      assert(first.from === this.#mark.offset, `the frontier ${this.#mark.offset} does not jump to ${first.from}`)
      this.#mark = first.mark
      passed++
    }
    // A new one where nothing is left: an emptied array keeps its room, in each of 10,000 files.
    if (passed === this.#pieces.length) this.#pieces = noPieces
    else this.#pieces.splice(0, passed)
  }
}
