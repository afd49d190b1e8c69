import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AgentWorld, sorted } from '../agent/world.ts'
import { runs } from '../base/runs.ts'
import type { Outcome } from '../kit/agent-server.ts'

const path = '/logs/app.log'

/** Waits until every line is there, and nothing is under way any more. */
async function settle(world: AgentWorld): Promise<void> {
  const { agent } = world
  await agent.until(() => world.stored.length === world.written && agent.agent.ledger.heldLines === 0, 600_000)
  expect(sorted(world.stored)).toEqual(sorted(world.lines()))
  expect(agent.failure).toBeUndefined()
}

test('rolled over between an attempt whose answer is lost and the next: nothing is stored twice', async () => {
  const world = new AgentWorld()
  const { agent } = world
  await agent.start()
  const outcomes: Outcome[] = ['half', 'half']
  agent.server.outcome = () => {
    const outcome = outcomes.shift() ?? 'ok'
    if (outcome !== 'ok') agent.server.rollover()
    return outcome
  }
  world.write(path, 20)
  await settle(world)
  expect(agent.server.indices).toHaveLength(3)
  expect([...agent.server.twice]).toEqual([])
  expect(agent.server.complaints).toEqual([])
  expect(agent.agent.figures()).toMatchObject({ acknowledgedLines: 20, possiblyDuplicatedLines: 0 })
})

test('rolled over between SIGKILL and restart, twice, while the server is away at first: nothing is stored twice', async () => {
  const world = new AgentWorld()
  const { agent } = world
  const { server } = agent
  await agent.start()
  world.write(path, 10)
  await settle(world)
  await agent.advance(5_000)
  server.outcome = () => 'lost'
  world.write(path, 10)
  await agent.until(() => world.stored.length === 20)
  agent.crash()
  server.rollover()

  server.lookup = 'failed'
  server.outcome = () => 'failed'
  await agent.start()
  const { requests } = server
  await agent.advance(30_000)
  expect(server.requests, 'nothing is sent while nobody tells what is there').toBe(requests)
  // The checkpoint of this life knows nothing new of what the first one sent.
  agent.crash()
  server.rollover()

  server.lookup = 'ok'
  server.outcome = () => 'ok'
  await agent.start()
  world.write(path, 5)
  await settle(world)
  expect([...server.twice]).toEqual([])
  expect(server.complaints).toEqual([])
  expect(agent.agent.figures()).toMatchObject({ possiblyDuplicatedLines: 0, duplicateLines: 10 })
})

test('a stop and a start without a crash look for nothing', async () => {
  const world = new AgentWorld()
  const { agent } = world
  await agent.start()
  world.write(path, 10)
  await settle(world)
  await agent.stop()
  agent.server.rollover()
  await agent.start()
  const { lookups } = agent.server
  world.write(path, 10)
  await settle(world)
  expect(agent.server.lookups).toBe(lookups)
})

test('without the right to ask: what may be there twice is counted, and it is said once with the way out', async () => {
  const world = new AgentWorld()
  const { agent } = world
  agent.server.lookup = 'refused'
  await agent.start()
  const outcomes: Outcome[] = ['half', 'half']
  agent.server.outcome = () => {
    const outcome = outcomes.shift() ?? 'ok'
    if (outcome !== 'ok') agent.server.rollover()
    return outcome
  }
  world.write(path, 20)
  await settle(world)
  expect(agent.server.twice.size).toBeGreaterThan(0)
  expect(agent.agent.figures().possiblyDuplicatedLines).toBeGreaterThanOrEqual(agent.server.twice.size)
  const said = agent.messages.filter(({ code }) => code === 'DUPLICATES_POSSIBLE')
  expect(said).toHaveLength(1)
  expect(said[0]!.text).toMatch(/view_index_metadata and read/)
})

test('documents without ids are not looked for', async () => {
  const world = new AgentWorld()
  world.agent.server.lookup = 'refused'
  await world.agent.start()
  expect(world.agent.server.lookups).toBe(1)
  const other = new AgentWorld({ documentId: 'none' })
  await other.agent.start()
  expect(other.agent.server.lookups).toBe(0)
})

type Action = 'write' | 'rollover' | 'crash' | 'pass' | 'ok' | 'lost' | 'half' | 'failed'

const actions = fc.array(
  fc.constantFrom<Action>('write', 'write', 'rollover', 'crash', 'pass', 'pass', 'ok', 'lost', 'half', 'failed'),
  { maxLength: 30 },
)

test('whatever happens between attempts and lives, no line is in two indices', async () => {
  await fc.assert(
    fc.asyncProperty(actions, fc.integer({ min: 1, max: 400 }), async (schedule, passMs) => {
      const world = new AgentWorld({}, { slots: 2, batchBytes: 32 * 1024 })
      const { agent } = world
      const { server } = agent
      server.travel = () => new Promise((resolve) => void world.clock.after(7, resolve))
      await agent.start()
      for (const action of schedule) {
        if (action === 'write') world.write(path, 3)
        else if (action === 'rollover' && server.indices.length < 15) server.rollover()
        else if (action === 'pass') await agent.advance(passMs)
        else if (action === 'crash') {
          agent.crash()
          await agent.start()
        } else if (action !== 'rollover') server.outcome = () => action
        await agent.advance(3)
      }
      server.outcome = () => 'ok'
      await settle(world)
      expect(server.complaints).toEqual([])
      expect(server.twice.size).toBe(0)
    }),
    runs(150),
  )
})
