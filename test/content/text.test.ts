import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { memoryDisk } from '../kit/agent-disk.ts'
import { OneFile } from './kit.ts'

const utf16 = {
  'utf-16le': (text: string) => Buffer.from(text, 'utf16le'),
  'utf-16be': (text: string) => Buffer.from(text, 'utf16le').swap16(),
}
const numbers = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, n) => `number ${first + n}`)
const messages = (file: OneFile) => file.said().map(({ message }) => message)

describe('lines in pieces', () => {
  test.each([
    ['a character', 'é€😀\n', ['é€😀']],
    ['CR and LF', 'one\r\ntwo\r\n', ['one', 'two']],
    ['CR alone before a line', 'one\r\r\n', ['one\r']],
  ])('%s: byte by byte, each in its turn', async (_what, text, expected) => {
    const file = new OneFile({})
    await file.harness.start()
    for (const byte of Buffer.from(text)) {
      file.append(Buffer.of(byte))
      await file.harness.advance(50)
    }
    expect(messages(file)).toEqual(expected)
  })

  test('without a newline at rotation', async () => {
    const file = new OneFile({})
    file.append('one\ntwo')
    await file.harness.start()
    await file.harness.advance(1_000)
    expect(messages(file)).toEqual(['one'])
    await file.end()
    expect(messages(file)).toEqual(['one', 'two'])
  })
})

test.each(['stop', 'crash'] as const)(
  'the rest of a cut line is no document, also behind a restart by %s',
  async (how) => {
    const file = new OneFile({ lineBytesMax: 1_000 })
    await file.harness.start()
    file.append('é'.repeat(2_000))
    await file.harness.advance(3_000)
    await file.restart(how)
    await file.harness.advance(1_000)
    file.append(`${'x'.repeat(3_000)}\nnext\n`)
    await file.harness.advance(3_000)
    expect(file.said()).toEqual([
      { offset: 0, message: 'é'.repeat(500), truncated: true },
      { offset: 7_001, message: 'next', truncated: false },
    ])
    expect(file.harness.messages.filter(({ code }) => code === 'LINE_CUT')).toHaveLength(1)
  },
)

test('a byte order mark of UTF-8 is no part of the first line, which begins behind it', async () => {
  const file = new OneFile({})
  file.append('\uFEFFone\n\uFEFFtwo\n')
  await file.harness.start()
  await file.harness.advance(1_000)
  expect(file.said()).toMatchObject([
    { offset: 3, message: 'one' },
    { offset: 7, message: '\uFEFFtwo' },
  ])
})

describe.each(['utf-16le', 'utf-16be'] as const)('a file in %s', (charset) => {
  const encode = utf16[charset]

  test('is shipped as UTF-8, with the offsets of the file, byte by byte and behind restarts', async () => {
    const file = new OneFile({})
    await file.harness.start()
    const bytes = encode('\uFEFF1 Ċਊ\r\n2 😀\n3\n')
    for (const [at, byte] of bytes.entries()) {
      file.append(Buffer.of(byte))
      await file.harness.advance(50)
      if (at % 7 === 6) {
        await file.harness.advance(2_000)
        await file.restart(at % 2 === 0 ? 'stop' : 'crash')
      }
    }
    await file.harness.advance(2_000)
    expect(file.said()).toEqual([
      { offset: 2, message: '1 Ċਊ', truncated: false },
      { offset: 14, message: '2 😀', truncated: false },
      { offset: 24, message: '3', truncated: false },
    ])
    expect(file.harness.messages.map(({ code }) => code)).not.toContain('BINARY_FILE')
  })

  test('goes on inside an archive that was made while nobody read', async () => {
    const file = new OneFile({})
    file.append(encode(`\uFEFF${numbers(1, 500).join('\n')}\n`))
    await file.harness.start()
    await file.harness.advance(5_000)
    await file.harness.stop()
    file.append(encode(`${numbers(501, 1_000).join('\n')}\n`))
    file.files.write(file.files.open('/logs/app.log.1.gz'), gzipSync(file.inode.bytes))
    file.files.remove('/logs/app.log')
    await file.harness.start()
    await file.harness.advance(60_000)
    expect(messages(file)).toEqual(numbers(1, 1_000))
  })

  test.each([
    ['a\nb', ['behind']],
    ['a\n', ['new', 'behind']],
    // Half of a newline.
    ['a\n', ['new', 'behind'], 1],
    ['aĊ', ['behind'], 1],
  ])('read from its end: after %j', async (text, expected, cutBytes = 0) => {
    const whole = encode(`\uFEFF1\n${text}`)
    const file = new OneFile({ startAt: 'end' })
    file.append(whole.subarray(0, whole.length - cutBytes))
    await file.harness.start()
    await file.harness.advance(1_000)
    file.append(Buffer.concat([whole.subarray(whole.length - cutBytes), encode('new\nbehind\n')]))
    await file.harness.advance(1_000)
    expect(messages(file)).toEqual(expected)
  })
})

test.each([
  ['UTF-8, while it may still end', 'a'.repeat(64), 16 * 1024 * 1024, 1_000],
  ['UTF-8, cut', 'a'.repeat(64), 4096, 1_000],
  ['UTF-16, while it may still end', '\uFEFF'.concat('Ċ'.repeat(64)), 16 * 1024 * 1024, 1_001],
  ['UTF-16, cut', '\uFEFF'.concat('Ċ'.repeat(64)), 4096, 1_001],
])('an endless line in small pieces is read three times at most: %s', async (what, text, lineBytesMax, pieceBytes) => {
  const begin = Buffer.from(text, what.startsWith('UTF-8') ? 'utf8' : 'utf16le')
  const whole = Buffer.alloc(4_000_000, begin.subarray(2))
  begin.copy(whole)
  let bytesRead = 0
  const file = new OneFile(
    { lineBytesMax },
    {
      batchBytes: lineBytesMax * 6 + 65_536,
      slots: 1,
      concurrency: 1,
      disk: () => {
        const disk = memoryDisk(file.files)
        return {
          ...disk,
          read: (...parameters) => {
            const got = disk.read(...parameters)
            bytesRead += got
            return got
          },
        }
      },
    },
  )
  await file.harness.start()
  for (let at = pieceBytes; at < whole.length; at += pieceBytes) {
    file.files.write(file.inode, whole.subarray(0, at))
    file.harness.hint('/logs')
    await file.harness.advance(20)
  }
  expect(file.harness.agent.ledger.readBytes > 0).toBe(lineBytesMax === 4096)
  expect(bytesRead / whole.length).toBeLessThan(3)
})
