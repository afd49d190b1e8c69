import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BagHash, Inspection, messagesOfFile, SeenSet } from '../../bench/strict.ts'

function bagOf(texts: readonly string[]): string {
  const bag = new BagHash()
  for (const text of texts) bag.add(text)
  return bag.digest()
}

function bulk(documents: readonly (readonly [id: string, message: string])[]): Buffer {
  const lines = documents.map(
    ([id, message]) => `${JSON.stringify({ create: { _id: id } })}\n${JSON.stringify({ message })}\n`,
  )
  return Buffer.from(lines.join(''))
}

test('a set sees each text once, also while it grows', () => {
  const seen = new SeenSet(16)
  for (let n = 0; n < 20_000; n++) expect(seen.add(`id-${n}`)).toBe(true)
  for (let n = 0; n < 20_000; n += 7) expect(seen.add(`id-${n}`)).toBe(false)
  expect(seen.size).toBe(20_000)
})

test('a bag has no order, but every text counts', () => {
  const digest = bagOf(['a', 'b', 'b', 'c'])
  expect(bagOf(['b', 'c', 'b', 'a'])).toBe(digest)
  for (const other of [
    ['a', 'b', 'c'],
    ['a', 'b', 'c', 'c'],
    ['a', 'b', 'B', 'c'],
    ['ab', 'b', '', 'c'],
  ]) {
    expect(bagOf(other)).not.toBe(digest)
  }
})

test('an inspection counts ids that come again and documents without one', () => {
  const inspection = new Inspection()
  inspection.inspect(
    bulk([
      ['1', 'one'],
      ['2', 'two'],
    ]),
  )
  inspection.inspect(
    bulk([
      ['2', 'two again'],
      ['3', 'three'],
    ]),
  )
  inspection.inspect(Buffer.from('{"create":{}}\n{"message":"four"}\n'))
  expect(inspection).toMatchObject({ duplicates: 1, withoutId: 1 })
  expect(inspection.messages.digest()).toBe(bagOf(['one', 'two', 'two again', 'three', 'four']))
})

test.each([
  ['{"create":{}}\n{"message":"a"}', 'end with a newline'],
  ['{"create":{}}\n', 'pairs'],
  ['{"create":{}}\n{"message":7}\n', 'no message'],
  ['{"create":{}}\n{"message":"\n', 'JSON'],
])('a body that is not a bulk is refused: %j', (body, message) => {
  expect(() => new Inspection().inspect(Buffer.from(body))).toThrow(message)
})

test('the messages of a file: no line ends, invalid bytes replaced', () => {
  const dir = mkdtempSync(join(tmpdir(), 'remora-bench-test-'))
  try {
    const path = join(dir, 'x.log')
    writeFileSync(path, Buffer.from('one\ntwo\r\n"three"\t\nK\xf6ln\n', 'latin1'))
    expect(messagesOfFile(path).digest()).toBe(bagOf(['one', 'two', '"three"\t', 'K\ufffdln']))
  } finally {
    rmSync(dir, { recursive: true })
  }
})
