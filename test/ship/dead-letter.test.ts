import fs from 'node:fs'
import os from 'node:os'
import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { limits } from '../../src/base/limits.ts'
import { DeadLetters } from '../../src/ship/letters/dead-letters.ts'
import { segmentPath, segmentsIn } from '../../src/ship/letters/segments.ts'
import { diskError, type Call } from '../kit/agent-files.ts'
import { runs } from '../base/runs.ts'
import { clock, directory, LetterDisk, lettersOn, refusedOf } from './letters-kit.ts'

let world: LetterDisk
beforeEach(() => void (world = new LetterDisk()))

const numbers = (ids: readonly string[]) => ids.map(Number)

test('a letter is one line with all that is needed to send it again, and to find where it comes from', () => {
  const letters = lettersOn(world.disk, 100_000)
  expect(letters.keep(refusedOf(7, '/log/b.log', 'a\\nb \\"c\\"'))).toBeUndefined()
  const [segment] = segmentsIn(world.plain, directory)
  expect(segment?.name).toBe('00000003.ndjson')
  const text = world.files.find(segment!.path)!.bytes.toString('latin1')
  expect(text.indexOf('\n')).toBe(text.length - 1)
  expect(JSON.parse(text)).toEqual({
    at: '2026-01-02T00:00:00.000Z',
    status: 400,
    type: 'strict_dynamic_mapping_exception',
    reason: 'mapping set to strict',
    target: 'logs-generic-default',
    run: 'this-run',
    path: '/log/b.log',
    offset: 7,
    action: '{"create":{"_id":"7"}}',
    source: String.raw`{"message":"a\nb \"c\"","log":{"file":{"path":"/log/b.log"},"offset":7}}`,
  })
})

test('the newest are kept, in order, whole segments go, and never more bytes than the bound are there', () => {
  const steps = fc.array(fc.record({ length: fc.nat(300), restart: fc.boolean() }), { maxLength: 60 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1000, max: 8000 }), (list, bytesMax) => {
      const full = new LetterDisk()
      const gone: number[] = []
      let run = 0
      const start = () =>
        lettersOn(full.disk, bytesMax, `run-${run}`, ({ ours, others }) => {
          gone.push(others + [...ours.values()].reduce((sum, lines) => sum + lines, 0))
        })
      let letters = start()
      const kept: number[] = []
      for (const [number, { length, restart }] of list.entries()) {
        if (restart) {
          run++
          letters = start()
        }
        if (letters.keep(refusedOf(number, '/log/a.log', 'x'.repeat(length))) === undefined) kept.push(number)
        expect(full.bytes).toBeLessThanOrEqual(bytesMax)
        const there = numbers(full.ids())
        expect(there).toEqual(kept.slice(kept.length - there.length))
        expect(there.at(-1)).toBe(kept.at(-1))
        expect(kept.length - there.length, 'what is gone was told').toBe(gone.reduce((sum, lines) => sum + lines, 0))
      }
    }),
    runs(200),
  )
})

test('one letter in each life makes no further segments, and one that is larger has a segment of its own', () => {
  for (let life = 0; life < 50; life++) lettersOn(world.disk, 64_000, `run-${life}`).keep(refusedOf(life))
  expect(segmentsIn(world.plain, directory).length).toBeLessThan(4)
  expect(lettersOn(world.disk, 64_000).keep(refusedOf(99, '/a', 'x'.repeat(20_000)))).toBeUndefined()
  expect(lettersOn(world.disk, 64_000).keep(refusedOf(100))).toBeUndefined()
  const sizes = segmentsIn(world.plain, directory).map(({ sizeBytes }) => sizeBytes)
  expect(sizes.slice(-2)[0]).toBeGreaterThan(20_000)
  expect(numbers(world.ids())).toEqual([...Array(50).keys(), 99, 100])
})

test('one that is larger than half of the bound is not kept, and says so', () => {
  expect(lettersOn(world.disk, 1000).keep(refusedOf(1, '/a', 'x'.repeat(500)))).toContain('REMORA_DEAD_LETTER_BYTES')
  expect(lettersOn(world.disk, 2 ** 34).keep(refusedOf(1, '/a', 'x'.repeat(limits.letterBytesMax)))).toContain('bytes')
  expect(world.bytes).toBe(0)
})

test('those of this process go by their file, those of another by their number', () => {
  const told: unknown[] = []
  lettersOn(world.disk, 4000, 'before').keep(refusedOf(1))
  const letters = lettersOn(world.disk, 4000, 'now', ({ ours, others }) =>
    told.push([Object.fromEntries(ours), others]),
  )
  for (let number = 2; number < 25; number++) letters.keep(refusedOf(number, number % 2 === 0 ? '/a' : '/b'))
  expect(told.slice(0, 2)).toEqual([
    [{}, 1],
    [{ '/a': 1 }, 0],
  ])
})

/** As an earlier version wrote it. */
const old = (number: number) => {
  const { errorType: type, reason: _reason, ...rest } = refusedOf(number)
  return `${JSON.stringify({ at: '2026-01-01T00:00:00.000Z', type, ...rest })}\n`
}

test('former files become the oldest segments, once', () => {
  world.files.append(world.files.open('/state/dead-letters.ndjson'), `${old(3)}{"at":"20\n\n${old(4)}`)
  world.files.append(world.files.open('/state/dead-letters.older.ndjson'), old(1) + old(2))
  for (let life = 0; life < 2; life++) {
    const letters = lettersOn(world.disk, 64_000)
    letters.open()
    letters.keep(refusedOf(5 + life))
    // The line that was cut has a line break, too.
    expect(letters.kept().letters).toBe(6 + life)
  }
  expect(numbers(world.ids())).toEqual([1, 2, 3, 4, 5, 6])
  expect(world.letters()[0]).toMatchObject({ path: '/log/a.log', offset: 1, type: 'strict_dynamic_mapping_exception' })
  expect(world.plain.list('/state').map(({ name }) => name)).toEqual(['dead-letters'])
  // A downgrade, and back: what has their numbers now is not written over.
  world.files.append(world.files.open('/state/dead-letters.ndjson'), old(7))
  lettersOn(world.disk, 64_000).open()
  expect(new Set(numbers(world.ids()))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]))
})

describe('another process takes letters out at any moment', () => {
  test('each one that counts as kept was taken, or is there', () => {
    const moment = fc.record({ call: fc.nat(6), opened: fc.boolean() })
    fc.assert(
      fc.property(fc.array(fc.option(moment, { freq: 3 }), { minLength: 1, maxLength: 25 }), (list) => {
        const shared = new LetterDisk()
        const letters = lettersOn(shared.disk, 100_000)
        const taken = new Set<string>()
        const kept: string[] = []
        for (const [number, at] of list.entries()) {
          let calls = 0
          const steal = () => shared.takeAll().forEach((id) => taken.add(id))
          shared.before = () => void (calls++ === at?.call && !at.opened && steal())
          shared.opened = () => {
            if (at?.opened === true && calls < 4) steal()
          }
          expect(letters.keep(refusedOf(number))).toBeUndefined()
          kept.push(String(number))
          shared.before = shared.opened = () => {}
          const there = new Set([...taken, ...shared.ids()])
          expect(kept.filter((id) => !there.has(id))).toEqual([])
        }
      }),
      runs(500),
    )
  })

  test('one that takes each time is no loop without an end', () => {
    world.opened = () => void world.takeAll()
    expect(lettersOn(world.disk, 100_000).keep(refusedOf(1))).toContain('taken away')
  })

  test('a segment that was closed is not written to any more, and the next number is another', () => {
    const letters = lettersOn(world.disk, 100_000)
    letters.keep(refusedOf(1))
    world.plain.rename(segmentPath(directory, 3), segmentPath(directory, 3, true))
    letters.keep(refusedOf(2))
    lettersOn(world.disk, 100_000).keep(refusedOf(3))
    expect(segmentsIn(world.plain, directory).map(({ name }) => name)).toEqual([
      '00000003.closed.ndjson',
      '00000004.ndjson',
    ])
    expect(numbers(world.ids())).toEqual([1, 2, 3])
  })
})

describe('a disk that fails', () => {
  test('what is said to be kept can be read, whatever was cut short before and after it', () => {
    const calls = ['look', 'list', 'append', 'open', 'read', 'remove'] as const
    const steps = fc.array(
      fc.record({
        roomBytes: fc.oneof(fc.nat(2500), fc.constant(Infinity)),
        restart: fc.boolean(),
        failing: fc.subarray<Call>([...calls], { maxLength: 1 }),
      }),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(steps, (list) => {
        const full = new LetterDisk()
        let letters = lettersOn(full.disk, 4000)
        const kept: string[] = []
        for (const [number, { roomBytes, restart, failing }] of list.entries()) {
          if (restart) letters = lettersOn(full.disk, 4000)
          full.roomBytes = roomBytes
          full.before = (call, path) => {
            if (failing.includes(call)) throw diskError('EIO', path)
          }
          const why = letters.keep(refusedOf(number))
          full.before = () => {}
          if (why === undefined) kept.push(String(number))
          expect(why ?? 'EIO').toMatch(/^(ENOSPC|EIO)/)
          // Whole segments have gone, the oldest first, and nothing else; the newest one is there.
          const there = full.ids().filter((id) => kept.includes(id))
          expect(there).toEqual(kept.slice(kept.length - there.length))
          expect(there.at(-1)).toBe(kept.at(-1))
          expect(full.bytes).toBeLessThanOrEqual(4000)
        }
      }),
      runs(300),
    )
  })

  test('one that is full for a while and then is not', () => {
    const letters = lettersOn(world.disk, 64_000)
    expect(letters.keep(refusedOf(1))).toBeUndefined()
    world.roomBytes = world.bytes + 20
    for (let tries = 0; tries < 5; tries++) expect(letters.keep(refusedOf(2))).toContain('ENOSPC')
    world.roomBytes = Infinity
    expect(letters.keep(refusedOf(3))).toBeUndefined()
    expect(numbers(world.ids())).toEqual([1, 3])
    expect(segmentsIn(world.plain, directory).length, 'not one for each try').toBe(2)
  })

  test('a process that died in the middle of a letter: the next one begins on a line of its own', () => {
    lettersOn(world.disk, 64_000).keep(refusedOf(1))
    world.files.append(world.files.find(segmentPath(directory, 3))!, '{"at":"2026-01')
    expect(lettersOn(world.disk, 64_000).keep(refusedOf(2))).toBeUndefined()
    expect(numbers(world.ids())).toEqual([1, 2])
  })
})

const isFlushed = () =>
  segmentsIn(world.plain, directory).every(({ path }) => {
    const { bytes, flushed } = world.files.find(path)!
    return flushed?.equals(bytes) === true
  })

describe('flushing', () => {
  test('every letter is on the device after it, those of a closed segment too', async () => {
    const letters = lettersOn(world.disk, 4000)
    for (let number = 0; number < 12; number++) letters.keep(refusedOf(number))
    expect(isFlushed()).toBe(false)
    const [first] = segmentsIn(world.plain, directory)
    world.plain.rename(first!.path, segmentPath(directory, first!.number, true))
    await letters.flush()
    expect(isFlushed()).toBe(true)
    let calls = 0
    world.before = () => void calls++
    await letters.flush()
    expect(calls, 'nothing is left to be flushed').toBe(0)
  })

  test('what could not be flushed is tried again', async () => {
    const letters = lettersOn(world.disk, 4000)
    letters.keep(refusedOf(1))
    world.before = (call, path) => {
      if (call === 'flush') throw diskError('EIO', path)
    }
    await expect(letters.flush()).rejects.toThrow('EIO')
    world.before = () => {}
    await letters.flush()
    expect(isFlushed()).toBe(true)
  })

  test('what a replay has removed is no failure', async () => {
    const letters = lettersOn(world.disk, 4000)
    letters.keep(refusedOf(1))
    world.takeAll()
    await letters.flush()
    world.plain.remove(directory)
    letters.keep(refusedOf(2))
    await letters.flush()
    expect(isFlushed()).toBe(true)
  })
})

test('what lies there is counted once, and what grows goes on being counted', () => {
  const letters = lettersOn(world.disk, 64_000)
  expect(letters.kept()).toEqual({ letters: 0, bytes: 0 })
  let readBytes = 0
  world.before = (call) => void (call === 'read' && readBytes++)
  for (let number = 0; number < 100; number++) {
    letters.keep(refusedOf(number))
    expect(letters.kept()).toEqual({ letters: number + 1, bytes: world.bytes })
  }
  world.before = () => {}
  world.takeAll()
  expect(letters.kept()).toEqual({ letters: 0, bytes: 0 })
})

test.each([1_000, 100_000])('a deleted directory is made again, on a real disk with %i bytes', async (bytesMax) => {
  const root = fs.mkdtempSync(`${os.tmpdir()}/remora-letters-`)
  const state = `${root}/deep/state`
  const letters = new DeadLetters({
    disk: systemDisk,
    clock: clock.view(() => true),
    stateDir: state,
    bytesMax,
    run: 'r',
    expired: () => {},
  })
  for (let number = 1; number <= 6; number++) {
    expect(letters.keep(refusedOf(number))).toBeUndefined()
    await letters.flush()
    expect(letters.kept().letters).toBe(1)
    fs.rmSync(`${root}/deep`, { recursive: true })
  }
  fs.rmSync(root, { recursive: true })
})
