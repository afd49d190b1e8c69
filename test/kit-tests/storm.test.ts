import { describe, expect, test } from 'vitest'
import { startNullSink } from '../kit/storm/destinations.ts'
import { banner, StormLines } from '../kit/storm/lines.ts'
import { faultOf, Tally, type Written } from '../kit/storm/tally.ts'

const lines = new StormLines(7, 120)
const lineOf = (number: number): Buffer => {
  const bytes = Buffer.alloc(1_000)
  return bytes.subarray(0, lines.put(bytes, 0, number) - 1)
}
const written: Written = {
  lines: 6,
  bytes: 0,
  banners: 2,
  rotations: 1,
  destroyed: [[3, 4]],
  destroyedBanners: 0,
  destroyedBytes: 0,
  durationMs: 0,
}
const whole = [1, 2, 5, 6].map(lineOf)
const banners = [banner, banner].map((text) => Buffer.from(text))

function tallied(texts: readonly Buffer[]) {
  const tally = new Tally(lines)
  for (const text of texts) tally.add(text)
  return tally.outcome(written)
}

describe('what a storm counts', () => {
  test.each([
    ['every line once, the destroyed ones or not', [...whole, ...banners, lineOf(3)], {}],
    ['one missing', [...whole.slice(1), ...banners], { lost: 1 }],
    ['one twice', [...whole, lineOf(2), ...banners], { duplicates: 1 }],
    ['a destroyed one twice', [...whole, lineOf(4), lineOf(4), ...banners], { duplicates: 1 }],
    ['one that was never written', [...whole, lineOf(7), ...banners], { foreign: 1 }],
    ['half of one', [...whole, lineOf(1).subarray(0, 30), ...banners], { foreign: 1 }],
    ['one with another text', [...whole, Buffer.from(`${String(lineOf(1))}x`), ...banners], { foreign: 1 }],
    ['a banner missing', [...whole, banners[0]!], { bannersLost: 1 }],
    ['a banner too many', [...whole, ...banners, banners[0]!], { bannersTooMany: 1 }],
  ])('%s', (_name, texts, wrong) => {
    const none = { lost: 0, duplicates: 0, foreign: 0, bannersLost: 0, bannersTooMany: 0 }
    const outcome = tallied(texts)
    expect(outcome).toMatchObject({ ...none, ...wrong })
    expect(faultOf(outcome) === '').toBe(Object.keys(wrong).length === 0)
  })
})

function documents(pairs: readonly (readonly [string, string])[]): string {
  const texts = pairs.map(([id, message]) => {
    const source = { '@timestamp': '2026-11-23T10:00:00.000Z', message, log: { offset: 1 } }
    return `${JSON.stringify({ create: { _id: id } })}\n${JSON.stringify(source)}\n`
  })
  return texts.join('')
}

describe('the strict sink', () => {
  test('answers 409 for an id that is there, and counts texts under new ids only', async () => {
    const sink = await startNullSink({ seed: 7, lineBytes: 120, anyText: false })
    try {
      const send = async (body: string) => {
        const answer = await fetch(`${sink.url}/logs/_bulk`, { method: 'POST', body })
        return { status: answer.status, body: await answer.text() }
      }
      const texts = [1, 2, 5, 6, 16].map((number) => String(lineOf(number)))
      const first = await send(documents(texts.slice(0, 4).map((text, n) => [`id-${n}`, text])))
      expect(first).toEqual({ status: 200, body: expect.stringMatching(/"errors":false/) })
      const again = await send(
        documents([
          ['id-1', texts[1]!],
          ['id-9', texts[0]!],
          ['id-b', banner],
          ['id-c', banner],
        ]),
      )
      const items: { items: { create: { status: number } }[] } = JSON.parse(again.body)
      expect(items.items.map(({ create }) => create.status)).toEqual([409, 201, 201, 201])
      expect(await sink.totals()).toMatchObject({ stored: 7, distinct: 6, again: 1, failure: '' })
      expect(await sink.outcome(written)).toMatchObject({ lost: 0, duplicates: 1, foreign: 0 })
      expect((await send(documents([['id-16', texts[4]!]]))).status).toBe(200)
      expect(await sink.outcome(written), 'a line that JSON escapes is known').toMatchObject({ foreign: 1 })
      expect((await send('{"index":{}}\n{"message":"no id"}\n')).status).toBe(400)
    } finally {
      await sink.close()
    }
  })
})
