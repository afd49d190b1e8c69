import { describe, expect, test } from 'vitest'
import { sealAfterMs } from '../../src/queue/sealing.ts'

const lingerMs = 200
const idleLingerMs = 10

describe('how long a batch waits for more', () => {
  test.each([
    // documents, age, busy, draining: after
    [0, 0, false, false, undefined],
    [0, 9999, true, false, undefined],
    [0, 0, false, true, undefined],
    [1, 0, false, false, 10],
    [1, 4, false, false, 6],
    [1, 10, false, false, 0],
    [1, 9999, false, false, 0],
    [1, 0, true, false, 200],
    [1, 150, true, false, 50],
    [1, 200, true, false, 0],
    [1, 201, true, false, 0],
    [16_384, 0, true, false, 200],
    [1, 0, true, true, 0],
    [1, 0, false, true, 0],
  ] as const)('%i documents, %i ms old, busy %s, draining %s: %s', (documents, ageMs, busy, draining, after) => {
    expect(sealAfterMs({ documents, ageMs, busy, draining }, lingerMs, idleLingerMs)).toBe(after)
  })

  test('a linger below the idle one is kept when idle too', () => {
    expect(sealAfterMs({ documents: 1, ageMs: 0, busy: false, draining: false }, 3, idleLingerMs)).toBe(3)
    expect(sealAfterMs({ documents: 1, ageMs: 0, busy: true, draining: false }, 0, idleLingerMs)).toBe(0)
  })
})
