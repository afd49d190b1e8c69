import { describe, expect, test } from 'vitest'
import { OneFile } from './kit.ts'

const nuls = (count: number) => Buffer.alloc(count)
const codes = (file: OneFile) => file.harness.messages.map(({ code }) => code)

describe('a hole', () => {
  test('that a writer without O_APPEND leaves behind a truncation is passed over, said once and counted', async () => {
    const file = new OneFile({})
    await file.harness.start()
    file.append('2026-01-01 one\n2026-01-01 two\n'.repeat(100))
    await file.harness.advance(1_000)
    const oldBytes = file.inode.bytes.length
    file.files.truncate(file.inode)
    file.append(Buffer.concat([nuls(oldBytes), Buffer.from('2026-01-01 three\n')]))
    await file.harness.advance(1_000)
    file.append('2026-01-01 four\n')
    await file.harness.advance(20_000)
    expect(file.said().filter(({ offset }) => offset >= oldBytes)).toEqual([
      { offset: oldBytes, message: '2026-01-01 three', truncated: false },
      { offset: oldBytes + 17, message: '2026-01-01 four', truncated: false },
    ])
    expect(file.said()).toHaveLength(202)
    expect(codes(file).filter((code) => code === 'HOLE_SKIPPED')).toHaveLength(1)
    expect(codes(file)).not.toContain('BINARY_FILE')
    const { ledger } = file.harness.agent
    expect(ledger.skippedBytes).toBe(oldBytes)
    expect(ledger.readLines).toBe(202)
  })

  test.each([1, 255, 256, 257, 511, 512, 5_000, 300_000])('of %i bytes at the start', async (bytes) => {
    const file = new OneFile({})
    file.append(nuls(bytes))
    await file.harness.start()
    await file.harness.advance(1_000)
    file.append('a\0b\nc\n')
    await file.harness.advance(1_000)
    expect(file.said()).toMatchObject([
      { offset: bytes, message: 'a\0b' },
      { offset: bytes + 4, message: 'c' },
    ])
  })

  test.each([
    [512, [{ offset: 4 + 512, message: 'two' }]],
    [100_000, [{ offset: 4 + 100_000, message: 'two' }]],
    // Fewer are text: nothing may be left out.
    [511, [{ offset: 4, message: `${'\0'.repeat(511)}two` }]],
    [1, [{ offset: 4, message: '\0two' }]],
  ])('of %i bytes at a line, which grows while it is read', async (bytes, expected) => {
    const file = new OneFile({})
    file.append('one\n')
    await file.harness.start()
    for (let at = 0; at < bytes; at += Math.ceil(bytes / 5)) {
      file.append(nuls(Math.min(Math.ceil(bytes / 5), bytes - at)))
      await file.harness.advance(500)
    }
    file.append('two\n')
    await file.harness.advance(500)
    expect(file.said().slice(1)).toMatchObject(expected)
  })

  test.each(['stop', 'crash'] as const)('goes on behind a restart by %s', async (how) => {
    const file = new OneFile({})
    file.append(nuls(5_000))
    await file.harness.start()
    await file.harness.advance(3_000)
    await file.restart(how)
    file.append(nuls(10))
    await file.harness.advance(3_000)
    await file.restart(how)
    file.append('text\n')
    await file.harness.advance(3_000)
    expect(file.said()).toMatchObject([{ offset: 5_010, message: 'text' }])
    expect(file.harness.agent.ledger.readBytes, 'what was passed is not read again').toBeLessThan(100)
  })

  test('at the end of a file is no line', async () => {
    const file = new OneFile({})
    file.append(Buffer.concat([Buffer.from('one\n'), nuls(3_000)]))
    await file.harness.start()
    await file.end()
    expect(file.said()).toMatchObject([{ offset: 0, message: 'one' }])
  })

  test('inside a line is text, and the line is cut as any other', async () => {
    const file = new OneFile({ lineBytesMax: 1_000 })
    file.append(Buffer.concat([Buffer.from('one'), nuls(5_000), Buffer.from('\ntwo\n')]))
    await file.harness.start()
    await file.harness.advance(1_000)
    expect(file.said()).toEqual([
      { offset: 0, message: `one${'\0'.repeat(997)}`, truncated: true },
      { offset: 5_004, message: 'two', truncated: false },
    ])
  })
})

test('NUL bytes in the first lines are called binary, once; a hole is not', async () => {
  const file = new OneFile({})
  file.append(Buffer.concat([nuls(700), Buffer.from('a\0b\0\n'), nuls(600), Buffer.from('c\n')]))
  await file.harness.start()
  await file.harness.advance(1_000)
  expect(codes(file).filter((code) => code === 'BINARY_FILE')).toHaveLength(1)
  const other = new OneFile({})
  other.append(Buffer.concat([nuls(7), Buffer.from('a\n'), nuls(600), Buffer.from('c\n')]))
  await other.harness.start()
  await other.harness.advance(1_000)
  expect(codes(other)).not.toContain('BINARY_FILE')
  expect(other.said()).toMatchObject([{ offset: 7 }, { offset: 609 }])
})
