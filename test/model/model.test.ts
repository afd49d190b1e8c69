import { describe, expect, test } from 'vitest'
import { runSchedule } from './world.ts'
import { scheduleOf } from './schedule.ts'
import { shrink } from './shrink.ts'

const first = Number(process.env['REMORA_MODEL_SEED'] ?? 1)
const count = Number(process.env['REMORA_MODEL_SEEDS'] ?? 3_000)

describe('any schedule of writes, rotations, crashes and faults', () => {
  test(`keeps the promises: seeds ${first} to ${first + count - 1}`, { timeout: 60_000 + count * 1_000 }, async () => {
    for (let seed = first; seed < first + count; seed++) {
      const { broken } = await runSchedule(scheduleOf(seed))
      if (broken.length === 0) continue
      const smallest = await shrink(
        scheduleOf(seed),
        async (schedule) => (await runSchedule(schedule)).broken.length > 0,
      )
      const { broken: still } = await runSchedule(smallest)
      expect.fail(
        `seed ${seed}: ${still.join('\n')}\n${JSON.stringify(smallest.conditions)}\n${smallest.actions.map((action) => JSON.stringify(action)).join('\n')}`,
      )
    }
  })
})
