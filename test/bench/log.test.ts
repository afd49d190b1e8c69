import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureLog, generatorVersion, logBlocks, type LogFacts } from '../../bench/log.ts'

const mib = 1 << 20

function generate(seed: number, bytesMax: number): { bytes: Buffer; facts: LogFacts } {
  const blocks: Buffer[] = []
  const steps = logBlocks(seed, bytesMax)
  let step = steps.next()
  for (; step.done !== true; step = steps.next()) blocks.push(Buffer.from(step.value))
  return { bytes: Buffer.concat(blocks), facts: step.value }
}

const { bytes, facts } = generate(1, 8 * mib)
const lines = bytes.toString('latin1').split('\n').slice(0, -1)

test('the same seed gives the same bytes, another seed others', () => {
  expect(generate(1, 8 * mib).bytes.equals(bytes)).toBe(true)
  expect(generate(2, mib).bytes.equals(generate(1, mib).bytes)).toBe(false)
})

test('the bytes are those of this generator version: raise it when they change on purpose', () => {
  const hash = createHash('sha256').update(generate(1, mib).bytes).digest('hex').slice(0, 16)
  expect([generatorVersion, hash]).toEqual([1, '071f9a47108f0579'])
})

test('a shorter log is the beginning of a longer one', () => {
  const short = generate(1, mib).bytes
  expect(bytes.subarray(0, short.length).equals(short)).toBe(true)
})

test('it ends with a whole line, just below the size asked for', () => {
  expect(bytes.at(-1)).toBe(0x0a)
  expect(bytes.length).toBeLessThanOrEqual(8 * mib)
  expect(bytes.length).toBeGreaterThan(8 * mib - 65536)
})

test('the facts are true', () => {
  expect(facts).toMatchObject({ bytes: bytes.length, lines: lines.length, seed: 1 })
  const invalid = lines.filter((line) => Buffer.from(line, 'latin1').toString().includes('\ufffd'))
  expect(facts.invalidLines).toBe(invalid.length)
})

test('lines are 130 to 150 bytes on average, none empty, about one in a hundred not UTF-8', () => {
  const average = facts.bytes / facts.lines
  expect(average).toBeGreaterThan(130)
  expect(average).toBeLessThan(150)
  expect(lines.filter((line) => line === '' || line === '\r')).toEqual([])
  expect(facts.invalidLines / facts.lines).toBeGreaterThan(0.003)
  expect(facts.invalidLines / facts.lines).toBeLessThan(0.02)
})

test.each([
  ['short', /^.{0,79}$/],
  ['long', /^.{2000,}$/],
  ['JSON', /^\{"ts":.*\}$/],
  ['stack trace', /^\tat [\w.$]+\(/],
  ['multi-byte', /\u00e6\u00b3\u00a8/],
  ['key=value', /^time="[^"]+" level=/],
  ['access log', /" 200 \d+ "-" "Mozilla/],
  ['quoted', /"/],
  ['backslash', /\\/],
  ['carriage return', /\r$/],
  ['terminal colour', /^.\[2m2026/],
])('it has %s lines', (_kind, pattern) => expect(lines.some((line) => pattern.test(line))).toBe(true))

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'remora-bench-test-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('a kept file is used again, a damaged one is not', () => {
  const made = ensureLog(1, mib, dir)
  expect(made.fresh).toBe(true)
  expect(readFileSync(made.path).length).toBe(made.bytes)
  expect(ensureLog(1, mib, dir)).toEqual({ ...made, fresh: false })
  truncateSync(made.path, 10)
  expect(ensureLog(1, mib, dir)).toEqual(made)
  expect(ensureLog(2, mib, dir).fresh).toBe(true)
  expect(readdirSync(dir).filter((name) => name.endsWith('.partial'))).toEqual([])
})
