import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { memberHeader } from '../../src/base/archive-gzip.ts'
import { FrameEnd, frameHeader } from '../../src/base/archive-zstd.ts'
import { systemDisk as disk } from '../../src/base/disk.ts'
import { codeOf } from '../../src/base/errors.ts'
import { limits } from '../../src/base/limits.ts'
import { packingOf, unpackBytes, type Packing, type ReadAt } from '../../src/base/unpack.ts'
import { runs } from './runs.ts'

const packings = ['gzip', 'zstd'] as const
const checksum = { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } }
const skippable = Buffer.from('512a4d1804000000deadbeef', 'hex')

function pack(bytes: Uint8Array, packing: Packing): Buffer {
  return packing === 'gzip' ? zlib.gzipSync(bytes) : zlib.zstdCompressSync(bytes, checksum)
}

/** Reads as a kernel may: at times fewer bytes than asked for. */
function reading(bytes: Buffer, shortBytes = Infinity): ReadAt {
  return (into, at, length, position) => {
    const part = bytes.subarray(position, position + Math.min(length, shortBytes))
    into.set(part, at)
    return part.length
  }
}

async function unpacked(read: ReadAt, packing: Packing): Promise<{ text: string; code: string }> {
  const pieces: Buffer[] = []
  let code = ''
  try {
    for await (const piece of unpackBytes(read, packing)) pieces.push(Buffer.from(piece))
  } catch (error) {
    code = codeOf(error)
    if (code === '') throw error
  }
  for (const { length } of pieces) expect(length).toBeLessThanOrEqual(limits.unpackChunkBytes)
  return { text: Buffer.concat(pieces).toString('latin1'), code }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
/** Lines with something in them that does not compress. */
const lines = (count: number) =>
  Buffer.from(Array.from({ length: count }, (_, n) => `line ${n} ${Math.imul(n, 2654435761) >>> 0}\n`).join(''))

test.each([
  ['1f8b0800', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['5a2a4d18', 'zstd'],
  ['fd377a585a00', 'other'],
  ['504b0304', 'other'],
  ['425a6834314159265359', 'other'],
  ['425a6830314159265359', undefined],
  ['1f8b', undefined],
  ['1f8b07', undefined],
  ['', undefined],
  ['2e1f8b08', undefined],
])('what begins with %s is %s', (head, packing) => expect(packingOf(Buffer.from(head, 'hex'))).toBe(packing))

test.each([
  ['1f8b0800000000000003', { kind: 'member', bytes: 10 }],
  ['1f8b0804000000000003 0200 abcd', { kind: 'member', bytes: 14 }],
  ['1f8b0804000000000003 0300 abcd', { kind: 'cut' }],
  ['1f8b0818000000000003 6100 00', { kind: 'member', bytes: 13 }],
  ['1f8b0818000000000003 6100', { kind: 'cut' }],
  ['1f8b0808000000000003 61', { kind: 'cut' }],
  ['1f8b0802000000000003 6100', { kind: 'member', bytes: 12 }],
  ['1f8b0802000000000003 61', { kind: 'cut' }],
  ['1f8b08', { kind: 'cut' }],
  ['1f', { kind: 'cut' }],
  ['1f8c', { kind: 'none' }],
  ['', { kind: 'none' }],
])('the gzip header %s', (hex, expected) =>
  expect(memberHeader(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toEqual(expected),
)

test.each([
  ['28b52ffd 00 48', { kind: 'frame', bytes: 6, windowBytes: 2 ** 19, checksum: false }],
  ['28b52ffd 04 49', { kind: 'frame', bytes: 6, windowBytes: 2 ** 19 * 1.125, checksum: true }],
  ['28b52ffd 20 05', { kind: 'frame', bytes: 6, windowBytes: 5, checksum: false }],
  ['28b52ffd 60 0001', { kind: 'frame', bytes: 7, windowBytes: 512, checksum: false }],
  ['28b52ffd a0 00000001', { kind: 'frame', bytes: 9, windowBytes: 2 ** 24, checksum: false }],
  ['28b52ffd e3 00000000 0000000001000000', { kind: 'frame', bytes: 17, windowBytes: 2 ** 32, checksum: false }],
  ['28b52ffd c1 48 07 0000000001000000', { kind: 'frame', bytes: 15, windowBytes: 2 ** 19, checksum: false }],
  ['28b52ffd 60 00', { kind: 'cut' }],
  ['28b52ffd', { kind: 'cut' }],
  ['28b5', { kind: 'cut' }],
  ['582a', { kind: 'cut' }],
  ['582a4d18 040000', { kind: 'cut' }],
  ['5f2a4d18 04000000', { kind: 'skippable', bytes: 12 }],
  ['602a4d18 04000000', { kind: 'none' }],
  ['28b6', { kind: 'none' }],
  ['', { kind: 'none' }],
])('the zstd header %s', (hex, expected) =>
  expect(frameHeader(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toEqual(expected),
)

test('a zstd frame ends where it ends, in whatever pieces it comes', () => {
  const frame = pack(lines(20_000), 'zstd')
  const head = frameHeader(frame.subarray(0, 18))
  if (head.kind !== 'frame') throw new Error('no frame')
  for (const pieceBytes of [1, 2, 3, 7, 1000, 1e6]) {
    const end = new FrameEnd(head.bytes, head.checksum)
    const all = Buffer.concat([frame, Buffer.alloc(50, 1)])
    let taken = 0
    for (let at = 0; at < all.length; at += pieceBytes) taken += end.take(all.subarray(at, at + pieceBytes))
    expect([taken, end.whole]).toEqual([frame.length, true])
  }
})

describe.each(packings)('%s', (packing) => {
  test('any contents in any number of parts come out as they went in', async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .uint8Array({ minLength: 1, maxLength: 20 })
        .chain((some) => fc.nat(300_000).map((length) => new Uint8Array(Buffer.alloc(length, some)))),
      fc.nat(8_000).map((count) => new Uint8Array(lines(count))),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ content, before: fc.boolean() }), { minLength: 1, maxLength: 5 }),
        fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: Infinity }),
        fc.constantFrom('', '\0\0\0', 'garbage', '\n'),
        async (parts, shortBytes, garbage) => {
          const packed = parts.map(({ content: bytes, before }) =>
            packing === 'zstd' && before ? Buffer.concat([skippable, pack(bytes, packing)]) : pack(bytes, packing),
          )
          const read = reading(Buffer.concat([...packed, Buffer.from(garbage)]), shortBytes)
          const whole = Buffer.concat(parts.map(({ content: bytes }) => bytes))
          expect(await unpacked(read, packing)).toEqual({ text: text(whole), code: '' })
        },
      ),
      runs(60),
    )
  })

  test('cut at any byte, it gives what can be unpacked, and says that it was cut', async () => {
    const steps: { packed: number; plain: number }[] = []
    const engine = packing === 'gzip' ? zlib.createGzip() : zlib.createZstdCompress(checksum)
    const pieces: Buffer[] = []
    engine.on('data', (piece: Buffer) => pieces.push(piece))
    const packedBytes = () => pieces.reduce((sum, { length }) => sum + length, 0)
    const whole = lines(40)
    const part = whole.length / 4
    for (let n = 0; n < 4; n++) {
      engine.write(whole.subarray(n * part, (n + 1) * part))
      await new Promise<void>((resolve) => engine.flush(resolve))
      await new Promise(setImmediate)
      steps.push({ packed: packedBytes(), plain: Math.floor((n + 1) * part) })
    }
    await new Promise<void>((resolve) => engine.once('end', resolve).end())
    const archive = Buffer.concat(pieces)
    for (let length = 1; length < archive.length; length++) {
      const got = await unpacked(reading(archive.subarray(0, length)), packing)
      expect([length, got.code]).toEqual([length, 'ARCHIVE_CUT'])
      expect(text(whole).startsWith(got.text)).toBe(true)
      const least = steps.findLast(({ packed }) => packed <= length)?.plain ?? 0
      expect(got.text.length).toBeGreaterThanOrEqual(least)
    }
    expect(await unpacked(reading(archive), packing)).toEqual({ text: text(whole), code: '' })
  })

  test('damaged at any byte, it never gives other contents without saying so', async () => {
    const whole = text(lines(30))
    const archive = pack(lines(30), packing)
    const codes = new Set<string>()
    for (let at = 0; at < archive.length; at++) {
      for (const bits of [1, 0x10, 0x80, 0xff]) {
        const damaged = Buffer.from(archive)
        damaged[at]! ^= bits
        const { text: got, code } = await unpacked(reading(damaged), packing)
        codes.add(code)
        expect(code !== '' || got === whole, `byte ${at} by ${bits}`).toBe(true)
      }
    }
    const known = ['', 'ARCHIVE_BROKEN', 'ARCHIVE_CUT', 'ARCHIVE_WINDOW']
    expect([...codes].filter((code) => !known.includes(code))).toEqual([])
    expect(codes).toContain('ARCHIVE_BROKEN')
  })

  test('what stands before a damage in a large one is given, but for the last piece', async () => {
    const whole = lines(200_000)
    const archive = pack(whole, packing)
    archive.fill(0xff, archive.length >> 1, (archive.length >> 1) + 300)
    const { text: got, code } = await unpacked(reading(archive), packing)
    expect(code).toBe('ARCHIVE_BROKEN')
    expect(got.length).toBeGreaterThan(whole.length / 3)
    expect(packing === 'gzip' || text(whole).startsWith(got)).toBe(true)
  })

  test('a read that fails comes out as it is, after all that was read before', async () => {
    const archive = pack(lines(100_000), packing)
    const failure = Object.assign(new Error('EIO'), { code: 'EIO' })
    const read: ReadAt = (into, at, length, position) => {
      if (position >= limits.unpackInputBytes) throw failure
      return reading(archive)(into, at, length, position)
    }
    const cut = await unpacked(reading(archive.subarray(0, limits.unpackInputBytes)), packing)
    const failed = await unpacked(read, packing)
    expect(cut.text.length).toBeGreaterThan(1e5)
    expect(failed.code).toBe('EIO')
    expect(failed.text === cut.text).toBe(true)
  })

  test('nothing is read ahead of who does not ask, nor after the iterator was left', async () => {
    const archive = pack(lines(300_000), packing)
    let reads = 0
    const read: ReadAt = (...parameters) => (reads++, reading(archive)(...parameters))
    const iterator = unpackBytes(read, packing)
    expect(archive.length).toBeGreaterThan(10 * limits.unpackInputBytes)
    await iterator.next()
    // The same work to its end takes longer than what might be under way.
    await unpacked(reading(archive), packing)
    expect(reads).toBeLessThanOrEqual(4)
    const under = iterator.next()
    await Promise.all([under, iterator.return(undefined)])
    const before = reads
    await unpacked(reading(archive), packing)
    expect(reads).toBe(before)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })
})

test('gzip with an endless name, and zstd with nothing but frames without content, are given up', async () => {
  const endless = Buffer.concat([Buffer.from('1f8b0808000000000003', 'hex'), Buffer.alloc(1e6, 'a')])
  expect((await unpacked(reading(endless), 'gzip')).code).toBe('ARCHIVE_BROKEN')
  const padding = Buffer.concat(Array.from({ length: 1_001 }, () => skippable))
  expect((await unpacked(reading(padding), 'zstd')).code).toBe('ARCHIVE_BROKEN')
  expect((await unpacked(reading(skippable), 'zstd')).code).toBe('')
  expect((await unpacked(reading(skippable.subarray(0, 11)), 'zstd')).code).toBe('ARCHIVE_CUT')
})

/** A zstd block of four bytes that stands for 128 KiB. */
const block = (last: number) => [
  (((2 ** 17) << 3) | 2 | last) & 255,
  (((2 ** 17) << 3) >> 8) & 255,
  ((2 ** 17) << 3) >> 16,
  0,
]

describe('what the tools make', () => {
  let directory: string
  beforeEach(() => void (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-unpack-'))))
  afterEach(() => fs.rmSync(directory, { recursive: true }))
  const whole = lines(100_000)

  async function unpackedFile(tool: string, options: readonly string[], packing: Packing, tail = '') {
    const file = path.join(directory, 'archive')
    const packed = execFileSync(tool, [...options, '-c'], { input: whole, maxBuffer: 2 ** 28 })
    fs.writeFileSync(file, Buffer.concat([packed, Buffer.from(tail)]))
    const descriptor = disk.open(file)
    const pieces: Buffer[] = []
    let code = ''
    try {
      for await (const piece of disk.unpack(descriptor, packing)) pieces.push(piece)
    } catch (error) {
      code = codeOf(error)
    }
    // Still open.
    disk.close(descriptor)
    return { same: Buffer.concat(pieces).equals(whole), code }
  }

  test.each([
    ['gzip', [], ''],
    ['gzip', ['-1'], 'garbage'],
    ['gzip', ['-9'], '\0\0'],
    ['zstd', ['-q'], ''],
    ['zstd', ['-q', '-19'], ''],
    ['zstd', ['-q', '--no-check'], 'garbage'],
    ['zstd', ['-q', '--fast=5', '-T2'], ''],
  ] as const)('%s %j', async (tool, options, tail) => {
    expect(await unpackedFile(tool, options, tool, tail)).toEqual({ same: true, code: '' })
  })

  test('a window of 128 MiB is refused', async () => {
    expect(await unpackedFile('zstd', ['-q', '-1', '--long=27'], 'zstd')).toEqual({
      same: false,
      code: 'ARCHIVE_WINDOW',
    })
  })

  test.each(packings)('a gibibyte of zeros in %s takes no memory', async (packing) => {
    const file = path.join(directory, 'bomb')
    const zeros = 2 ** 30
    if (packing === 'gzip') {
      const part = zlib.gzipSync(Buffer.alloc(2 ** 26))
      fs.writeFileSync(file, Buffer.concat(Array.from({ length: 16 }, () => part)))
    } else {
      const blocks = Array.from({ length: zeros / 2 ** 17 }, (_, n) => block(Number(n === zeros / 2 ** 17 - 1)))
      fs.writeFileSync(file, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38, ...blocks.flat()]))
    }
    const script = `
      import { systemDisk } from ${JSON.stringify(fileURLToPath(new URL('../../src/base/disk.ts', import.meta.url)))}
      const [, file, packing] = process.argv
      const descriptor = systemDisk.open(file)
      let bytes = 0
      const beforeKiB = process.resourceUsage().maxRSS
      for await (const piece of systemDisk.unpack(descriptor, packing)) bytes += piece.length
      console.log(JSON.stringify({ bytes, grownKiB: process.resourceUsage().maxRSS - beforeKiB }))`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script, file, packing])
    const { bytes, grownKiB } = JSON.parse(output.toString()) as { bytes: number; grownKiB: number }
    expect(bytes).toBe(zeros)
    expect(grownKiB).toBeLessThan(96 * 1024)
  })
})
