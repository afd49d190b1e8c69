import { expect, test } from 'vitest'
import { soakSteady } from '../soak/steady.ts'

/** The short form of the soak; `npm run soak` is the long one. */
const seconds = 60

test(
  'a minute of random load, rotation both ways, kills and restarts of the server: every line once, the ledger balances, memory does not run away',
  { timeout: 240_000 },
  async () => {
    const seed = Number(process.env['TEST_STEADY_SEED'] ?? Math.floor(Math.random() * 1e6))
    const { fault, written, restarts, kills, ledger } = await soakSteady({ seconds, seed, bytesPerSecond: 400_000 })
    expect(fault, `TEST_STEADY_SEED=${seed}`).toBe('')
    expect(written.rotations).toBeGreaterThan(10)
    expect([kills, restarts > 0, ledger.read > 0]).toEqual([2, true, true])
  },
)
