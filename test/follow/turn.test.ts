import { beforeEach, describe, expect, test } from 'vitest'
import type { Disk } from '../../src/base/disk.ts'
import { limits } from '../../src/base/limits.ts'
import { Generation } from '../../src/follow/generation.ts'
import { fingerprintOf } from '../../src/follow/identity.ts'
import { advance, findEncoding, readTurn, type Turn } from '../../src/follow/turn.ts'
import { memoryDisk } from '../kit/agent-disk.ts'
import { MemoryFiles, type Inode } from '../kit/agent-files.ts'

const newline = 10

/** One open file, read as the pump reads it: whole lines are taken, the rest is left. */
class Reading {
  readonly files = new MemoryFiles(() => 0)
  readonly inode: Inode
  readonly generation = new Generation('/app.log', '/app.log', 0, 0, 20)
  readonly input: Buffer
  readonly disk: Disk
  readonly lineBytesMax: number
  lines: string[] = []
  bytesRead = 0

  constructor(lineBytesMax: number) {
    this.lineBytesMax = lineBytesMax
    this.input = Buffer.alloc(lineBytesMax + 4096)
    this.inode = this.files.open('/app.log')
    const disk = memoryDisk(this.files)
    this.disk = {
      ...disk,
      read: (...parameters) => {
        const got = disk.read(...parameters)
        this.bytesRead += got
        return got
      },
    }
    this.generation.descriptor = this.disk.open('/app.log')
  }

  write(text: string): void {
    this.files.append(this.inode, text)
  }

  refill(text: string): void {
    this.files.truncate(this.inode)
    this.write(text)
  }

  turn(final = false, wantedBytes = 4096): Turn {
    const { generation, input } = this
    const turn = readTurn(this.disk, generation, input, this.lineBytesMax, final, wantedBytes)
    if (turn.kind !== 'bytes') return turn
    let end = turn.from
    for (;;) {
      const next = input.subarray(0, turn.to).indexOf(newline, end)
      if (next === -1) break
      this.lines.push(input.toString('utf8', end, next))
      end = next + 1
    }
    if (final && turn.atEnd && turn.to > end) {
      this.lines.push(input.toString('utf8', end, turn.to))
      end = turn.to
    }
    advance(generation, input, turn.from, end - turn.from, turn.to - turn.from, false)
    return turn
  }

  /** Turns until there is nothing more. */
  read(final = false): string[] {
    this.lines = []
    while (this.turn(final).kind === 'bytes' && this.generation.readable);
    return this.lines
  }
}

let file: Reading
beforeEach(() => {
  file = new Reading(4096)
})

describe('a turn', () => {
  test('reads from the offset on, and knows when it is at the end', () => {
    expect(file.turn()).toEqual({ kind: 'nothing' })
    file.write('one\ntwo\n')
    expect(file.turn()).toMatchObject({ kind: 'bytes', from: 0, to: 8, atEnd: true })
    expect(file.lines).toEqual(['one', 'two'])
    expect(file.generation.offset).toBe(8)
    expect(file.turn()).toEqual({ kind: 'nothing' })
    file.write('three\n')
    // With the bytes before it, to compare them.
    expect(file.turn()).toMatchObject({ kind: 'bytes', from: 8, to: 14 })
    expect(file.lines).toEqual(['one', 'two', 'three'])
  })

  test('reads no more than is of use, but a whole line in any case', () => {
    file.write('x'.repeat(99).concat('\n').repeat(200))
    const turn = file.turn(false, 1000)
    expect(turn).toMatchObject({ kind: 'bytes', from: 0, to: 4096 + 4, atEnd: false })
  })

  test('reads no less than tells a hole', () => {
    file = new Reading(100)
    file.files.write(file.inode, Buffer.alloc(600))
    expect(file.turn(false, 10)).toMatchObject({ kind: 'bytes', from: 0, to: limits.holeBytesMin })
  })

  test('takes what a disk gives that gives less than is there', () => {
    file = new Reading(100)
    const whole = { ...file.disk }
    file.disk.read = (descriptor, into, at, length, position) =>
      whole.read(descriptor, into, at, Math.min(length, 7), position)
    file.write('a line that is longer than one read\n')
    expect(file.turn()).toMatchObject({ kind: 'bytes', from: 0, to: 36, atEnd: true })
  })

  test('leaves a line without its newline, and takes it when that comes', () => {
    file.write('one\npart')
    expect(file.read()).toEqual(['one'])
    expect(file.generation.offset).toBe(4)
    expect(file.generation.readable).toBe(false)
    file.write('ial')
    expect(file.turn()).toEqual({ kind: 'nothing' })
    file.write(' line\ntwo\n')
    expect(file.read()).toEqual(['partial line', 'two'])
  })

  test('takes it without, when its file has ended', () => {
    file.write('one\npartial')
    expect(file.read()).toEqual(['one'])
    expect(file.read(true)).toEqual(['partial'])
    expect(file.generation.unreadBytes).toBe(0)
  })

  test('hands out a line that is too long before its newline comes', () => {
    file.write('x'.repeat(4100))
    expect(file.turn()).toMatchObject({ kind: 'bytes', to: 4100 })
    expect(file.generation.offset).toBe(0)
    file.write('y')
    expect(file.turn()).toMatchObject({ kind: 'bytes' })
  })
})

describe('another content in the same file', () => {
  const beginning = 'a line that was read\n'

  test.each([
    ['emptied', ''],
    ['shorter', 'new\n'],
    ['of the same length', 'a line that comes now'.padEnd(beginning.length - 1).concat('\n')],
    ['longer', 'a line that was not read\nand more\n'],
    ['longer, with another last byte only', `${beginning.slice(0, -2)}D\nand more\n`],
  ])('%s: read to its end before', (_what, text) => {
    file.write(beginning)
    file.read()
    file.refill(text)
    // With not a byte behind the offset there is nothing to read; the listing's look compares then.
    expect(file.turn().kind).toBe(text.length === beginning.length ? 'nothing' : 'replaced')
    file.write('more\n')
    expect(file.turn().kind).toBe('replaced')
  })

  test('while a line was awaited', () => {
    file.write('one\nthe beginning of')
    file.read()
    file.refill('other\nthe beginning of a longer line\n')
    expect(file.turn().kind).toBe('replaced')
  })

  test('while the first line was awaited: nothing was shipped, so nothing ends', () => {
    file.write('the beginning of')
    file.read()
    file.refill('one\ntwo')
    file.generation.sizeBytes = file.inode.bytes.length
    if (file.generation.sizeBytes < file.generation.searchedTo) file.generation.searchAgain()
    expect(file.read()).toEqual(['one'])
  })

  test('as long as what was searched, with its newline before: it is found', () => {
    file.write('the beginning of a line that does not end')
    file.read()
    file.refill('a line\nthe beginning of one that does not end either')
    expect(file.read()).toEqual(['a line'])
  })

  test('under a fingerprint that an id was made of', () => {
    file.write('x'.repeat(2000))
    file.generation.fingerprint = fingerprintOf(file.disk, file.generation.descriptor, false)
    expect(file.generation.fingerprint?.bytes).toBe(limits.fingerprintBytesMax)
    file.read()
    file.refill('y'.repeat(500))
    expect(file.turn().kind).toBe('replaced')
    file.refill('y'.repeat(3000).concat('\n'))
    expect(file.turn().kind).toBe('replaced')
  })
})

test.each([
  ['10 MB in pieces of 1 KB', 10_000_000, 1_000],
  ['1 MB in pieces of 100 B', 1_000_000, 100],
])('a line of %s is read at most three times', (_what, lineBytes, pieceBytes) => {
  file = new Reading(16 * 1024 * 1024)
  const whole = Buffer.alloc(lineBytes + 1, 'x')
  whole[lineBytes] = newline
  for (let bytes = pieceBytes; bytes <= lineBytes; bytes += pieceBytes) {
    file.files.write(file.inode, whole.subarray(0, bytes))
    file.turn()
  }
  expect(file.lines).toEqual([])
  file.files.write(file.inode, whole)
  file.turn()
  expect(file.lines.map((line) => line.length)).toEqual([lineBytes])
  expect(file.bytesRead).toBeLessThanOrEqual(3 * lineBytes)
})

describe('the encoding', () => {
  test('is that of the bytes that the fingerprint was made of', () => {
    file.files.write(file.inode, Buffer.from('\uFEFFone\n', 'utf16le'))
    file.generation.fingerprint = fingerprintOf(file.disk, file.generation.descriptor, false)
    expect(findEncoding(file.disk, file.generation)).toBe(true)
    expect(file.generation.encoding).toEqual({ charset: 'utf-16le', markBytes: 2 })
  })

  test('is not that of another content in the same file', () => {
    file.write('one\ntwo\n')
    file.generation.fingerprint = fingerprintOf(file.disk, file.generation.descriptor, false)
    file.files.write(file.inode, Buffer.from('\uFEFFone\ntwo\n', 'utf16le'))
    expect(findEncoding(file.disk, file.generation)).toBe(false)
    expect(file.generation.encoding).toBeUndefined()
  })
})

test('the bytes before the offset that are kept are few, and no part of the input', () => {
  file.write(`${'x'.repeat(3000)}\nshort\n`)
  file.read()
  const { guard } = file.generation
  expect(guard.length).toBe(limits.guardBytes)
  expect(guard.toString().endsWith('x\nshort\n')).toBe(true)
  file.input.fill(0)
  expect(guard.toString().endsWith('x\nshort\n')).toBe(true)
})
