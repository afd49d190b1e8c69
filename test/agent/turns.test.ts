import { expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { AgentWorld } from './world.ts'

const files = 500
/** What reading one small file takes where the CPU is short. */
const readMs = 1

test('many small files are not read in one go: probes and answers get their turn', async () => {
  let yields = 0
  const world = new AgentWorld(
    {},
    {
      batchBytes: 1024 * 1024,
      point: () => void yields++,
    },
    {
      sized: () => world.clock.take(readMs),
    },
  )
  await world.agent.start()
  for (let file = 0; file < files; file++) world.write(`/logs/${file}.log`)
  yields = 0
  await world.agent.until(() => world.agent.server.documents.size === files)
  expect(world.agent.server.documents.size).toBe(files)
  expect(yields).toBeGreaterThan((files * readMs) / limits.fillMsMax / 2)
  await world.agent.stop()
})
