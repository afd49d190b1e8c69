import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { documentAt, documentEnd, pack } from '../../src/ship/body.ts'
import { runs } from '../base/runs.ts'
import { documentsOf, lengths, placed } from './documents.ts'

const given = lengths.map((list) => documentsOf(list.length, (index) => list[index]!))

test('packing keeps the chosen documents in their order and touches nothing else', () => {
  fc.assert(
    fc.property(given, fc.infiniteStream(fc.boolean()), fc.nat(50), (documents, chosen, before) => {
      const { body, from, to } = placed(documents, before, 20)
      const outside = [body.subarray(0, from), body.subarray(to)].map((part) => Buffer.from(part))
      const keep = documents.map(() => chosen.next().value)
      const end = pack(body, from, to, keep)
      expect(body.toString('utf8', from, end)).toBe(documents.filter((_, index) => keep[index]).join(''))
      expect([body.subarray(0, from), body.subarray(to)]).toEqual(outside)
    }),
    runs(500),
  )
})

test('packing again and again is packing once', () => {
  fc.assert(
    fc.property(given, fc.infiniteStream(fc.boolean()), (documents, chosen) => {
      const { body, from, to } = placed(documents, 3, 3)
      let left = documents
      let end = to
      for (let round = 0; round < 4 && left.length > 0; round++) {
        const keep = left.map(() => chosen.next().value)
        end = pack(body, from, end, keep)
        left = left.filter((_, index) => keep[index])
        expect(body.toString('utf8', from, end)).toBe(left.join(''))
      }
    }),
    runs(200),
  )
})

test('a verdict too few or too many is a fault, and so is a body that ends inside a document', () => {
  const documents = documentsOf(3)
  const { body, from, to } = placed(documents, 5, 5)
  expect(() => pack(body, from, to, [true, true])).toThrow('a verdict for each document')
  expect(() => pack(body, from, to, [true, true, true, true])).toThrow('whole documents')
  expect(() => pack(body, from, to - 1, [true, true, true])).toThrow('whole documents')
  expect(() => pack(Buffer.from(documents.join('').slice(0, -1)), 0, to, [true, true, true])).toThrow('whole documents')
})

test('a document is found by where it begins', () => {
  fc.assert(
    fc.property(given, fc.nat(50), (documents, before) => {
      const { body, from } = placed(documents, before, 9)
      let at = from
      for (const document of documents) {
        const found = documentAt(body, at)
        expect(`${found.action}\n${found.source}\n`).toBe(document)
        at = documentEnd(body, at)
      }
    }),
    runs(200),
  )
})
