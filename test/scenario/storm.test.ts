import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startEmbedded } from '../kit/storm/destinations.ts'
import { StormLines } from '../kit/storm/lines.ts'
import { runStorm } from '../kit/storm/storm.ts'

/** The short form; `npm run test:soak` and `test/soak/storm.ts` have the long ones. */
const kills = 12
const rate = { lineBytes: 120, bytesPerSecond: 400_000, rotateMs: 1_000, keep: 6 }

test.for(['rename', 'copytruncate', 'mixed'] as const)(
  `${kills} kills at random moments under %s rotation: each line is there once, but those the rotator destroyed`,
  { timeout: 180_000 },
  async (mode) => {
    const seed = Number(process.env['TEST_STORM_SEED'] ?? Math.floor(Math.random() * 1e6))
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-storm-'))
    const destination = await startEmbedded(directory, new StormLines(seed, rate.lineBytes))
    try {
      const settings = { REMORA_SCAN_INTERVAL: '1s' }
      const { fault, written } = await runStorm({ directory, mode, seed, kills, settings, ...rate }, destination)
      expect(fault, `TEST_STORM_SEED=${seed}; what the agent said is in ${directory}`).toBe('')
      expect(written.rotations).toBeGreaterThan(3)
      fs.rmSync(directory, { recursive: true, force: true })
    } finally {
      await destination.close()
    }
  },
)
