import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import fs from 'node:fs'
import os from 'node:os'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { DeadLetters, type DeadLetter } from '../../src/ship/dead-letter.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { runs } from '../base/runs.ts'

const path = '/state/dead-letters.ndjson'
const older = '/state/dead-letters.older.ndjson'

/** Two files, and a disk that is full at `roomBytes`; what fits of an append is written, as a real one does. */
class FullDisk {
  readonly files = new Map<string, string>()
  roomBytes = Infinity
  failing = new Set<'look' | 'rename' | 'append'>()

  get bytes(): number {
    return [...this.files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  }

  readonly disk: Pick<Disk, 'look' | 'rename' | 'append'> = {
    look: (name) => {
      this.#refuse('look')
      const text = this.files.get(name)
      return text === undefined ? undefined : ({ sizeBytes: Buffer.byteLength(text) } as ReturnType<Disk['look']>)
    },
    rename: (from, to) => {
      this.#refuse('rename')
      const text = this.files.get(from)
      if (text === undefined) throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' })
      this.files.set(to, text)
      this.files.delete(from)
    },
    append: (name, text) => {
      this.#refuse('append')
      const fits = text.slice(0, Math.max(0, this.roomBytes - this.bytes))
      this.files.set(name, (this.files.get(name) ?? '') + fits)
      if (fits !== text) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    },
  }

  #refuse(call: 'look' | 'rename' | 'append'): void {
    if (this.failing.has(call)) throw Object.assign(new Error(`EIO: ${call}`), { code: 'EIO' })
  }
}

const letterOf = (number: number, source = `{"message":"${number}"}`): DeadLetter => ({
  status: 400,
  errorType: 'document_parsing_exception',
  reason: undefined,
  target: 'logs-generic-default',
  action: `{"create":{"_id":"${number}"}}`,
  source,
})

const start = (disk: FullDisk, bytesMax: number) =>
  new DeadLetters(
    disk.disk as Disk,
    new VirtualClock(Date.UTC(2026, 0, 2) - 1000).view(() => true),
    '/state',
    bytesMax,
  )

/** The letters that can be read back from a file. */
function lettersIn(text: string | undefined): { source: string; action: string }[] {
  return (text ?? '')
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as { source: string; action: string }]
      } catch {
        return []
      }
    })
}

let disk: FullDisk
beforeEach(() => void (disk = new FullDisk()))

test('a letter is one line with all that is needed to send it again', () => {
  const letters = start(disk, 10_000)
  expect(letters.keep(letterOf(1, '{"message":"a\\nb \\"c\\" 😀"}'))).toBeUndefined()
  expect(letters.path).toBe(path)
  expect(disk.files.get(path)!.endsWith('\n')).toBe(true)
  expect(JSON.parse(disk.files.get(path)!)).toEqual({
    at: '2026-01-02T00:00:00.000Z',
    status: 400,
    type: 'document_parsing_exception',
    target: 'logs-generic-default',
    action: '{"create":{"_id":"1"}}',
    source: '{"message":"a\\nb \\"c\\" 😀"}',
  })
})

test('one that is larger than half of the bound is not kept, and says so', () => {
  const letters = start(disk, 1000)
  expect(letters.keep(letterOf(1, 'x'.repeat(500)))).toContain('REMORA_DEAD_LETTER_BYTES')
  expect(disk.bytes).toBe(0)
  expect(start(disk, 0).keep(letterOf(1))).toContain('REMORA_DEAD_LETTER_BYTES')
})

test('the newest are kept, in order, and never more bytes than the bound', () => {
  const steps = fc.array(fc.record({ length: fc.nat(300), restart: fc.boolean() }), { maxLength: 40 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 200, max: 3000 }), (list, bytesMax) => {
      const full = new FullDisk()
      let letters = start(full, bytesMax)
      const kept: string[] = []
      for (const [number, { length, restart }] of list.entries()) {
        if (restart) letters = start(full, bytesMax)
        const letter = letterOf(number, 'é'.repeat(length))
        if (letters.keep(letter) === undefined) kept.push(letter.action)
        expect(full.bytes).toBeLessThanOrEqual(bytesMax)
      }
      const onDisk = [older, path].flatMap((name) => lettersIn(full.files.get(name))).map(({ action }) => action)
      expect(onDisk).toEqual(kept.slice(kept.length - onDisk.length))
      expect(onDisk.at(-1)).toBe(kept.at(-1))
    }),
    runs(300),
  )
})

describe('a disk that fails', () => {
  test('what is said to be kept can be read, whatever was cut short before and after it', () => {
    const steps = fc.array(
      fc.record({
        roomBytes: fc.oneof(fc.nat(800), fc.constant(Infinity)),
        restart: fc.boolean(),
        failing: fc.constantFrom<('look' | 'rename' | 'append')[]>([], [], [], ['look'], ['rename'], ['append']),
      }),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(steps, (list) => {
        const full = new FullDisk()
        let letters = start(full, 1200)
        const kept: string[] = []
        for (const [number, { roomBytes, restart, failing }] of list.entries()) {
          if (restart) letters = start(full, 1200)
          full.roomBytes = roomBytes
          full.failing = new Set(failing)
          const letter = letterOf(number)
          const why = letters.keep(letter)
          if (why === undefined) kept.push(letter.action)
          expect(why ?? 'EIO').toMatch(/^(ENOSPC|EIO)/)
          const onDisk = [older, path].flatMap((name) => lettersIn(full.files.get(name))).map(({ action }) => action)
          const sure = kept.slice(-1)
          expect(
            sure.every((action) => onDisk.includes(action)),
            `after ${number}`,
          ).toBe(true)
          expect(full.bytes).toBeLessThanOrEqual(1200)
        }
      }),
      runs(500),
    )
  })

  test('one that is full for a while and then is not', () => {
    const letters = start(disk, 10_000)
    expect(letters.keep(letterOf(1))).toBeUndefined()
    disk.roomBytes = disk.bytes + 20
    expect(letters.keep(letterOf(2))).toContain('ENOSPC')
    disk.roomBytes = Infinity
    expect(letters.keep(letterOf(3))).toBeUndefined()
    expect(lettersIn(disk.files.get(path)).map(({ action }) => action)).toEqual([
      letterOf(1).action,
      letterOf(3).action,
    ])
  })

  test('a process that died in the middle of a letter', () => {
    disk.files.set(path, `${JSON.stringify(letterOf(1))}\n{"at":"2026-01`)
    expect(start(disk, 10_000).keep(letterOf(2))).toBeUndefined()
    expect(lettersIn(disk.files.get(path)).map(({ action }) => action)).toEqual([
      letterOf(1).action,
      letterOf(2).action,
    ])
  })
})

test.each([1000, 100_000])('a deleted directory is made again, with files of %i bytes', (bytesMax) => {
  const root = fs.mkdtempSync(`${os.tmpdir()}/remora-letters-`)
  const directory = `${root}/deep/state`
  const letters = new DeadLetters(
    systemDisk,
    new VirtualClock().view(() => true),
    directory,
    bytesMax,
  )
  for (let number = 1; number <= 6; number++) {
    expect(letters.keep(letterOf(number))).toBeUndefined()
    expect(fs.readFileSync(letters.path, 'utf8')).toContain(`"${number}`)
    fs.rmSync(`${root}/deep`, { recursive: true })
  }
  fs.rmSync(root, { recursive: true })
})
