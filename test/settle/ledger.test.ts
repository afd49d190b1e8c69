import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { Account, Ledger, type Settlement } from '../../src/settle/ledger.ts'
import { runs } from '../base/runs.ts'

const nothing: Settlement = { done: 0, duplicates: 0, deadLettered: 0, lost: 0, held: 0 }
const done = (lines: number): Settlement => ({ ...nothing, done: lines })

/** Lines of a file come into the hands of Remora, get verdicts, or vanish before; now and then room is made. */
const step = fc.record({
  kind: fc.constantFrom('read', 'settle', 'settle', 'gap', 'drop', 'free', 'fold', 'expire'),
  file: fc.nat(5),
  lines: fc.nat(1000),
  shares: fc.array(fc.nat(100), { minLength: 4, maxLength: 4 }),
})

/** Splits lines into four parts. */
function split(lines: number, shares: readonly number[]): [number, number, number, number] {
  const total = shares.reduce((sum, share) => sum + share, 0) || 1
  const [a = 0, b = 0, c = 0] = shares.map((share) => Math.floor((lines * share) / total))
  return [a, b, c, lines - a - b - c]
}

test('at all times every line that was read is in exactly one account, of its file and of all', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ledger = new Ledger()
      const model = new Map<string, Account>()
      const account = (path: string) => model.get(path) ?? model.set(path, new Account()).get(path)!
      for (const { kind, file, lines, shares } of steps) {
        const path = `/${file}.log`
        const expected = account(path)
        if (kind === 'read') {
          ledger.read(path, lines, 10 * lines, shares[0]!)
          expected.readLines += lines
          expected.readBytes += 10 * lines
          expected.heldLines += lines
          expected.cutLines += shares[0]!
        } else if (kind === 'gap') {
          ledger.gap(path, lines)
          expected.gapBytes += lines
          expected.gaps++
        } else if (kind === 'drop') {
          ledger.dropped(path, lines)
          expected.droppedBytes += lines
          expected.droppedFiles++
        } else if (kind === 'free') {
          ledger.freed(path, lines)
          expected.freedBytes += lines
          expected.freedFiles++
        } else if (kind === 'settle') {
          const some = Math.min(lines, expected.heldLines)
          const [ok, deadLettered, lost, held] = split(some, shares)
          const duplicates = Math.min(ok, shares[0]!)
          ledger.settle(path, some, { done: ok, duplicates, deadLettered, lost, held, possiblyDuplicated: 0 })
          expected.refusedLines += deadLettered + lost
          expected.heldLines -= some - held
          expected.acknowledgedLines += ok
          expected.duplicateLines += duplicates
          expected.deadLetteredLines += deadLettered
          expected.lostLines += lost
        } else if (kind === 'expire') {
          const some = Math.min(lines, expected.deadLetteredLines)
          ledger.expireLetters(path, some)
          expected.deadLetteredLines -= some
          expected.expiredLines += some
          expected.lostLines += some
        } else {
          // The file is gone: its past becomes that of the others.
          ledger.fold((known) => known !== path)
        }
        const all = new Account()
        for (const each of model.values()) all.add(each)
        const total = new Account()
        total.add(ledger)
        expect(total).toEqual(all)
        const inFiles = new Account()
        for (const each of [...ledger.files.values(), ledger.others]) inFiles.add(each)
        expect(inFiles, 'the files together are all of it').toEqual(all)
        for (const each of [ledger, ...ledger.files.values(), ledger.others]) {
          expect(each.imbalance).toBe(0)
          expect(each.heldLines).toBeGreaterThanOrEqual(0)
          expect(each.deadLetteredLines).toBeGreaterThanOrEqual(0)
        }
      }
    }),
    runs(500),
  )
})

test('bytes by verdict: together they are what was read and settled, and none of them falls', () => {
  const part = fc.record({
    shares: fc.array(fc.nat(100), { minLength: 4, maxLength: 4 }),
    lines: fc.nat(50),
    bytes: fc.nat(9999),
  })
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), fc.array(fc.nat(40), { maxLength: 5 }), (parts, goes) => {
      const ledger = new Ledger()
      let heldBytes = 0
      let before = { acknowledgedBytes: 0, refusedBytes: 0, deadLetteredBytes: 0, lostBytes: 0 }
      const grown = () => {
        const { acknowledgedBytes, refusedBytes, deadLetteredBytes, lostBytes } = ledger
        const now = { acknowledgedBytes, refusedBytes, deadLetteredBytes, lostBytes }
        for (const [name, value] of Object.entries(now))
          expect(value, name).toBeGreaterThanOrEqual(before[name as keyof typeof before])
        before = now
      }
      for (const { shares, lines, bytes } of parts) {
        ledger.read('/a.log', lines, bytes, 0)
        const [ok, deadLettered, lost, held] = split(lines, shares)
        const settled = ledger.acknowledgedBytes + ledger.refusedBytes
        ledger.settle('/a.log', lines, { ...nothing, done: ok, deadLettered, lost, held }, bytes)
        heldBytes += bytes - (ledger.acknowledgedBytes + ledger.refusedBytes - settled)
        const whole =
          held > 0 || deadLettered + lost > 0 || ledger.acknowledgedBytes + ledger.refusedBytes === settled + bytes
        expect(whole, 'what is wholly acknowledged is so to the byte').toBe(true)
        grown()
      }
      expect(heldBytes).toBeGreaterThanOrEqual(0)
      expect(ledger.acknowledgedBytes + ledger.refusedBytes + heldBytes).toBe(ledger.readBytes)
      expect(ledger.lostBytes + ledger.deadLetteredBytes).toBe(ledger.refusedBytes)
      for (const lines of goes) {
        ledger.expireLetters('/a.log', Math.min(lines, ledger.deadLetteredLines))
        grown()
      }
      const others = ['/a.log'].map((path) => ledger.of(path))
      expect(others[0]!.lostBytes).toBe(ledger.lostBytes)
    }),
    runs(300),
  )
})

test('all letters of a file that go take all of its bytes with them', () => {
  const ledger = new Ledger()
  ledger.read('/a.log', 3, 100, 0)
  ledger.settle('/a.log', 3, { ...nothing, deadLettered: 3 }, 100)
  expect(ledger).toMatchObject({ refusedLines: 3, refusedBytes: 100, deadLetteredBytes: 100, lostBytes: 0 })
  for (let letter = 0; letter < 3; letter++) ledger.expireLetters('/a.log', 1)
  expect(ledger).toMatchObject({ deadLetteredLines: 0, expiredLines: 3, deadLetteredBytes: 100 })
  expect(Math.abs(ledger.lostBytes - 100)).toBeLessThanOrEqual(2)
})

const refused = (lines: number): Settlement => ({ ...nothing, deadLettered: lines })

describe('letters that go', () => {
  test('before their batch is settled move their lines when it is, and no others', () => {
    const ledger = new Ledger()
    ledger.read('/a.log', 10, 100, 0)
    ledger.read('/b.log', 10, 100, 0)
    ledger.expireLetters('/a.log', 3)
    ledger.settle('/b.log', 10, refused(10))
    expect(ledger).toMatchObject({ heldLines: 10, deadLetteredLines: 10, lostLines: 0 })
    ledger.settle('/a.log', 10, { ...refused(9), done: 1 })
    expect(ledger.of('/a.log')).toMatchObject({ deadLetteredLines: 6, lostLines: 3 })
    expect(ledger).toMatchObject({ deadLetteredLines: 16, lostLines: 3, imbalance: 0 })
    ledger.settle('/b.log', 0, nothing)
    expect(ledger.lostLines, 'once').toBe(3)
  })

  test('of a file whose account was folded meanwhile, or that nobody knows', () => {
    const ledger = new Ledger()
    ledger.read('/a.log', 10, 100, 0)
    ledger.settle('/a.log', 10, refused(10))
    ledger.fold(() => false)
    ledger.read('/a.log', 1, 10, 0)
    ledger.settle('/a.log', 1, refused(1))
    ledger.expireLetters('/a.log', 5)
    expect(ledger.of('/a.log')).toMatchObject({ deadLetteredLines: 0, lostLines: 1 })
    expect(ledger.others).toMatchObject({ deadLetteredLines: 6, lostLines: 4 })
    ledger.expireLetters('', 6)
    expect(ledger).toMatchObject({ deadLetteredLines: 0, lostLines: 11 })
  })
})

const fill = (ledger: Ledger, files: number, from = 0) => {
  for (let file = from; file < from + files; file++) ledger.read(`/${file}.log`, 2, 20, 0)
}

describe('files beyond the limit', () => {
  test('share one account', () => {
    const ledger = new Ledger()
    fill(ledger, limits.ledgerFilesMax + 10)
    expect(ledger.files.size).toBe(limits.ledgerFilesMax)
    expect(ledger.others.readLines).toBe(20)
    expect(ledger.readLines).toBe(2 * limits.ledgerFilesMax + 20)
  })

  test('get their own when others are gone, but not before what they have elsewhere is settled', () => {
    const ledger = new Ledger()
    fill(ledger, limits.ledgerFilesMax)
    ledger.read('/late.log', 5, 50, 0)
    ledger.settle('/0.log', 2, done(2))
    ledger.fold((path) => path !== '/0.log')
    expect(ledger.files.has('/0.log')).toBe(false)
    ledger.read('/late.log', 1, 10, 0)
    expect(ledger.files.has('/late.log'), 'its five lines are with the others').toBe(false)
    ledger.settle('/late.log', 6, done(6))
    ledger.read('/late.log', 3, 30, 0)
    expect(ledger.of('/late.log')).toMatchObject({ readLines: 3, heldLines: 3 })
    expect(ledger.others).toMatchObject({ readLines: 8, acknowledgedLines: 8, heldLines: 0 })
  })

  test('are not folded while lines of theirs are held, or while they are known', () => {
    const ledger = new Ledger()
    fill(ledger, 2)
    ledger.settle('/0.log', 2, done(2))
    ledger.fold((path) => path === '/0.log')
    expect([...ledger.files.keys()]).toEqual(['/0.log', '/1.log'])
  })
})

describe('what does not add up stops the process with the numbers', () => {
  test.each<[string, Settlement]>([
    ['too few', done(9)],
    ['too many', { ...done(9), lost: 2 }],
    ['more duplicates than done', { ...done(5), lost: 5, duplicates: 6 }],
    ['more doubtful than done', { ...done(5), lost: 5, possiblyDuplicated: 6 }],
  ])('%s', (_what, settlement) => {
    const ledger = new Ledger()
    ledger.read('/a.log', 10, 100, 0)
    expect(() => ledger.settle('/a.log', 10, settlement)).toThrow(/10 lines of \/a\.log do not add up: \{"done"/)
  })

  test('verdicts on lines that the file does not have', () => {
    const ledger = new Ledger()
    ledger.read('/a.log', 10, 100, 0)
    ledger.read('/b.log', 10, 100, 0)
    expect(() => ledger.settle('/a.log', 11, done(11))).toThrow(/ledger of \/a\.log does not balance: .*"heldLines":-1/)
  })

  test.each([
    'readLines',
    'acknowledgedLines',
    'filteredLines',
    'deadLetteredLines',
    'lostLines',
    'heldLines',
  ] as const)('a line that is counted in %s alone, in a file or in all', (count) => {
    const ledger = new Ledger()
    ledger.read('/a.log', 10, 100, 0)
    ledger.of('/a.log')[count]++
    expect(() => ledger.check('/a.log')).toThrow('the ledger of /a.log does not balance')
    ledger.of('/a.log')[count]--
    ledger[count]++
    expect(() => ledger.check('/a.log')).toThrow('the ledger of all files does not balance')
  })
})
