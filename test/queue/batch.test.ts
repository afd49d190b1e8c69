import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Batch } from '../../src/queue/batch.ts'
import { runs } from '../base/runs.ts'

const mark = (offset: number) => ({ offset })
const batch = () => new Batch<string, string, { offset: number }>('slot', 1000)

describe('turns of one source that follow each other are one span', () => {
  test.each([
    ['one turn', ['a 0 10 1'], ['a 0 10 1']],
    ['two that follow', ['a 0 10 1', 'a 10 30 2'], ['a 0 30 3']],
    ['two with a hole between them', ['a 0 10 1', 'a 11 30 2'], ['a 0 10 1', 'a 11 30 2']],
    ['two of two sources', ['a 0 10 1', 'b 10 30 2'], ['a 0 10 1', 'b 10 30 2']],
    ['one that was interrupted', ['a 0 10 1', 'b 0 5 1', 'a 10 20 1'], ['a 0 10 1', 'b 0 5 1', 'a 10 20 1']],
    ['bytes without a document', ['a 0 10 0', 'a 10 20 0'], ['a 0 20 0']],
  ])('%s', (_name, turns, spans) => {
    const filled = batch()
    let bytes = 0
    for (const turn of turns) {
      const [source = '', from, to, documents] = turn.split(' ')
      bytes += 100 * Number(documents)
      filled.add(source, Number(from), mark(Number(to)), Number(documents), bytes)
    }
    expect(
      filled.spans.map(({ source, from, to, documents }) => `${source} ${from} ${to.offset} ${documents}`),
    ).toEqual(spans)
    expect(filled.bytes).toBe(bytes)
  })
})

test('a span without bytes, and a batch that shrinks, are faults', () => {
  const filled = batch()
  expect(() => filled.add('a', 10, mark(10), 0, 0)).toThrow('a span has bytes')
  filled.add('a', 0, mark(10), 1, 200)
  expect(() => filled.add('a', 10, mark(20), 1, 199)).toThrow('a batch only grows')
})

const bytesOf = (list: readonly { source: string; from: number; to: { offset: number } }[]) =>
  list.flatMap(({ source, from, to }) =>
    Array.from({ length: to.offset - from }, (_, index) => `${source}${from + index}`),
  )

test('whatever is put in: the spans say the same as the turns, in their order, and are not more', () => {
  const turns = fc.array(
    fc.record({
      source: fc.constantFrom('a', 'b', 'c'),
      skipped: fc.constantFrom(0, 0, 0, 5),
      length: fc.integer({ min: 1, max: 100 }),
      documents: fc.nat(5),
    }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(turns, (steps) => {
      const filled = batch()
      const at = new Map<string, number>()
      const given = steps.map(({ source, skipped, length, documents }) => {
        const from = (at.get(source) ?? 0) + skipped
        at.set(source, from + length)
        filled.add(source, from, mark(from + length), documents, filled.bytes + documents)
        return { source, from, to: mark(from + length) }
      })
      expect(bytesOf(filled.spans)).toEqual(bytesOf(given))
      expect(filled.spans.reduce((sum, span) => sum + span.documents, 0)).toBe(filled.documents)
      expect(filled.documents).toBe(steps.reduce((sum, step) => sum + step.documents, 0))
      const follows = filled.spans.filter((span, index) => {
        const before = filled.spans[index - 1]
        return before?.source === span.source && before.to.offset === span.from
      })
      expect(follows, 'what follows was merged').toEqual([])
    }),
    runs(500),
  )
})
