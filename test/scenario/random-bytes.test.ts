import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { runRandom } from '../kit/storm/random-run.ts'

/** The short form of `test/soak/random.ts`. */
test(
  '200,000 lines of random bytes over rotations and kills: every one is there once, as the reference has it',
  { timeout: 180_000 },
  async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-random-'))
    const seed = Number(process.env['TEST_RANDOM_SEED'] ?? Math.floor(Math.random() * 1e6))
    const result = await runRandom({ directory, seed, lines: 200_000, kills: 3, rotateBytes: 4e6 })
    expect(result.stored, `TEST_RANDOM_SEED=${seed}; what the agent said is in ${directory}`).toEqual(result.expected)
    expect(result.rotations).toBeGreaterThan(2)
    expect(result.cut).toBeGreaterThan(10)
    fs.rmSync(directory, { recursive: true, force: true })
  },
)
