import type { Clock } from './base/clock.ts'
import type { Disk } from './base/disk.ts'
import { assert, codeOf, messageOf } from './base/errors.ts'
import { limits } from './base/limits.ts'
import type { Encoded, Kernel } from './encode/kernel.ts'
import type { Template, Templates } from './encode/template.ts'
import type { Generation } from './follow/generation.ts'
import { isIntact } from './follow/identity.ts'
import type { Registry } from './follow/registry.ts'
import type { Schedule } from './follow/schedule.ts'
import { advance, beginningOf, findEncoding, readTurn } from './follow/turn.ts'
import type { Arena } from './queue/arena.ts'
import { Batch } from './queue/batch.ts'
import type { Mark } from './settle/frontier.ts'
import type { Ledger } from './settle/ledger.ts'

export type Filled = Batch<Kernel, Generation, Mark>

export interface PumpOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly registry: Registry
  readonly schedule: Schedule
  readonly templates: Templates
  readonly arena: Arena<Kernel>
  readonly ledger: Ledger
  readonly lineBytesMax: number
  readonly withIds: boolean
  /** Takes a batch that leaves. */
  readonly sealed: (batch: Filled) => void
  /** Bytes of a generation were put into the batch, from its offset on. Called before the offset moves. */
  readonly started: (generation: Generation) => void
  /** The file could not be read, now. */
  readonly failed: (generation: Generation, code: string, message: string) => void
  /** The first bytes of a file hold NUL bytes: it is shipped all the same. */
  readonly binary: (generation: Generation) => void
  /** It has a hole: a run of NUL bytes where a line would begin. They are passed over. */
  readonly hole: (generation: Generation) => void
  /** A line was longer than the limit. */
  readonly cut: (generation: Generation) => void
}

/** Not worth another read: the batch leaves. */
const roomBytesMin = 16 * 1024

/** From file to batch: one turn reads a quantum of one generation straight into the slot that encodes it. */
export class Pump {
  readonly #o: PumpOptions
  #batch: Filled | undefined
  #isBlocked = false
  /** Output bytes for one input byte, lately: so that no more is read than fits. */
  #growth = 2
  #templateOf: Generation | undefined
  #templateId: string | undefined
  #template: Template | undefined
  #templateMs = 0

  constructor(options: PumpOptions) {
    this.#o = options
  }

  /** The batch being filled. */
  get batch(): Filled | undefined {
    return this.#batch
  }

  /** The last filling has ended because no slot was free. */
  get isBlocked(): boolean {
    return this.#isBlocked
  }

  /** Takes turns until a batch is full, nothing is readable, or no slot is free. True: there may be more to do now. */
  fill(): boolean {
    const { schedule, arena, clock, ledger } = this.#o
    const startBytes = ledger.readBytes
    const untilMs = clock.monotonicMs() + limits.fillMsMax
    this.#isBlocked = false
    while (schedule.size > 0) {
      // A hole of gigabytes in a sparse file fills no batch.
      if (ledger.readBytes - startBytes > limits.fillBytesMax) return true
      if (this.#batch === undefined) {
        const kernel = arena.take()
        this.#isBlocked = kernel === undefined
        if (kernel === undefined) return false
        this.#batch = new Batch(kernel, clock.monotonicMs())
      }
      const generation = schedule.next()
      if (generation === undefined) return false
      if (this.#turn(generation, this.#batch)) return true
      if (clock.monotonicMs() >= untilMs) return schedule.size > 0
    }
    return false
  }

  /** Lets the batch leave as it is. */
  seal(): void {
    const batch = this.#batch
    if (batch === undefined) return
    this.#batch = undefined
    this.#o.sealed(batch)
  }

  /** Gives up the batch, which holds no document. */
  discard(): Filled {
    const batch = this.#batch
    assert(batch?.documents === 0, 'only an empty batch is given up')
    this.#batch = undefined
    return batch
  }

  /** True: the batch is full and has left. */
  #turn(generation: Generation, batch: Filled): boolean {
    const { registry, disk, schedule } = this.#o
    try {
      if (!registry.reopen(generation)) return false
      const ended = registry.hasEnded(generation)
      if (!registry.identify(generation)) {
        // Nothing is read yet that has a name, and so nobody else compares.
        if (!isIntact(disk, generation)) {
          registry.replaced(generation, 'the bytes before the offset are others')
          return false
        }
        // Cut shorter just now, it is for the next look to say what that means.
        const { sizeBytes } = disk.sizeOf(generation.descriptor)
        if (sizeBytes >= generation.sizeBytes) generation.searchedTo = generation.sizeBytes
        if (ended) registry.finish(generation)
        return false
      }
      // Before its bytes are read: once they are, nothing that happens to the file takes them back.
      if (!findEncoding(disk, generation)) {
        registry.replaced(generation, 'it begins with other bytes')
        return false
      }
      const kernel = batch.slot
      const room = kernel.output.length - batch.bytes
      const wanted = Math.ceil(room / this.#growth)
      const turn = readTurn(disk, generation, kernel.input, this.#o.lineBytesMax, ended, wanted)
      if (turn.kind === 'replaced') {
        registry.replaced(generation, 'it is shorter than what was read, or the bytes before the offset are others')
        return false
      }
      if (turn.kind === 'nothing') {
        if (ended && generation.unreadBytes === 0) registry.finish(generation)
        return false
      }
      const full = this.#encode(generation, batch, turn.from, turn.to, ended && turn.atEnd)
      registry.consumed(generation)
      if (generation.readable || (ended && !generation.finished)) schedule.offer(generation)
      if (full) this.seal()
      return full
    } catch (error) {
      if (codeOf(error) === '') throw error
      registry.failedToRead(generation)
      this.#o.failed(generation, codeOf(error), messageOf(error))
      return false
    }
  }

  #encode(generation: Generation, batch: Filled, from: number, to: number, final: boolean): boolean {
    const kernel = batch.slot
    this.#o.started(generation)
    const start = generation.offset
    if (start === 0 && looksBinary(generation, kernel.input.subarray(from, to))) this.#o.binary(generation)
    const before = batch.bytes
    const documentsMax = limits.batchDocumentsMax - batch.documents
    const encoded = this.#lines(generation, kernel, from, to, before, documentsMax, final)
    advance(generation, kernel.input, from, encoded.consumedBytes, encoded.searchedBytes, encoded.skipping)
    if (encoded.cutLines > 0) this.#o.cut(generation)
    if (encoded.skippedBytes > 0) this.#o.hole(generation)
    if (encoded.consumedBytes > 0) {
      const mark: Mark = { offset: generation.offset, skipping: generation.skipping, guardHash: generation.guardHash() }
      batch.add(generation, start, mark, encoded.documents, encoded.outputBytes)
      const { documents, consumedBytes, cutLines, skippedBytes } = encoded
      this.#o.ledger.read(generation.path, documents, consumedBytes, cutLines, skippedBytes)
      const growth = (encoded.outputBytes - before) / consumedBytes
      // A hole tells nothing of the lines behind it.
      if (documents > 0) this.#growth = Math.min(8, Math.max(1, this.#growth * 0.75 + growth * 0.25))
    }
    if (encoded.stop !== 'input') {
      assert(batch.documents > 0, 'an empty batch has room for the longest line')
      return true
    }
    const isFull =
      kernel.output.length - encoded.outputBytes < roomBytesMin || batch.spans.length >= limits.batchSpansMax
    return batch.documents > 0 && isFull
  }

  /** Encodes what has one name: lines before the anchor of a generation are named otherwise than those behind. */
  #lines(
    generation: Generation,
    kernel: Kernel,
    from: number,
    to: number,
    outputFrom: number,
    documentsMax: number,
    final: boolean,
  ): Encoded {
    const { offset, encoding } = generation
    const naming = generation.naming()
    assert(naming !== undefined && encoding !== undefined, 'what is read has a name and an encoding')
    const { passedBytes, place } = beginningOf(generation, kernel.input.subarray(from, to))
    const start = from + passedBytes
    kernel.use(this.#templateFor(generation, naming.id))
    const encode = (end: number, most: number): Encoded => {
      const isLast = final && end === to
      const { charset } = encoding
      const encoded = kernel.encode(start, end, outputFrom, offset + passedBytes, most, isLast, place, charset)
      // A byte order mark alone is too few bytes to know the content by later.
      if (offset > 0 || isLast || encoded.consumedBytes > 0) encoded.consumedBytes += passedBytes
      encoded.searchedBytes += passedBytes
      return encoded
    }
    const until = Math.max(start, Math.min(to, from + naming.until - offset))
    if (until >= to) return encode(to, documentsMax)
    const encoded = encode(until, documentsMax)
    if (encoded.consumedBytes > passedBytes || encoded.stop !== 'input') return encoded
    // The line goes on behind: its name is that of the place where it begins.
    const line = encode(to, Math.min(1, documentsMax))
    if (documentsMax > 1 && line.stop === 'documents') line.stop = 'input'
    return line
  }

  /** Remade when the generation, its name or the millisecond changes; the kernel takes over what is new to it. */
  #templateFor(generation: Generation, id: string): Template {
    const nowMs = this.#o.clock.nowMs()
    if (
      this.#templateOf !== generation ||
      this.#templateId !== id ||
      this.#templateMs !== nowMs ||
      this.#template === undefined
    ) {
      this.#template = this.#o.templates.of({
        path: generation.path,
        generationId: this.#o.withIds ? id : undefined,
        readAtMs: nowMs,
        // Of a generation it never changes, so it is in the key with it.
        seenMs: generation.seenMs,
      })
      this.#templateOf = generation
      this.#templateId = id
      this.#templateMs = nowMs
    }
    return this.#template
  }
}

/** How much of a content's beginning is looked at for NUL bytes. */
const looksBytes = 1024

/** NUL bytes among the first ones, and not as a hole or a part of one: no text in UTF-8 has those. */
function looksBinary({ encoding }: Generation, bytes: Uint8Array): boolean {
  if (encoding?.charset !== 'utf-8') return false
  let at = bytes.findIndex((byte) => byte !== 0)
  if (at === -1) return false
  const head = bytes.subarray(at, at + looksBytes)
  for (at = head.indexOf(0); at !== -1; at = head.indexOf(0, at)) {
    const from = at
    while (at < head.length && head[at] === 0) at++
    if (at < head.length && at - from < limits.holeBytesMin) return true
  }
  return false
}
