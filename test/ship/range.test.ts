import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitOff, wholeOf } from '../../src/ship/range.ts'
import { runs } from '../base/runs.ts'
import { documentsOf, lengths } from './documents.ts'

test('what is split off is whole documents: as many as fit, at least one, and the rest is the rest', () => {
  const cases = fc.record({ list: lengths, cut: fc.nat(30), most: fc.nat(2_000), own: fc.nat(2_000) })
  fc.assert(
    fc.property(cases, ({ list, cut, most, own }) => {
      const documents = documentsOf(list.length, (index) => list[index]!)
      const body = Buffer.from(documents.join(''))
      const split = Math.min(cut, documents.length)
      const range = wholeOf(body.length, [split, documents.length - split], 0, 0)
      range.bytesMax = own
      const first = splitOff(body, range, most)
      const bound = Math.min(most, own)
      const text = body.toString('utf8', first.from, first.to)
      expect(text).toBe(documents.slice(0, first.documents).join(''))
      expect(first.documents).toBeGreaterThan(0)
      expect(first.left.reduce((sum, count) => sum + count)).toBe(first.documents)
      const one = first.documents === 1
      expect(one || text.length <= bound, 'they fit').toBe(true)
      const whole = first === range
      const rest = whole ? [] : documents.slice(first.documents)
      expect(whole || text.length + rest[0]!.length > bound, 'no more would fit').toBe(true)
      expect(first.documents + rest.length, 'none is lost').toBe(documents.length)
      expect(whole ? '' : body.toString('utf8', range.from, range.to)).toBe(rest.join(''))
      const left = [split, documents.length - split].map((count, at) => count - first.left[at]!)
      expect(whole ? [0, 0] : range.left).toEqual(left)
    }),
    runs(500),
  )
})
