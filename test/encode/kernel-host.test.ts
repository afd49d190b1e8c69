import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { Kernel } from '../../src/encode/kernel.ts'
import { prefixBytesMax, suffixBytesMax } from '../../src/encode/layout.ts'
import { Templates } from '../../src/encode/template.ts'
import { nameOf } from '../../src/follow/names.ts'

const origin = { path: '/a.log', generationId: undefined, readAtMs: 0, seenMs: 0 }
const templates = new Templates(new Map())

function encodeText(kernel: Kernel, text: string, outputFrom = 0) {
  const bytes = Buffer.from(text)
  kernel.input.set(bytes)
  return { ...kernel.encode(0, bytes.length, outputFrom, 0, 100, false, 'line') }
}

test('the input must hold the longest line and its end', () => {
  expect(() => new Kernel(101, 1000, 100)).toThrow('longest line')
  expect(new Kernel(102, 1000, 100).input).toHaveLength(102)
})

test('input and output are as large as was asked for, in whole pages', () => {
  const kernel = new Kernel(5000, 70_001, 100)
  expect(kernel.input).toHaveLength(5000)
  expect(kernel.output).toHaveLength(70_001)
  expect(kernel.memoryBytes % 65536).toBe(0)
  expect(kernel.memoryBytes).toBe(kernel.output.buffer.byteLength)
  const end = kernel.output.byteOffset + kernel.output.length
  expect(kernel.memoryBytes - end).toBeGreaterThanOrEqual(64)
  expect(kernel.memoryBytes - end).toBeLessThan(65536 + 64)
})

test('two kernels share nothing', () => {
  const [one, other] = [new Kernel(1000, 5000, 100), new Kernel(1000, 5000, 5)]
  one.use(templates.of(origin))
  other.use(templates.of({ ...origin, path: '/b.log' }))
  encodeText(one, 'from the first\n')
  const second = encodeText(other, 'cut here\n')
  const first = encodeText(one, 'long enough\n')
  expect(one.output.toString('utf8', 0, first.outputBytes)).toContain(
    '"message":"long enough","log":{"file":{"path":"/a.log"',
  )
  expect(other.output.toString('utf8', 0, second.outputBytes)).toContain(
    '"message":"cut h","log":{"file":{"path":"/b.log"',
  )
})

test('a template holds from the next document on, also one that is shorter', () => {
  const kernel = new Kernel(1000, 5000, 100)
  const [long, short] = ['/a/rather/long/path/to/a/file/of/the/application.log', '/s.log'].map((path, index) =>
    templates.of({ path, generationId: index === 0 ? nameOf(['g']) : undefined, readAtMs: index, seenMs: 0 }),
  )
  kernel.use(long!)
  const { outputBytes } = encodeText(kernel, 'one\n')
  kernel.use(short!)
  const end = encodeText(kernel, 'two\n', outputBytes).outputBytes
  kernel.use(long!)
  const last = encodeText(kernel, 'three\n', end).outputBytes
  const lines = kernel.output.toString('utf8', 0, last).trimEnd().split('\n')
  expect(lines.filter((_, index) => index % 2 === 1).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    {
      '@timestamp': '1970-01-01T00:00:00.000Z',
      message: 'one',
      log: { file: { path: expect.stringMatching(/^\/a/) } },
    },
    { '@timestamp': '1970-01-01T00:00:00.001Z', message: 'two', log: { file: { path: '/s.log' } } },
    {
      '@timestamp': '1970-01-01T00:00:00.000Z',
      message: 'three',
      log: { file: { path: expect.stringMatching(/^\/a/) } },
    },
  ])
})

test('a template that does not fit its place is refused before it overwrites another', () => {
  const kernel = new Kernel(1000, 5000, 100)
  const half = { prefix: Buffer.alloc(1), suffix: Buffer.alloc(1), idHoleAt: 0 }
  expect(() => kernel.use({ ...half, prefix: Buffer.alloc(prefixBytesMax + 1) })).toThrow('template too long')
  expect(() => kernel.use({ ...half, suffix: Buffer.alloc(suffixBytesMax + 1) })).toThrow('template too long')
})

const repeat = (character: string, bytes: number) => character.repeat(Math.floor(bytes / Buffer.byteLength(character)))

describe('the longest template that settings and a file system allow', () => {
  // REMORA_FIELDS is 4,096 bytes at most and has no control characters: quotes are what JSON makes longest of it.
  const fields = new Map([
    ['service.name', repeat('"', 256)],
    ...[1, 2, 3, 4].map((index): [string, string] => [`labels.k${index}`, repeat('"', 1010)]),
    ...['namespace', 'pod.name', 'pod.uid', 'node.name'].map((name): [string, string] => [
      `kubernetes.${name}`,
      repeat('x', 253),
    ]),
  ])

  // Whoever writes logs names the file: PATH_MAX counts bytes, and JSON makes six of a control character.
  test.each(['\x01', '"', '\u{10FFFF}', '\uFFFD'])(
    'with a path of %j fits, and a batch holds the longest line beside it',
    (character) => {
      const path = `/${repeat(character, 4095)}`
      const template = new Templates(fields).of({ path, generationId: nameOf([]), readAtMs: 0, seenMs: 0 })
      const lineBytesMax = 1000
      const kernel = new Kernel(lineBytesMax + 2, lineBytesMax * 6 + limits.documentOverheadBytesMax, lineBytesMax)
      kernel.use(template)
      expect(encodeText(kernel, `${'\x01'.repeat(lineBytesMax)}\n`)).toMatchObject({ documents: 1, stop: 'input' })
    },
  )
})
