import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import zlib from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { assert, codeOf } from '../../src/base/errors.ts'
import { limits } from '../../src/base/limits.ts'
import type { Packing } from '../../src/base/unpack.ts'
import { Generation } from '../../src/follow/generation.ts'
import { fingerprintOf, guardAt, hashOf } from '../../src/follow/identity.ts'
import { advance, readTurn } from '../../src/follow/turn.ts'
import { probe, Unpacking, unpackingSizes } from '../../src/follow/unpacking.ts'
import { runs } from '../base/runs.ts'
import { memoryDisk } from '../kit/agent-disk.ts'
import { diskError, MemoryFiles, type DiskHooks } from '../kit/agent-files.ts'

const packings = ['gzip', 'zstd'] as const

function pack(bytes: Uint8Array, packing: Packing): Buffer {
  return packing === 'gzip' ? zlib.gzipSync(bytes) : zlib.zstdCompressSync(bytes)
}

const lines = (count: number, from = 0) =>
  Buffer.from(Array.from({ length: count }, (_, n) => `line ${from + n} ${Math.imul(n, 2654435761) >>> 0}\n`).join(''))

function memory(bytes: Buffer, hooks: DiskHooks = {}) {
  const files = new MemoryFiles(() => 0)
  files.makeDirectory('/logs')
  const inode = files.open('/logs/app.log.1.gz')
  files.write(inode, bytes)
  const disk = memoryDisk(files, hooks)
  return { files, inode, disk, open: () => disk.open('/logs/app.log.1.gz') }
}

/** Wakes who waits for progress. */
class Progress {
  #waiting: (() => void)[] = []
  calls = 0

  readonly came = (): void => {
    this.calls++
    for (const wake of this.#waiting.splice(0)) wake()
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

describe.each(packings)('%s', (packing) => {
  test('any reads, from any place on, bring the bytes that are inside', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2_000).map((count) => lines(count)),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(500),
        fc.integer({ min: 1, max: 3_000 }),
        fc.array(fc.record({ length: fc.integer({ min: 1, max: 2_000 }), back: fc.nat(500) }), { minLength: 1 }),
        async (whole, share, backBytes, moreBytes, reads) => {
          const { disk, inode, open } = memory(pack(whole, packing))
          const progress = new Progress()
          const sizes = { backBytes, windowBytes: 2 * backBytes + moreBytes }
          const unpacking = new Unpacking(disk, sizes, progress.came)
          const from = Math.floor(whole.length * share)
          const virtual = unpacking.openUnpacked(open(), packing, from)
          let [furthest, done] = [from, false]
          for (let turn = 0; !done; turn++) {
            const size = unpacking.sizeOf(virtual).sizeBytes
            expect(size).toBeGreaterThanOrEqual(from)
            expect(size).toBeLessThanOrEqual(whole.length)
            const { length, back } = reads[turn % reads.length]!
            // Not each time, for it is to come to its end.
            const position = turn % 2 === 0 ? furthest : Math.max(from, furthest - Math.min(back, backBytes))
            const into = Buffer.alloc(length + 2, '.')
            const got = unpacking.read(virtual, into, 1, length, position)
            expect(
              into.equals(
                Buffer.from(`.${whole.toString('latin1', position, position + got)}${'.'.repeat(length + 1 - got)}`),
              ),
            ).toBe(true)
            // All that is told to be there is there, once it was reached.
            expect(got === 0 || got === Math.min(length, size - position)).toBe(true)
            furthest = Math.max(furthest, position)
            if (position + got > furthest) furthest = position + got
            done = unpacking.isWhole(virtual) && furthest === whole.length
            if (!done && furthest >= size && !unpacking.isWhole(virtual)) {
              // As if asked again: tells that all of it was read.
              const past = unpacking.read(virtual, into, 1, length, furthest)
              assert(past === 0, 'nothing is there yet')
              await progress.next()
            }
          }
          expect(unpacking.sizeOf(virtual).sizeBytes).toBe(whole.length)
          expect(unpacking.failureOf(virtual)).toBe(undefined)
          unpacking.close(virtual)
          expect([unpacking.archives, inode.opens]).toEqual([0, 0])
        },
      ),
      runs(150),
    )
  })

  test.each([300, 2_000, 70_000])(
    'by turns, with lines of up to %i bytes, every line comes once',
    async (lineBytesMax) => {
      const wanted: string[] = []
      for (let n = 0; n < 40 || wanted.join('\n').length < 6 * lineBytesMax + 1e6; n++) {
        wanted.push(String(n).padEnd((Math.imul(n, 2654435761) >>> 0) % lineBytesMax, 'x'))
      }
      const whole = Buffer.from(`${wanted.join('\n')}\n`)
      const { disk, open } = memory(pack(whole, packing))
      const progress = new Progress()
      const unpacking = new Unpacking(disk, unpackingSizes(lineBytesMax), progress.came)
      const generation = new Generation('/logs/app.log', '/logs/app.log', 0, 0, 20)
      generation.descriptor = unpacking.openUnpacked(open(), packing, 0)
      const input = Buffer.alloc(lineBytesMax + 2 + limits.guardBytes + limits.quantumBytes)
      const got: string[] = []
      let [turns, searches] = [0, 0]
      for (; generation.offset < whole.length && turns < 1e5; turns++) {
        if (generation.searchedTo > generation.offset) searches++
        const turn = readTurn(unpacking, generation, input, lineBytesMax, false, limits.quantumBytes)
        expect(turn.kind).not.toBe('replaced')
        if (turn.kind === 'nothing') {
          await progress.next()
          continue
        }
        if (turn.kind !== 'bytes') break
        const bytes = input.subarray(turn.from, turn.to)
        const end = bytes.lastIndexOf(10) + 1
        got.push(...bytes.toString('latin1', 0, end).split('\n').slice(0, -1))
        advance(generation, input, turn.from, end, bytes.length, false)
      }
      expect(got).toEqual(wanted)
      expect(searches).toBeGreaterThan(0)
      unpacking.close(generation.descriptor)
    },
  )

  test('nothing is unpacked but a window and some pieces', async () => {
    const whole = lines(100_000)
    let given = 0
    const { disk, open } = memory(pack(whole, packing), {
      before: (call) => void (call === 'unpack' && (given += 700)),
    })
    const progress = new Progress()
    const sizes = { backBytes: 1_000, windowBytes: 20_000 }
    const unpacking = new Unpacking(disk, sizes, progress.came)
    const virtual = unpacking.openUnpacked(open(), packing, 500_000)
    expect(unpacking.sizeOf(virtual)).toMatchObject({ sizeBytes: 500_000, links: 1 })
    await progress.next()
    await new Promise(setImmediate)
    expect(unpacking.sizeOf(virtual).sizeBytes).toBe(520_000)
    expect(given).toBeLessThanOrEqual(520_000 + 1_400)
    expect(unpacking.factsOf(virtual)).toMatchObject({ kind: 'file', sizeBytes: 520_000 })
    expect(unpacking.pathOf(virtual)).toBe('/logs/app.log.1.gz')
    const into = Buffer.alloc(10)
    unpacking.read(virtual, into, 0, 10, 510_000)
    await progress.next()
    expect(unpacking.sizeOf(virtual).sizeBytes).toBe(529_000)
    expect(progress.calls).toBe(2)
    expect(() => unpacking.read(virtual, into, 0, 10, 508_999)).toThrow('were dropped')
    expect(unpacking.read(virtual, into, 0, 10, 529_000)).toBe(0)
    unpacking.close(virtual)
  })

  test('of one that is cut, what could be unpacked is there, and why there is no more', async () => {
    const archive = pack(lines(50_000), packing)
    const { disk, open } = memory(archive.subarray(0, archive.length >> 1))
    const progress = new Progress()
    const unpacking = new Unpacking(disk, unpackingSizes(1e6), progress.came)
    const virtual = unpacking.openUnpacked(open(), packing, 100)
    expect(unpacking.isWhole(virtual)).toBe(false)
    await progress.next()
    expect(unpacking.isWhole(virtual)).toBe(true)
    expect(codeOf(unpacking.failureOf(virtual))).toBe('ARCHIVE_CUT')
    const { sizeBytes } = unpacking.sizeOf(virtual)
    expect(sizeBytes).toBeGreaterThan(100_000)
    const into = Buffer.alloc(sizeBytes - 100)
    expect(unpacking.read(virtual, into, 0, into.length, 100)).toBe(into.length)
    expect(into.equals(lines(50_000).subarray(100, sizeBytes))).toBe(true)
    // Damaged before the place that was read already: it has not shrunk.
    const beyond = unpacking.openUnpacked(open(), packing, sizeBytes + 50)
    await progress.next()
    expect(unpacking.sizeOf(beyond).sizeBytes).toBe(sizeBytes + 50)
    for (const descriptor of [virtual, beyond]) unpacking.close(descriptor)
  })

  test('a probe tells what one pass can tell', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.nat(3_000).map((count) => lines(count)),
          fc.nat(3_000).map((length) => Buffer.alloc(length, 'x')),
        ),
        fc.array(fc.nat(60_000), { maxLength: 20 }),
        async (whole, asked) => {
          const { disk, open } = memory(pack(whole, packing))
          const plain = memory(whole)
          const text = plain.open()
          const offsets = [...asked, 0, whole.length, whole.length + 1, 699, 700, 701]
          const descriptor = open()
          const found = await probe(disk, descriptor, packing, offsets, new AbortController().signal)
          const inside = new Set(offsets.filter((offset) => offset <= whole.length))
          expect(found.guards).toEqual(
            new Map([...inside].toSorted((a, b) => a - b).map((at) => [at, hashOf(guardAt(plain.disk, text, at))])),
          )
          expect(found.fingerprint).toEqual(fingerprintOf(plain.disk, text, true))
          expect(found.head.equals(whole.subarray(0, limits.headBytesMax))).toBe(true)
          expect([found.bytes, found.failure]).toEqual([whole.length, undefined])
          disk.close(descriptor)
        },
      ),
      runs(100),
    )
  })

  test('a probe of a cut one does not take the start of a line for a line', async () => {
    const { disk, open } = memory(pack(Buffer.alloc(500, 'x'), packing).subarray(0, -3))
    const found = await probe(disk, open(), packing, [0, 100_000], new AbortController().signal)
    expect(found.fingerprint).toBe(undefined)
    expect(codeOf(found.failure)).toBe('ARCHIVE_CUT')
    expect([...found.guards.keys()]).toEqual([...new Set([0, found.bytes])])
  })

  test('a probe that is called off reads no further', async () => {
    let calls = 0
    const abort = new AbortController()
    const before = (call: string) => {
      if (call === 'unpack' && ++calls === 5) abort.abort(new Error('enough'))
    }
    const { disk, open } = memory(pack(lines(10_000), packing), { before })
    await expect(probe(disk, open(), packing, [], abort.signal)).rejects.toThrow('enough')
    expect(calls).toBe(5)
  })
})

test('an error of the disk ends it, as damage does', async () => {
  let calls = 0
  const before = (call: string, at: string) => {
    if (call === 'unpack' && ++calls === 4) throw diskError('EIO', at)
  }
  const { disk, open } = memory(pack(lines(1_000), 'gzip'), { before })
  const progress = new Progress()
  const unpacking = new Unpacking(disk, unpackingSizes(1_000), progress.came)
  const virtual = unpacking.openUnpacked(open(), 'gzip', 0)
  await progress.next()
  expect([codeOf(unpacking.failureOf(virtual)), unpacking.sizeOf(virtual).sizeBytes]).toEqual(['EIO', 2_100])
})

test('what is no archive is passed through', () => {
  const { disk, inode, open } = memory(lines(10))
  const unpacking = new Unpacking(disk, unpackingSizes(1_000), () => {})
  const descriptor = open()
  expect(unpacking.sizeOf(descriptor)).toEqual(disk.sizeOf(descriptor))
  expect(unpacking.factsOf(descriptor)).toEqual(disk.factsOf(descriptor))
  expect([unpacking.isWhole(descriptor), unpacking.failureOf(descriptor)]).toEqual([true, undefined])
  const into = Buffer.alloc(4)
  expect(unpacking.read(descriptor, into, 0, 4, 1)).toBe(4)
  expect(into.toString()).toBe('ine ')
  unpacking.close(descriptor)
  expect(inode.opens).toBe(0)
  const missing = Object.keys(systemDisk).filter((call) => !(call in unpacking))
  expect(missing).toEqual([])
})

test('what a process that died had under way does not go on', async () => {
  let calls = 0
  const { disk, inode, open } = memory(pack(lines(10_000), 'gzip'), {
    before: (call) => void (call === 'unpack' && calls++),
  })
  const unpacking = new Unpacking(disk, unpackingSizes(1_000), () => {})
  unpacking.openUnpacked(open(), 'gzip', 0)
  disk.drop()
  const before = calls
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  expect([calls, inode.opens]).toEqual([before, 0])
})

/** Takes care that what was closed is not used, although its number belongs to another file at once. */
function watched() {
  const open = new Set<number>()
  const using = new Map<number, number>()
  const broken: string[] = []
  const disk: Disk = {
    ...systemDisk,
    open(file) {
      const descriptor = systemDisk.open(file)
      open.add(descriptor)
      return descriptor
    },
    close(descriptor) {
      if (!open.delete(descriptor)) broken.push('closed twice')
      if (using.get(descriptor)) broken.push('closed while it is unpacked')
      systemDisk.close(descriptor)
    },
    async *unpack(descriptor, packing) {
      using.set(descriptor, (using.get(descriptor) ?? 0) + 1)
      try {
        yield* systemDisk.unpack(descriptor, packing)
      } finally {
        using.set(descriptor, using.get(descriptor)! - 1)
      }
    },
  }
  return { disk, open, broken }
}

describe('a storm on real descriptors', () => {
  let directory: string
  beforeEach(() => void (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-unpacking-'))))
  afterEach(() => fs.rmSync(directory, { recursive: true }))

  test('closed at any moment, each reads its own file only, and nothing stays open', async () => {
    const contents = [0, 1, 2, 3, 4, 5].map((n) => lines(20_000 + 7_000 * n, n * 1e6))
    contents.forEach((bytes, n) => fs.writeFileSync(path.join(directory, `${n}`), pack(bytes, packings[n % 2]!)))
    const { disk, open, broken } = watched()
    const progress = new Progress()
    const unpacking = new Unpacking(disk, { backBytes: 100, windowBytes: 100_000 }, progress.came)
    let seed = 12345
    const random = (below: number) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8) % below
    const reading = new Map<number, { n: number; position: number }>()
    const into = Buffer.alloc(90_000)
    let read = 0
    for (let step = 0; step < 3_000; step++) {
      const action = random(10)
      if (action < 2 && reading.size < 8) {
        const n = random(contents.length)
        const position = random(contents[n]!.length)
        reading.set(unpacking.openUnpacked(disk.open(path.join(directory, `${n}`)), packings[n % 2]!, position), {
          n,
          position,
        })
      } else if (action === 2 && reading.size > 0) {
        const virtual = [...reading.keys()][random(reading.size)]!
        unpacking.close(virtual)
        reading.delete(virtual)
      } else if (action < 6) {
        for (const [virtual, at] of reading) {
          const got = unpacking.read(virtual, into, 0, 1 + random(into.length), at.position)
          if (!into.subarray(0, got).equals(contents[at.n]!.subarray(at.position, at.position + got)))
            broken.push('other bytes')
          at.position += got
          read += got
          if (unpacking.failureOf(virtual)) broken.push(String(unpacking.failureOf(virtual)))
        }
      } else if (action < 9) await new Promise(setImmediate)
      else await new Promise((resolve) => zlib.deflateRaw(into.subarray(0, 1 + random(9_000)), resolve))
    }
    for (const virtual of reading.keys()) unpacking.close(virtual)
    for (let turn = 0; turn < 10_000 && open.size > 0; turn++) await new Promise(setImmediate)
    expect([broken, open.size, unpacking.archives]).toEqual([[], 0, 0])
    expect(read).toBeGreaterThan(1e6)
  })
})
