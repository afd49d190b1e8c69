import { Readable } from 'node:stream'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { AnswerReader } from '../../src/ship/answer.ts'
import { readReason } from '../../src/ship/reason.ts'
import { runs } from '../base/runs.ts'

const answerOf = (reason: string, type = 'document_parsing_exception') =>
  JSON.stringify({ errors: true, items: [{ create: { status: 400, error: { type, reason } } }] })
const chunksOf = (text: string, bytes: number) => {
  const whole = Buffer.from(text)
  return Array.from({ length: Math.ceil(whole.length / bytes) }, (_, at) =>
    whole.subarray(at * bytes, (at + 1) * bytes),
  )
}

test('of any reason its beginning is read, however long it is and however it comes', async () => {
  const long = fc.tuple(fc.string({ unit: 'binary', maxLength: 50 }), fc.constantFrom(0, 10, 3_000, 200_000))
  await fc.assert(
    fc.asyncProperty(long, fc.integer({ min: 100, max: 70_000 }), async ([text, times], bytes) => {
      const reason = `failed: "${text}"${'ä\\"\u0001'.repeat(times / 4)}`.toWellFormed()
      const answer = await readReason(Readable.from(chunksOf(answerOf(reason), bytes)))
      expect(answer).toMatchObject({
        kind: 'items',
        items: [{ status: 400, errorType: 'document_parsing_exception' }],
      })
      const read = answer.kind === 'items' ? answer.items[0]!.reason! : ''
      expect(read.length).toBeLessThanOrEqual(limits.reasonCharactersMax)
      expect(reason.startsWith(read.replace(/\ufffd$/, ''))).toBe(true)
      expect(read.length).toBeGreaterThan(Math.min(reason.length, limits.reasonCharactersMax) - 2)
    }),
    runs(200),
  )
})

test('no more than the bound is read of an answer that never ends', async () => {
  let given = 0
  const endless = Readable.from(
    (function* () {
      for (;;) {
        given += 16_384
        yield Buffer.alloc(16_384, 0x20)
      }
    })(),
  )
  expect(await readReason(endless)).toMatchObject({ kind: 'malformed' })
  expect(given).toBeLessThan(4 * limits.reasonAnswerBytesMax)
})

const answerWith = (store: string) =>
  `{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201,"failure_store":"${store}"}}]}`

describe('a failure store', () => {
  test.each([
    ['used', { kind: 'items', items: [{ status: 201 }, { status: 201, failureStored: true }] }],
    ['not_enabled', { kind: 'done' }],
  ])('that was %s', (store, expected) => {
    const reader = new AnswerReader(2)
    expect(reader.feed(Buffer.from(answerWith(store)))).toBe(true)
    expect(reader.end()).toMatchObject(expected)
  })
})
