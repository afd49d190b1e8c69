import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sealAfterMs } from '../../src/queue/sealing.ts'

const lingerMs = 200

describe('how long a batch waits for more', () => {
  test.each([
    // documents, age, busy, draining: after
    [0, 0, false, false, undefined],
    [0, 9999, true, false, undefined],
    [0, 0, false, true, undefined],
    [1, 0, false, false, 0],
    [1, 4, false, false, 0],
    [1, 9999, false, false, 0],
    [1, 0, true, false, 200],
    [1, 150, true, false, 50],
    [1, 200, true, false, 0],
    [1, 201, true, false, 0],
    [16_384, 0, true, false, 200],
    [1, 0, true, true, 0],
    [1, 0, false, true, 0],
  ] as const)('%i documents, %i ms old, busy %s, draining %s: %s', (documents, ageMs, busy, draining, after) => {
    expect(sealAfterMs({ documents, ageMs, busy, draining }, lingerMs)).toBe(after)
  })

  test('a linger of nothing is kept under load too', () => {
    expect(sealAfterMs({ documents: 1, ageMs: 0, busy: true, draining: false }, 0)).toBe(0)
  })

  test('no line waits longer than the linger, and none at all for an idle connection', () => {
    const facts = fc.record({
      documents: fc.integer({ min: 1, max: 20_000 }),
      ageMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
      busy: fc.boolean(),
      draining: fc.boolean(),
    })
    fc.assert(
      fc.property(facts, fc.integer({ min: 0, max: 60_000 }), (each, linger) => {
        const waitMs = sealAfterMs(each, linger)!
        expect(waitMs).toBeGreaterThanOrEqual(0)
        expect(waitMs === 0 || waitMs + each.ageMs <= linger + 1e-6).toBe(true)
        expect(waitMs > 0 && (!each.busy || each.draining)).toBe(false)
      }),
    )
  })
})
