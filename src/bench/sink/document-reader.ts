import { headBytes, HeadReader, logName } from '../workload/head.ts'
import { ActionReader } from './action-reader.ts'
import type { Documents } from './documents.ts'
import type { ExpectedLines } from './expected.ts'
import { Surroundings } from './surroundings.ts'

const newline = 0x0a
/** Where heads stood in documents of late: an agent's are alike, but lines of a mix begin in several ways. */
const guessesMax = 8
/** Of the documents that look as they must, one in so many is parsed all the same. */
const parsedEvery = 256
/** Between two chunks: one pair of action and document. */
const pairBytesMax = 64 * 1024 * 1024
const depthMax = 16

/**
 * Reads bulk bodies, cut anywhere, into the numbers of their documents.
 *
 * Each line is compared with what it must be, as a whole. As a rule byte for byte, as the text between two quotes that begins
 * `before head after`: then nothing is made, and what is around it is compared with what was around others, digits apart.
 * Whatever looks otherwise (another way to escape, a head in another place, a line that was changed) is parsed, and its texts
 * compared. Where a document says from which file and place its line is, as Remora does, that must be right too.
 */
export class DocumentReader {
  readonly #expected: ExpectedLines
  readonly #actions: ActionReader
  readonly #before = new Surroundings()
  readonly #behind = new Surroundings()
  readonly #head = new HeadReader()
  readonly #guesses = new Int32Array(guessesMax).fill(-1)
  #lastGuess = 0
  #read = 0
  #pending = Buffer.allocUnsafe(64 * 1024)
  #held = 0
  /** Documents that had to be parsed. */
  parsed = 0

  /** The request names no index: its actions must. */
  needsIndex = false

  /** @param index  see `ActionReader` */
  constructor(expected: ExpectedLines, index?: string) {
    this.#actions = new ActionReader(index)
    this.#expected = expected
  }

  /** @throws Error when it is not pairs of an action and a document in JSON */
  feed(chunk: Buffer, into: Documents): void {
    let at = this.#held > 0 ? this.#completePair(chunk, into) : 0
    while (at < chunk.length) {
      const next = this.#pair(chunk, at, chunk.length, into)
      if (next < 0) return this.#hold(chunk, at, chunk.length)
      at = next
    }
  }

  /** @throws Error when the body ends within a pair */
  end(): void {
    const held = this.#held
    this.#held = 0
    if (held > 0) throw new Error('a bulk body must be pairs of an action and a document, each with a newline')
  }

  /** Forgets what it holds: the request was cut off. */
  reset(): void {
    this.#held = 0
  }

  /** @returns where in the chunk the next pair begins */
  #completePair(chunk: Buffer, into: Documents): number {
    let newlines = this.#pending.subarray(0, this.#held).includes(newline) ? 1 : 2
    let to = 0
    for (; newlines > 0; newlines--) {
      const end = chunk.indexOf(newline, to)
      if (end < 0) {
        this.#hold(chunk, 0, chunk.length)
        return chunk.length
      }
      to = end + 1
    }
    this.#hold(chunk, 0, to)
    const held = this.#held
    this.#held = 0
    this.#pair(this.#pending, 0, held, into)
    return to
  }

  #hold(chunk: Buffer, from: number, to: number): void {
    const wanted = this.#held + to - from
    if (wanted > pairBytesMax) throw new Error(`a document is longer than ${pairBytesMax} bytes`)
    if (wanted > this.#pending.length) {
      const longer = Buffer.allocUnsafe(2 ** Math.ceil(Math.log2(wanted)))
      this.#pending.copy(longer, 0, 0, this.#held)
      this.#pending = longer
    }
    chunk.copy(this.#pending, this.#held, from, to)
    this.#held = wanted
  }

  /** Reads one pair at `at`. @returns what follows it; -1: `end` comes before its end */
  #pair(bytes: Buffer, at: number, end: number, into: Documents): number {
    const actions = this.#actions
    const from = actions.read(bytes, at, end)
    if (from < 0) return -1
    if (this.needsIndex && !actions.hasIndex) throw new Error('neither the request nor an action names an index')
    into.isIndex = actions.isIndex
    const headAt = this.#guessHead(bytes, from, end)
    if (headAt >= 0 && ++this.#read % parsedEvery !== 0) {
      const { file, number, timeOfDayUs } = this.#head
      const isOne = file < this.#expected.files && number > 0
      const textEnd = isOne ? this.#expected.match(bytes, from, headAt, end, file, number) : -1
      const to = textEnd < 0 ? -1 : this.#matchAround(bytes, from, textEnd, end, file, number)
      if (to >= 0) {
        into.add(file, number, timeOfDayUs, actions.idHigh, actions.idLow, false)
        return to
      }
    }
    return this.#parse(bytes, from, end, into)
  }

  /** @returns the end of the document; -1: something around its text is new, or not right */
  #matchAround(bytes: Buffer, from: number, textEnd: number, end: number, file: number, number: number): number {
    if (this.#before.match(bytes, from, textEnd) !== this.#expected.textFrom) return -1
    const to = this.#behind.match(bytes, textEnd + 1, end)
    if (to < 0) return -1
    const offset = this.#before.offset < 0 ? this.#behind.offset : this.#before.offset
    const named = this.#before.file < 0 ? this.#behind.file : this.#before.file
    if (named >= 0 && named !== file) return -1
    return offset < 0 || this.#expected.isOffset(offset, file, number) ? to : -1
  }

  /** The head at one of the places of before, in this very document; -1: at none. */
  #guessHead(bytes: Buffer, from: number, end: number): number {
    for (let n = 0; n < guessesMax; n++) {
      const guess = this.#guesses[(this.#lastGuess + n) % guessesMax]!
      if (guess < 0 || !this.#head.read(bytes, from + guess, end)) continue
      for (let at = from; at < from + guess; at++) if (bytes[at] === newline) return -1
      this.#lastGuess = (this.#lastGuess + n) % guessesMax
      return from + guess
    }
    return -1
  }

  #parse(bytes: Buffer, from: number, end: number, into: Documents): number {
    const to = bytes.indexOf(newline, from)
    if (to < 0 || to >= end) return -1
    this.parsed++
    const document: unknown = JSON.parse(bytes.toString('utf8', from, to))
    if (typeof document !== 'object' || document === null) throw new Error('a document is not an object')
    const { idHigh, idLow } = this.#actions
    const headAt = this.#head.find(bytes, from, to)
    const { file, number, timeOfDayUs } = this.#head
    if (headAt < 0 || file >= this.#expected.files || number === 0) into.add(-1, 0, 0, idHigh, idLow, true)
    else {
      this.#remember(headAt - from)
      const head = bytes.toString('latin1', headAt, headAt + headBytes)
      const origin = originOf(document)
      const isRight = this.#hasLine(document, head, file, number, depthMax) && this.#isOrigin(origin, file, number)
      into.add(file, number, timeOfDayUs, idHigh, idLow, !isRight)
      if (isRight) this.#learn(bytes, from, headAt, to + 1, origin)
    }
    return to + 1
  }

  #learn(bytes: Buffer, from: number, headAt: number, end: number, { offset, path }: Origin): void {
    const { file, number } = this.#head
    const textEnd = this.#expected.match(bytes, from, headAt, end, file, number)
    if (textEnd < 0) return
    const known = typeof offset === 'number' ? offset : undefined
    const { textFrom } = this.#expected
    const [isKnownBefore, isKnownBehind] = [
      this.#before.match(bytes, from, textEnd) === textFrom,
      this.#behind.match(bytes, textEnd + 1, end) === end,
    ]
    if (!isKnownBefore) this.#before.learn(bytes.subarray(from, textFrom), known, path !== undefined)
    if (!isKnownBehind) this.#behind.learn(bytes.subarray(textEnd + 1, end), known, path !== undefined)
  }

  /** What it does not say is not wrong. */
  #isOrigin({ offset, path }: Origin, file: number, number: number): boolean {
    if (offset !== undefined && !(typeof offset === 'number' && this.#expected.isOffset(offset, file, number)))
      return false
    if (path === undefined) return true
    const name = logName(file)
    const last = typeof path === 'string' ? path.slice(path.lastIndexOf('/') + 1) : ''
    return last === name || last.startsWith(`${name}.`)
  }

  /** Whether one of the texts in a document is this line. */
  #hasLine(value: unknown, head: string, file: number, number: number, depth: number): boolean {
    if (typeof value === 'string') {
      const at = value.indexOf(head)
      return at >= 0 && this.#expected.isText(value, at, file, number)
    }
    if (typeof value !== 'object' || value === null || depth === 0) return false
    return Object.values(value).some((each) => this.#hasLine(each, head, file, number, depth - 1))
  }

  #remember(guess: number): void {
    if (this.#guesses.includes(guess)) return
    this.#lastGuess = (this.#lastGuess + guessesMax - 1) % guessesMax
    this.#guesses[this.#lastGuess] = guess
  }
}

/** Where a document says that its line is from: `log.offset` and `log.file.path` of ECS. */
interface Origin {
  readonly offset: unknown
  readonly path: unknown
}

function originOf(document: object): Origin {
  const { log } = document as { log?: { offset?: unknown; file?: { path?: unknown } | null } | null }
  return { offset: log?.offset, path: log?.file?.path }
}
