import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AgentWorld, sorted } from '../agent/world.ts'
import { runs } from '../base/runs.ts'
import type { Outcome } from '../kit/agent-server.ts'

const path = '/logs/app.log'
const target = 'app-{+yyyy.MM.dd}'
const hourMs = 3_600_000

/** What each index has, by name. */
function indices({ agent: { server } }: AgentWorld): Record<string, number> {
  return Object.fromEntries([...server.named].map(([name, ids]) => [name, ids.size]))
}

/** Its clock stands just before midnight. */
function beforeMidnight(): AgentWorld {
  const world = new AgentWorld({ target })
  world.clock.stepWall(Date.UTC(2026, 10, 25, 23, 59, 50) - world.clock.wallMs)
  return world
}

async function settle(world: AgentWorld): Promise<void> {
  const { agent } = world
  await agent.until(() => world.stored.length === world.written && agent.agent.ledger.heldLines === 0, 600_000)
  expect(sorted(world.stored)).toEqual(sorted(world.lines()))
  expect(agent.failure).toBeUndefined()
  expect(agent.server.complaints).toEqual([])
  expect([...agent.server.twice]).toEqual([])
}

describe('the date is that of the generation', () => {
  test('over midnight a file goes on into the index of the day on which it was seen; a new one into the next', async () => {
    const world = beforeMidnight()
    await world.agent.start()
    world.write(path, 5)
    await settle(world)
    world.clock.stepWall(hourMs)
    world.write(path, 5)
    await settle(world)
    world.files.rename(path, `${path}.1`)
    world.write(path, 3)
    await settle(world)
    expect(indices(world)).toEqual({ 'app-2026.11.25': 10, 'app-2026.11.26': 3 })
    expect(world.agent.server.lookups, 'nobody asks what a rollover may have hidden').toBe(0)
  })

  test('truncated after midnight: what follows has its own day', async () => {
    const world = beforeMidnight()
    await world.agent.start()
    world.write(path, 5)
    await settle(world)
    world.clock.stepWall(hourMs)
    world.files.truncate(world.files.open(path), 0)
    await world.agent.advance(1_000)
    world.write(path, 2)
    await settle(world)
    expect(indices(world)).toEqual({ 'app-2026.11.25': 5, 'app-2026.11.26': 2 })
  })

  test.each(['renamed', 'where it was'])(
    'killed with lines in doubt, started again after midnight, the file %s: each line once, in one index',
    async (where) => {
      const world = beforeMidnight()
      const { agent } = world
      const { server } = agent
      await agent.start()
      world.write(path, 5)
      await settle(world)
      server.outcome = () => 'lost'
      world.write(path, 5)
      expect(await agent.until(() => world.stored.length === 10)).toBe(true)
      agent.crash()
      world.clock.stepWall(hourMs)
      if (where === 'renamed') world.files.rename(path, `${path}.1`)
      world.write(`/logs/other.log`, 4)
      server.outcome = () => 'ok'
      await agent.start()
      await settle(world)
      expect(indices(world)).toEqual({ 'app-2026.11.25': 10, 'app-2026.11.26': 4 })
      expect(server.duplicates).toBeGreaterThanOrEqual(5)
    },
  )

  test('copied and truncated after midnight with unread lines: the rest in the copy is of the day before', async () => {
    const world = beforeMidnight()
    const { agent } = world
    agent.server.outcome = () => 'failed'
    await agent.start()
    world.write(path, 5)
    await agent.advance(2_000)
    agent.crash()
    world.clock.stepWall(hourMs)
    world.files.append(
      world.files.open(`${path}.1`),
      world
        .lines()
        .map((line) => `${line}\n`)
        .join(''),
    )
    world.files.truncate(world.files.open(path), 0)
    agent.server.outcome = () => 'ok'
    await agent.start()
    await settle(world)
    expect(indices(world)).toEqual({ 'app-2026.11.25': 5 })
  })
})

type Action = 'write' | 'rotate' | 'crash' | 'midnight' | 'pass' | Extract<Outcome, string>

const actions = fc.array(
  fc.constantFrom<Action>(
    'write',
    'write',
    'write',
    'rotate',
    'crash',
    'midnight',
    'pass',
    'ok',
    'lost',
    'half',
    'failed',
  ),
  { maxLength: 30 },
)

test('whatever happens around midnight, each line is in one index, once', async () => {
  await fc.assert(
    fc.asyncProperty(actions, fc.integer({ min: 1, max: 2_000 }), async (schedule, passMs) => {
      const world = new AgentWorld({ target }, { slots: 2, batchBytes: 32 * 1024 })
      const { agent } = world
      const { server } = agent
      server.travel = () => new Promise((resolve) => void world.clock.after(7, resolve))
      await agent.start()
      let rotations = 0
      for (const action of schedule) {
        if (action === 'write') world.write(path, 3)
        else if (action === 'rotate') {
          if (world.files.find(path) !== undefined) world.files.rename(path, `${path}.${++rotations}`)
        } else if (action === 'midnight') world.clock.stepWall(24 * hourMs)
        else if (action === 'pass') await agent.advance(passMs)
        else if (action === 'crash') {
          agent.crash()
          await agent.start()
        } else server.outcome = () => action
        await agent.advance(3)
      }
      server.outcome = () => 'ok'
      await settle(world)
      expect(server.lookups).toBe(0)
    }),
    runs(150),
  )
})
