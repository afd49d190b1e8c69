import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { AnswerReader, errorTypeIn, type Answer } from '../../src/ship/answer.ts'
import { runs } from '../base/runs.ts'

const bytesMaxOf = (documents: number) => limits.answerBytesBase + documents * limits.answerBytesPerDocument

type Result = Answer | 'too long'

function read(chunks: readonly Buffer[], documents: number): Result {
  const reader = new AnswerReader(documents)
  for (const chunk of chunks) if (!reader.feed(chunk)) return 'too long'
  return reader.end()
}

/** The same without a trick: all of it is kept, then parsed. */
function plainly(text: Buffer, documents: number): Result {
  if (text.length > bytesMaxOf(documents)) return 'too long'
  const malformed = { kind: 'malformed', why: expect.any(String) } as unknown as Answer
  let parsed: { items?: { create?: { status?: unknown; error?: { type?: unknown } | null } }[] } | null
  try {
    parsed = JSON.parse(text.toString()) as typeof parsed
  } catch {
    return malformed
  }
  const list = parsed?.items
  if (!Array.isArray(list) || list.length !== documents) return malformed
  const items = list.map((item) => ({ status: item?.create?.status, errorType: item?.create?.error?.type }))
  if (items.some(({ status }) => typeof status !== 'number')) return malformed
  if (items.every(({ status }) => status === 201)) return { kind: 'done' }
  return {
    kind: 'items',
    items: items.map(({ status, errorType }) => ({
      status: status as number,
      errorType: errorTypeIn(errorType),
    })),
  }
}

const good = (documents: number) =>
  JSON.stringify({ errors: false, items: Array.from({ length: documents }, () => ({ create: { status: 201 } })) })

const item = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ create: { status: 201 } }) },
  fc.constantFrom(200, 409, 429, 400, 503).map((status) => ({ create: { status } })),
  fc
    .tuple(fc.constantFrom(400, 429, 403), fc.string({ maxLength: 250 }))
    .map(([status, type]) => ({ create: { status, error: { type } } })),
  fc.constantFrom<unknown>(
    null,
    {},
    'create',
    { create: null },
    { create: {} },
    { create: { status: '201' } },
    { index: { status: 201 } },
    { create: { status: 400, error: null } },
    { create: { status: 400, error: 'text' } },
    { create: { status: 400, error: { type: 7 } } },
  ),
)

/** What may come back for a request of so many documents. */
function answersFor(documents: number): fc.Arbitrary<Buffer> {
  const whole = good(documents)
  return fc
    .oneof(
      { weight: 3, arbitrary: fc.constant(whole) },
      { weight: 3, arbitrary: fc.nat(whole.length).map((at) => whole.slice(0, at)) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fc.nat(whole.length - 1), fc.constantFrom('x', '0', ']', '}', ',', ' ', '"'))
          .map(([at, c]) => whole.slice(0, at) + c + whole.slice(at + 1)),
      },
      {
        weight: 4,
        arbitrary: fc
          .array(item, { minLength: documents, maxLength: documents })
          .map((items) => JSON.stringify({ errors: true, items })),
      },
      fc.array(item, { maxLength: 8 }).map((items) => JSON.stringify({ items, took: 3 })),
      fc.constantFrom(...[-1, 1].map((more) => good(documents + more))),
      fc.constantFrom(`${whole}\n`, ` ${whole}`, `${whole}]}`, `${whole}${whole}`, `${whole.slice(0, -1)},"took":1}`),
      fc.constantFrom('', '{}', 'null', '[]', '7', '{"errors":false}', '{"items":{}}', '<html>502 Bad Gateway</html>'),
      fc.nat(40).map((kib) => `<html>${' '.repeat(kib * 1024)}</html>`),
    )
    .map((text) => Buffer.from(text))
}

function chunksOf(text: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length]
  return edges.slice(1).map((edge, index) => text.subarray(edges[index], edge))
}

test('in whatever chunks an answer comes, it says the same as when it is parsed as a whole', () => {
  const cases = fc
    .integer({ min: 1, max: 12 })
    .chain((documents) => fc.tuple(fc.constant(documents), answersFor(documents)))
  fc.assert(
    fc.property(cases, fc.array(fc.nat(), { maxLength: 6 }), ([documents, text], cuts) => {
      expect(read(chunksOf(text, cuts), documents)).toEqual(plainly(text, documents))
    }),
    runs(5000),
  )
})

test('byte by byte', () => {
  for (const text of [good(3), `${good(3)} `, good(3).slice(0, -1), good(2), good(3).replace('201', '409')]) {
    const bytes = Buffer.from(text)
    expect(
      read(
        Array.from(bytes, (byte) => Buffer.of(byte)),
        3,
      ),
    ).toEqual(plainly(bytes, 3))
  }
})

test('readers of requests of different sizes do not disturb each other', () => {
  const [small, large] = [new AnswerReader(2), new AnswerReader(limits.batchDocumentsMax)]
  const texts = [good(2), good(limits.batchDocumentsMax)].map((text) => Buffer.from(text))
  const readers = [small, large] as const
  for (let at = 0; at < texts[1]!.length; at += 1000) {
    for (const [index, reader] of readers.entries()) reader.feed(texts[index]!.subarray(at, at + 1000))
  }
  expect(readers.map((reader) => reader.end())).toEqual([{ kind: 'done' }, { kind: 'done' }])
  expect(read([texts[1]!.subarray(0, -3)], limits.batchDocumentsMax)).toMatchObject({ kind: 'malformed' })
})

const refusals = (documents: number) =>
  JSON.stringify({
    errors: true,
    items: Array.from({ length: documents }, () => ({ create: { status: 400, error: { type: 'x'.repeat(100) } } })),
  })

describe('an answer that goes on and on', () => {
  test.each([
    ['of HTML', '<html>'],
    ['that began well', good(3).slice(0, 40)],
    ['that was whole', good(3)],
  ])('%s is given up at its bound', (_name, begin) => {
    const reader = new AnswerReader(3)
    const chunk = Buffer.alloc(1024, ' ')
    expect(reader.feed(Buffer.from(begin))).toBe(true)
    let bytes = begin.length
    while (reader.feed(chunk)) {
      bytes += chunk.length
      expect(bytes).toBeLessThanOrEqual(bytesMaxOf(3))
    }
    expect(bytes + chunk.length).toBeGreaterThan(bytesMaxOf(3))
  })

  test('is not one that refuses every document with a long type', () => {
    const text = Buffer.from(refusals(1000))
    expect(read([text], 1000)).toMatchObject({ kind: 'items' })
    expect(read([text], 5)).toBe('too long')
  })
})

test('what is wrong is said without a word of the answer', () => {
  const secret = 'line-of-the-application'
  for (const text of [`<html>${secret}`, JSON.stringify({ items: [secret] }), JSON.stringify({ [secret]: 1 })]) {
    const answer = read([Buffer.from(text)], 1)
    expect(answer).toMatchObject({ kind: 'malformed', why: expect.stringMatching(/^[a-z0-9 ,:?]+$/i) })
    expect(JSON.stringify(answer)).not.toContain(secret)
  }
})

test.each([
  ['document_parsing_exception', 'document_parsing_exception'],
  ['', ''],
  [undefined, ''],
  [7, ''],
  // Whatever was sent may come back in its place.
  ['Basic c29tZWJvZHk6c2VjcmV0', 'error_without_a_name'],
  ['user:secret', 'error_without_a_name'],
  ['{"message":"a line"}', 'error_without_a_name'],
  ['x'.repeat(101), 'error_without_a_name'],
])('the type of an error is a name, or is not repeated: %j', (type, said) => expect(errorTypeIn(type)).toBe(said))
