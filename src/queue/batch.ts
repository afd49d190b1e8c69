import { assert } from '../base/errors.ts'

/** A run of whole lines of one source, from a byte offset to a mark behind it, inside one batch. */
export interface Span<Source, Mark> {
  readonly source: Source
  readonly from: number
  /** The place behind the last line, as `settle/` knows it. */
  to: Mark
  documents: number
}

/** A slot filled with NDJSON and the spans it came from. */
export class Batch<Slot, Source, Mark extends { readonly offset: number }> {
  readonly slot: Slot
  readonly openedAtMs: number
  readonly spans: Span<Source, Mark>[] = []
  /** NDJSON written so far: the body is `[0, bytes)` of the slot's output. */
  bytes = 0
  documents = 0

  constructor(slot: Slot, openedAtMs: number) {
    this.slot = slot
    this.openedAtMs = openedAtMs
  }

  /** Notes what one turn of one source put into the slot; turns of one source that follow each other are one span. */
  add(source: Source, from: number, to: Mark, documents: number, bytes: number): void {
    assert(to.offset > from && bytes >= this.bytes, 'a span has bytes and a batch only grows')
    this.bytes = bytes
    this.documents += documents
    const last = this.spans.at(-1)
    if (last !== undefined && last.source === source && last.to.offset === from) {
      last.to = to
      last.documents += documents
      return
    }
    this.spans.push({ source, from, to, documents })
  }
}
