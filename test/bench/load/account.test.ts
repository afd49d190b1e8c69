import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Arrivals } from '../../../src/bench/sink/arrivals.ts'
import { DocumentReader } from '../../../src/bench/sink/document-reader.ts'
import { Documents } from '../../../src/bench/sink/documents.ts'
import { ExpectedLines } from '../../../src/bench/sink/expected.ts'
import type { Written } from '../../../src/bench/target.ts'
import { findHead, headBytes } from '../../../src/bench/workload/head.ts'
import { textsOf } from '../../../src/bench/workload/lines.ts'
import { Bodies, type Sent, type Style, styles } from './bodies.ts'

const mixes = ['short', 'long', 'json', 'stack', 'multibyte', 'mixed'] as const
const files = 3
const seed = 5
const made = new Map(
  mixes.map((kind) => [
    kind,
    { bodies: new Bodies({ kind }, seed), expected: new ExpectedLines(textsOf({ kind }, seed), seed, files) },
  ]),
)

function writtenOf(linesOfFiles: readonly number[], destroyed: Written['destroyed'] = []): Written {
  const lines = linesOfFiles.reduce((sum, each) => sum + each, 0)
  return { lines, bytes: 0, linesOfFiles, destroyed, firstAtMs: 0, lastAtMs: 0, cpuUs: 0 }
}

/** Requests into arrivals, each body cut into pieces of these sizes. */
function arrive(expected: ExpectedLines, requests: readonly Buffer[], cuts: readonly number[]): Arrivals {
  const arrivals = new Arrivals(expected)
  const reader = new DocumentReader(expected)
  const documents = new Documents()
  let cut = 0
  for (const body of requests) {
    documents.clear()
    for (let at = 0; at < body.length;) {
      const bytes = cuts[cut++ % cuts.length]!
      // A copy: what is fed may be gone afterwards.
      const chunk = Buffer.from(body.subarray(at, at + bytes))
      reader.feed(chunk, documents)
      chunk.fill(0)
      at += bytes
    }
    reader.end()
    arrivals.commit(documents)
  }
  return arrivals
}

/** What becomes of a line, and how often its document is sent on top of the first time. */
const fate = fc.record({
  what: fc.constantFrom('sent', 'sent', 'sent', 'sent', 'lost', 'changed'),
  again: fc.integer({ min: 0, max: 2 }),
  twice: fc.integer({ min: 0, max: 2 }),
  order: fc.nat(),
})

function changed(text: string, how: number): string {
  const last = text.length - 1
  const head = findHead(text)!.at
  const behind = head + headBytes
  if (how % 5 === 3) return `${text.slice(0, behind)}#${text.slice(behind + 1)}`
  if (how % 5 === 4) return head > 0 ? `#${text.slice(1)}` : `#${text}`
  if (how % 3 === 0) return text.slice(0, last)
  if (how % 3 === 1) return `${text}!`
  return `${text.slice(0, last)}${text[last] === 'x' ? 'y' : 'x'}`
}

describe('the account', () => {
  test('is exact for lines of any mix and agent, in any order, cut anywhere, with losses, repeats and changes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...mixes),
        fc.constantFrom(...styles),
        fc.tuple(...Array.from({ length: files }, () => fc.array(fate, { maxLength: 40 }))),
        fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 10 }),
        fc.integer({ min: 1, max: 50 }),
        (kind, style, fates, cuts, batch) => {
          const { bodies, expected } = made.get(kind)!
          const wanted = { storedLines: 0, lostLines: 0, twiceLines: 0, againLines: 0, wrongLines: 0 }
          const sent: (Sent & { order: number })[] = []
          for (const [file, lines] of fates.entries()) {
            for (const [n, { what, again, twice, order }] of lines.entries()) {
              const number = n + 1
              const id = `file${file}-${number}`
              if (what === 'lost') {
                wanted.lostLines++
                continue
              }
              const text = what === 'changed' ? { text: changed(bodies.line(file, number), order) } : {}
              const copies = 1 + again + twice
              wanted.storedLines++
              if (what === 'changed') wanted.wrongLines += copies
              wanted.againLines += again
              wanted.twiceLines += twice
              for (let copy = 0; copy < 1 + again; copy++)
                sent.push({ file, number, id, ...text, order: order + copy * 7 })
              // They come after the first one, whose id is the one that is known.
              for (let copy = 0; copy < twice; copy++) {
                const other = (order + copy) % 2 === 0 ? '' : `other-${copy}-${id}`
                sent.push({ file, number, id: other, ...text, order: order + 1_000_000_000 + copy })
              }
            }
          }
          const documents = sent.toSorted((a, b) => a.order - b.order)
          const requests: Buffer[] = []
          for (let at = 0; at < documents.length; at += batch) {
            requests.push(bodies.body(documents.slice(at, at + batch), style))
          }
          const arrivals = arrive(expected, requests, cuts)
          const account = arrivals.tally.account(writtenOf(fates.map((lines) => lines.length)))
          expect(account).toMatchObject(wanted)
        },
      ),
      { numRuns: 150 },
    )
  })

  test.each(styles)('reads documents in the style %s without parsing most of them', (style) => {
    const { bodies, expected } = made.get('mixed')!
    const documents = Array.from({ length: 2_000 }, (_, n) => ({
      file: 0,
      number: n + 1,
      id: `id-${String(n).padStart(6, '0')}`,
    }))
    const reader = new DocumentReader(expected)
    const into = new Documents()
    reader.feed(bodies.body(documents, style), into)
    reader.end()
    expect(into.count).toBe(2_000)
    // What escapes otherwise is parsed, all of it.
    expect(reader.parsed).toBeLessThan(style === 'escaped' ? 2_001 : 60)
  })

  const { bodies, expected } = made.get('short')!
  const three: Sent[] = [1, 2, 3].map((number) => ({ file: 0, number, id: `id-${number}` }))
  const accountFor = (requests: Buffer[], written: Written) =>
    arrive(expected, requests, [65_536]).tally.account(written)

  test('a line that was never written, or of no file, is wrong and stores nothing', () => {
    const sent = [
      ...three,
      { file: 0, number: 4, id: 'd' },
      { file: 2, number: 9, id: 'e' },
      { file: 8, number: 1, id: 'f' },
    ]
    const account = accountFor([bodies.body(sent, 'remora')], writtenOf([3, 0, 0]))
    expect(account).toMatchObject({ storedLines: 3, lostLines: 0, wrongLines: 3 })
  })

  const many: Sent[] = Array.from({ length: 40 }, (_, n) => ({ file: n % 2, number: 1 + (n >> 1), id: `id-${n}` }))
  const faults: readonly [string, (sent: Sent) => Sent][] = [
    ['a place before the file', (sent) => ({ ...sent, offset: -1 })],
    ['the place of another line', (sent) => ({ ...sent, offset: expected.offsetOf(sent.file, sent.number + 1) })],
    ['the name of another file', (sent) => ({ ...sent, path: '/var/log/app/app-0002.log' })],
    ['the name of no such file', (sent) => ({ ...sent, path: '/var/log/app/other.log' })],
  ]
  test.each(faults)('a document with %s is wrong, one of many and each of them', (_, spoil) => {
    for (const style of ['remora', 'fields first'] as const) {
      const one = many.map((sent, n) => (n === 30 ? spoil(sent) : sent))
      expect(accountFor([bodies.body(one, style)], writtenOf([20, 20, 0]))).toMatchObject({
        wrongLines: 1,
        lostLines: 0,
      })
      expect(accountFor([bodies.body(many.map(spoil), style)], writtenOf([20, 20, 0]))).toMatchObject({
        wrongLines: 40,
      })
    }
  })

  test('offsets begin anew when a file is rotated, and are never beyond what was written', () => {
    const rotated = new ExpectedLines(textsOf({ kind: 'short' }, seed), seed, files, true)
    const sent = many.slice(30, 32).map((each, n) => ({ ...each, offset: n * 1_000_000 }))
    const { tally } = arrive(rotated, [bodies.body(sent, 'remora')], [65_536])
    expect(tally.wrong).toBe(1)
  })

  test('a document that is no JSON is found, whichever it is, and so is one more digit than a number may have', () => {
    for (const n of [0, 1, 17, 39]) {
      for (const spoil of [
        (text: string) => text.replace(/\}\}$/, '}'),
        (text: string) => text.replace(/(\d+)\}\}$/, '0$1}}'),
      ]) {
        const texts = many.map((sent) => bodies.body([sent], 'remora').toString())
        texts[n] = `${spoil(texts[n]!.trimEnd())}\n`
        expect(() => arrive(expected, [Buffer.from(texts.join(''))], [65_536])).toThrow(SyntaxError)
      }
    }
  })

  test('a document without a head is wrong', () => {
    const sent = [...three, { file: 0, number: 4, id: 'd', text: 'anything' }]
    expect(accountFor([bodies.body(sent, 'remora')], writtenOf([3, 0, 0]))).toMatchObject({
      storedLines: 3,
      wrongLines: 1,
    })
  })

  test('of two lines under one id the server would have kept one: the other is lost', () => {
    const sent = three.map((each) => ({ ...each, id: each.number === 1 ? 'id-2' : each.id }))
    expect(accountFor([bodies.body(sent, 'remora')], writtenOf([3, 0, 0]))).toMatchObject({ lostLines: 1 })
  })

  test('what a copytruncate destroyed is not lost, and counts as stored when it was read before', () => {
    const destroyed = [{ file: 0, from: 3, to: 5 }]
    const account = accountFor([bodies.body(three, 'remora')], writtenOf([6, 0, 0], destroyed))
    // 1, 2 and 3 are stored, 4 and 5 destroyed, 6 lost.
    expect(account).toMatchObject({ storedLines: 3, lostLines: 1, wrongLines: 0 })
  })

  test('counts over many pages of lines', () => {
    const numbers = [1, 65_535, 65_536, 65_537, 131_072, 200_000]
    const sent = numbers.map((number) => ({ file: 0, number, id: `id-${number}` }))
    const account = accountFor(
      [bodies.body(sent, 'remora')],
      writtenOf([200_001, 0, 0], [{ file: 0, from: 65_000, to: 70_000 }]),
    )
    expect(account).toMatchObject({ storedLines: 6, lostLines: 200_001 - 6 - (5_001 - 3) })
  })

  test('a head where the last one was is none when it is in the document after this one', () => {
    const normal = (number: number) => bodies.body([{ file: 0, number, id: `id-${number}` }], 'remora').toString()
    const foreign = '{"create":{}}\n{"x":1}\n'
    const [action = '', document = ''] = normal(2).split('\n')
    // As far from the foreign document's begin as the head of the next one is.
    const far = '{"x":1}\n'.length + action.length + 1 + document.indexOf('2026-11-26T04:20:14')
    const before = '{"create":{"_id":"id-1"}}\n'
    const padded = `{"pad":"${'x'.repeat(far - '{"pad":"","message":"'.length)}","message":${JSON.stringify(bodies.line(0, 1))}}\n`
    const body = Buffer.from(before + padded + foreign + normal(2) + normal(3))
    expect(accountFor([body], writtenOf([3, 0, 0]))).toMatchObject({ storedLines: 3, lostLines: 0, wrongLines: 1 })
  })

  const bad: readonly [string, string][] = [
    ['a document that is cut off', '{"create":{}}\n{"message":"x'],
    ['an action alone', '{"create":{}}\n'],
    ['no JSON', 'x\ny\n'],
    ['a deletion', '{"delete":{"_id":"x"}}\n'],
    ['a document that is none', '{"create":{}}\n3\n'],
  ]
  test.each(bad)('%s is no bulk body', (_, body) => {
    expect(() => arrive(expected, [Buffer.from(body)], [7])).toThrow(/./)
  })
})

test('latency ends with the first answer that could be written', () => {
  const { bodies, expected } = made.get('short')!
  const arrivals = new Arrivals(expected)
  const reader = new DocumentReader(expected)
  const documents = new Documents()
  const send = (numbers: readonly number[]) => {
    documents.clear()
    const sent = numbers.map((number) => ({ file: 0, number, id: `id-${number}` }))
    reader.feed(bodies.body(sent, 'remora' satisfies Style), documents)
    return arrivals.commit(documents)
  }
  arrivals.acknowledged(send([1, 2]), bodies.timeUs + 5_000)
  // Nobody hears that 3 and 4 are stored; they come again, with one that was known.
  arrivals.unacknowledged(send([3, 4]))
  const again = send([2, 3, 4])
  expect(again.conflicts).toEqual([0, 1, 2])
  arrivals.acknowledged(again, bodies.timeUs + 80_000)
  arrivals.acknowledged(send([3]), bodies.timeUs + 900_000)
  const latency = arrivals.latency()!
  expect(latency.lines).toBe(4)
  expect(latency.maxMs).toBe(80)
  expect(latency.p50Ms).toBeCloseTo(5, 1)
  // Only these were not told of, and not what is between them.
  arrivals.acknowledged(send([11]), bodies.timeUs + 5_000)
  arrivals.unacknowledged(send([10, 13]))
  arrivals.acknowledged(send([13]), bodies.timeUs + 80_000)
  expect(arrivals.latency()!.lines).toBe(6)
  // From here on only what is written later counts.
  arrivals.measureFrom(bodies.timeUs + 1)
  arrivals.acknowledged(send([5]), bodies.timeUs + 1_000)
  expect(arrivals.latency()).toBeUndefined()
})
