import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { printableJson } from '../../src/base/printable.ts'
import { runs } from './runs.ts'

test('JSON says the same, and has no character that a terminal obeys', () => {
  const unit = fc.oneof(
    fc.constantFrom('\u009b', '\u0080', '\u007f', '\u202e', '\u2066', '\u2028', '\u200f', '\u001b', '"', '\\', '\n'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit }), fc.string({ unit })), (fields) => {
      const json = printableJson(JSON.stringify(fields))
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(fields)))
      expect(json).not.toMatch(/[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/u)
    }),
    runs(300),
  )
})
