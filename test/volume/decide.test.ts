import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { decide, type Candidate, type Policy, type VolumeFacts } from '../../src/volume/decide.ts'
import { runs } from '../base/runs.ts'

const limitBytes = 1_000
const policies = ['keep', 'delete-shipped', 'drop-oldest'] as const

const facts = fc.record({
  policy: fc.constantFrom<Policy>(...policies),
  limitBytes: fc.constant(limitBytes),
  usedBytes: fc.nat(1_500),
  aheadBytes: fc.oneof(fc.constant(0), fc.nat(1_500)),
  freeing: fc.boolean(),
})
const candidate = fc.record({
  shipped: fc.boolean(),
  quietMs: fc.integer({ min: limits.endedQuietMs, max: 2 * limits.deletedHoldMs }),
  allocatedBytes: fc.nat(200),
})
const candidates = fc.array(candidate, { maxLength: 20 })

const part = (percent: number) => (limitBytes / 100) * percent
const high = part(limits.volumeHighPercent)
const sum = (all: readonly Candidate[]) => all.reduce((bytes, { allocatedBytes }) => bytes + allocatedBytes, 0)
const atRest = (file: Candidate) => file.shipped && file.quietMs >= limits.deletedHoldMs
const law = (holds: (volume: VolumeFacts, all: readonly Candidate[]) => void) =>
  fc.assert(fc.property(facts, candidates, holds), runs(1_000))

describe('whatever the volume and the files are', () => {
  test('keep deletes nothing, and delete-shipped nothing that is not shipped', () =>
    law((volume, all) => {
      const { remove } = decide(volume, all)
      expect(volume.policy === 'keep' && remove.length > 0).toBe(false)
      const mayDrop = volume.policy === 'drop-oldest'
      for (const { as, candidate: file } of remove)
        expect([as, as === 'shipped' || mayDrop]).toEqual([file.shipped ? 'shipped' : 'dropped', true])
    }))

  test('below the high mark nothing goes, unless it was above it and is not below the low one yet', () =>
    law((volume, all) => {
      const { freeing, remove } = decide(volume, all)
      const isAbove = volume.usedBytes + volume.aheadBytes > high
      const goesOn = volume.freeing && volume.usedBytes > part(limits.volumeLowPercent)
      expect(freeing).toBe(isAbove || goesOn)
      expect(freeing || remove.length === 0).toBe(true)
    }))

  test('each file goes once, no unshipped one while a shipped one stays, and of each kind the oldest first', () =>
    law((volume, all) => {
      const gone = decide(volume, all).remove.map((removal) => removal.candidate)
      expect(new Set(gone).size).toBe(gone.length)
      const dropped = gone.filter(({ shipped }) => !shipped)
      expect(dropped).toEqual(all.filter(({ shipped }) => !shipped).slice(0, dropped.length))
      const shippedAreGone = all.filter(({ shipped }) => shipped).every((file) => gone.includes(file))
      expect(dropped.length === 0 || shippedAreGone).toBe(true)
      const rested = gone.filter((file) => atRest(file))
      expect(rested).toEqual(all.filter((file) => atRest(file)).slice(0, rested.length))
    }))

  test('no more than needed: without the last one that goes it would still be too full', () =>
    law((volume, all) => {
      const { remove } = decide(volume, all)
      const last = remove.at(-1)
      if (last === undefined) return
      const used = volume.usedBytes - sum(remove.slice(0, -1).map((removal) => removal.candidate))
      const isAbove = used + volume.aheadBytes > high
      expect(isAbove || (last.as === 'shipped' && used > part(limits.volumeLowPercent))).toBe(true)
      expect(last.as === 'shipped' || used > part(limits.volumeDropPercentMin)).toBe(true)
    }))

  test('what is long shipped is deleted until it is below the low mark, as far as there is enough of it', () =>
    law((volume, all) => {
      const { freeing, remove } = decide(volume, all)
      if (!freeing || volume.policy === 'keep') return
      const enough = sum(all.filter(({ shipped, quietMs }) => shipped && quietMs >= limits.deletedHoldMs))
      if (volume.usedBytes - enough > part(limits.volumeLowPercent)) return
      const used = volume.usedBytes - sum(remove.map((removal) => removal.candidate))
      expect(used).toBeLessThanOrEqual(part(limits.volumeLowPercent))
    }))

  test('it is short when it stays nearly full, and only then', () =>
    law((volume, all) => {
      const { freeing, remove, short } = decide(volume, all)
      const used = volume.usedBytes - sum(remove.map((removal) => removal.candidate))
      const bound = volume.policy === 'keep' ? high : part(limits.volumeUrgentPercent)
      expect(short).toBe(freeing && used > bound)
    }))
})

const old: Candidate = { shipped: true, quietMs: limits.deletedHoldMs, allocatedBytes: 100 }
const young: Candidate = { ...old, quietMs: limits.endedQuietMs }
const unshipped: Candidate = { ...old, shipped: false }
const all = [unshipped, old, young]

test.each([
  ['drop-oldest', 800, 0, []],
  ['keep', 990, 0, []],
  ['delete-shipped', 801, 0, ['old']],
  ['delete-shipped', 700, 101, ['old']],
  ['delete-shipped', 899, 0, ['old']],
  ['delete-shipped', 1_001, 0, ['old', 'young']],
  ['drop-oldest', 1_000, 0, ['old']],
  ['drop-oldest', 1_101, 0, ['old', 'young', 'unshipped']],
  // A burst alone gives up no line.
  ['drop-oldest', 690, 5_000, ['old', 'young']],
  ['drop-oldest', 701, 5_000, ['old', 'young', 'unshipped']],
] as const)('%s at %i of 1000 bytes, %i to come: %j', (policy, usedBytes, aheadBytes, expected) => {
  const names = new Map([
    [old, 'old'],
    [young, 'young'],
    [unshipped, 'unshipped'],
  ])
  const { remove } = decide({ policy, limitBytes, usedBytes, aheadBytes, freeing: false }, all)
  expect(remove.map((removal) => names.get(removal.candidate))).toEqual(expected)
})
