import { isUtf8 } from 'node:buffer'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { BulkHandler, type BulkAnswer } from '../../src/demo/bulk-server-bulk.ts'
import type { StoredDocument } from '../../src/demo/bulk-server-documents.ts'
import { responseFilter } from '../../src/demo/bulk-server-filter.ts'
import { Indices } from '../../src/demo/bulk-server-indices.ts'
import { type JsonValue, NumberLiteral, isObject, parseJson } from '../../src/demo/bulk-server-json.ts'

/** A server without the network, and the lines that its file would have. */
class Bench {
  readonly handler: BulkHandler
  readonly indices = new Indices(['logs-*-*'], systemClock)
  #bytes: Buffer = Buffer.alloc(0)

  constructor() {
    const sink = {
      append: async (bytes: Buffer) => {
        this.#bytes = Buffer.concat([this.#bytes, bytes])
      },
    }
    this.handler = new BulkHandler(this.indices, sink, systemClock, undefined)
  }

  async send(body: string | Buffer): Promise<number[]> {
    const answer = await this.handler.handle(Buffer.from(body), { index: 'logs-law-default' })
    return 'items' in answer ? answer.items.map(statusOf) : []
  }

  lines(): Buffer[] {
    const lines: Buffer[] = []
    for (let at = 0; at < this.#bytes.length;) {
      const end = this.#bytes.indexOf('\n', at)
      lines.push(this.#bytes.subarray(at, end))
      at = end + 1
    }
    return lines
  }

  stored(): StoredDocument[] {
    return this.lines().map((line): StoredDocument => JSON.parse(line.toString()))
  }
}

function statusOf(item: object): number {
  const [result]: { status: number }[] = Object.values(item)
  return result?.status ?? 0
}

interface Line {
  readonly id: string
  readonly message: string
  readonly offset: number
  readonly extra: readonly string[]
}

const line: fc.Arbitrary<Line> = fc.record({
  id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  message: fc.string({ unit: 'binary' }),
  offset: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  extra: fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 }),
})
const lines = (minLength: number) => fc.uniqueArray(line, { selector: ({ id }) => id, minLength, maxLength: 20 })

function documentOf({ message, offset, extra }: Line): object {
  const timestamp = '2026-01-01T00:00:00.000Z'
  return { '@timestamp': timestamp, message, log: { file: { path: '/var/log/app/x.log' }, offset }, labels: { extra } }
}

function bodyOf(batch: readonly Line[]): string {
  return batch
    .map((one) => `${JSON.stringify({ create: { _id: one.id } })}\n${JSON.stringify(documentOf(one))}\n`)
    .join('')
}

/** `labels.extra` may look like a date at first; then later texts are misfits, as they are for Elasticsearch. */
const plain = (batch: readonly Line[]) => batch.map((one) => ({ ...one, extra: one.extra.map((text) => `x${text}`) }))

test('any body of valid documents is accepted, and stored as it is, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(lines(1), async (batch) => {
      const bench = new Bench()
      const sent = plain(batch)
      expect(await bench.send(bodyOf(sent))).toEqual(sent.map(() => 201))
      expect(bench.stored().map(({ _id, _source }) => ({ _id, _source }))).toEqual(
        sent.map((one) => ({ _id: one.id, _source: documentOf(one) })),
      )
    }),
  )
})

test('sent again in any way, every document is there once', async () => {
  await fc.assert(
    fc.asyncProperty(
      lines(1),
      fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), { maxLength: 6 }),
      async (batch, picks) => {
        const bench = new Bench()
        const sent = plain(batch)
        const parts = [...picks.map((pick) => pick.flatMap((number) => sent[number % sent.length] ?? [])), sent]
        const statuses = (await Promise.all(parts.map((part) => bench.send(bodyOf(part))))).flat()
        expect(statuses.filter((status) => status === 201)).toHaveLength(sent.length)
        expect(statuses.filter((status) => status !== 201).every((status) => status === 409)).toBe(true)
        expect(
          bench
            .stored()
            .map(({ _id }) => _id)
            .toSorted(),
        ).toEqual(sent.map(({ id }) => id).toSorted())
      },
    ),
  )
})

test('no corruption of one byte leads to a stored document that is broken', async () => {
  await fc.assert(
    fc.asyncProperty(lines(1), fc.nat(), fc.integer({ min: 0, max: 255 }), async (batch, position, byte) => {
      const bench = new Bench()
      const body = Buffer.from(bodyOf(batch))
      body[position % body.length] = byte
      await bench.send(body)
      for (const stored of bench.lines()) {
        expect(isUtf8(stored)).toBe(true)
        const result = parseJson(stored)
        expect(result).toHaveProperty('value')
        const { _index, _id, _source }: StoredDocument = JSON.parse(stored.toString())
        expect(_index).toMatch(/^\.ds-logs-law-default-/)
        expect(_id.length).toBeGreaterThan(0)
        expect(typeof (_source['message'] ?? '')).toBe('string')
        expect(_source).toHaveProperty('@timestamp')
      }
      const { documents, duplicates, refused } = bench.handler.counts
      expect(documents).toBe(bench.lines().length)
      expect(documents).toBe(bench.indices.distinctIds())
      expect(documents + duplicates + refused).toBeLessThanOrEqual(batch.length + 1)
    }),
    { numRuns: 1000 },
  )
})

test('no bytes at all make it fail otherwise than by an answer', async () => {
  const fragment = fc.constantFrom(
    '{"create":{}}',
    '{"index":{"_id":"a"}}',
    '\n',
    '{',
    '}',
    '"',
    ':',
    ',',
    '[',
    '1e9',
    '\r',
    '\u0000',
    '{"a":1}',
  )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
    fc.array(fragment, { maxLength: 30 }).map((parts) => Buffer.from(parts.join(''))),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async (body) => {
      const answer: BulkAnswer | object = await new Bench().handler.handle(body, { index: 'x' })
      expect('items' in answer || 'status' in answer).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

/** The value as JSON.parse gives it. */
function loose(value: JsonValue): unknown {
  if (value instanceof NumberLiteral) return JSON.parse(value.text)
  if (Array.isArray(value)) return value.map(loose)
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, child]) => [key, loose(child)])) : value
}

test('JSON is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(undefined, 1), (text, indent) => {
      const expected: unknown = JSON.parse(text)
      const result = parseJson(Buffer.from(JSON.stringify(expected, undefined, indent)))
      expect('value' in result && loose(result.value)).toEqual(expected)
    }),
  )
})

test('what JSON.parse refuses is refused, whatever else is', () => {
  const almost = fc.tuple(fc.json(), fc.nat(), fc.nat({ max: 18 })).map(([text, at, pick]) => {
    const cut = at % (text.length + 1)
    return text.slice(0, cut) + '{}[]",:\\eE.-+0x \n'.charAt(pick) + text.slice(cut + (at % 2))
  })
  fc.assert(
    fc.property(almost, (text) => {
      let valid = true
      try {
        JSON.parse(text)
      } catch {
        valid = false
      }
      expect('value' in parseJson(Buffer.from(text)) && !valid).toBe(false)
    }),
    { numRuns: 1000 },
  )
})

test('an object is refused when, and only when, two of its keys are the same', () => {
  const key = fc.constantFrom('a', 'b', 'c', '__proto__', ':', '":"', '{')
  const leaf = fc.constantFrom('1', '"x:y"', 'true', '[]', '{":":1}', '[{"a":1},{"a":2}]')
  fc.assert(
    fc.property(fc.array(fc.tuple(key, leaf), { maxLength: 5 }), fc.boolean(), (members, nested) => {
      const object = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`
      const result = parseJson(Buffer.from(nested ? `[{"n":${object}}]` : object))
      expect('value' in result).toBe(new Set(members.map(([name]) => name)).size === members.length)
    }),
  )
})

test('a filtered answer has an item for every document', () => {
  const item = fc.record({
    create: fc.oneof(
      fc.constant({ status: 201, _id: 'x' }),
      fc.constant({ status: 400, error: { type: 't', reason: 'r' } }),
    ),
  })
  fc.assert(
    fc.property(fc.array(item, { minLength: 1 }), (items) => {
      const filtered = responseFilter('errors,items.*.status,items.*.error.type')({ errors: true, took: 1, items })
      const expected = items.map(({ create }) => ({
        create: 'error' in create ? { status: 400, error: { type: 't' } } : { status: 201 },
      }))
      expect(JSON.stringify(filtered)).toBe(JSON.stringify({ errors: true, items: expected }))
    }),
  )
})
