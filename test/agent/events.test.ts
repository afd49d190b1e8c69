import { describe, expect, test } from 'vitest'
import { FileEvents, reasonOf } from '../../src/agent/events.ts'
import type { Logger } from '../../src/admin/logger.ts'
import { limits } from '../../src/base/limits.ts'
import { Generation } from '../../src/follow/generation.ts'
import { AgentWorld } from './world.ts'

const silent = { isLevelEnabled: () => false } as unknown as Logger
const generation = new Generation('/a.log', '/a.log', 0, 0, 20)

test.each(['found', 'resumed', 'rotated', 'deleted', 'replaced', 'missed', 'copy', 'finished'] as const)(
  '%s has a reason of its own where none is given',
  (kind) => {
    expect(reasonOf({ kind, generation })).not.toBe('')
    expect(reasonOf({ kind, generation, why: 'it shrank' })).toBe('it shrank')
  },
)

test('counted by kind and reason', () => {
  const events = new FileEvents(silent)
  for (const why of ['it shrank', 'it shrank', 'other bytes']) events.take({ kind: 'replaced', generation, why })
  events.take({ kind: 'gap', generation, bytes: 7, why: 'it was deleted' })
  expect(events.counts).toEqual([
    { kind: 'replaced', why: 'it shrank', count: 2 },
    { kind: 'replaced', why: 'other bytes', count: 1 },
    { kind: 'gap', why: 'it was deleted', count: 1 },
  ])
})

test('more reasons than a bound are counted together, kind by kind', () => {
  const events = new FileEvents(silent)
  for (let n = 0; n < limits.reasonsMax + 10; n++) events.take({ kind: 'replaced', generation, why: `reason ${n}` })
  events.take({ kind: 'copy', generation, why: 'one more' })
  expect(events.counts).toHaveLength(limits.reasonsMax + 2)
  expect(events.counts.slice(-2)).toEqual([
    { kind: 'replaced', why: 'another', count: 10 },
    { kind: 'copy', why: 'another', count: 1 },
  ])
})

describe('the life of a file', () => {
  test('is told at debug with the facts that decided', async () => {
    const world = new AgentWorld({}, { logLevel: 'debug' })
    world.write('/logs/app.log', 3)
    await world.agent.start()
    await world.agent.advance(1_000)
    world.files.rename('/logs/app.log', '/logs/app.log.1')
    world.write('/logs/app.log', 1)
    await world.agent.advance(20_000)
    const said = world.agent.messages.filter(({ code, level }) => code.startsWith('FILE_') && level === 'debug')
    expect(said.map(({ code }) => code)).toEqual(['FILE_FOUND', 'FILE_ROTATED', 'FILE_FOUND', 'FILE_FINISHED'])
    for (const { text } of said) {
      expect(text).toMatch(
        /^\/logs\/app\.log: \w+, for .+ \(inode \d+, born \d+, epoch 0, offset \d+, size \d+, fingerprint [\w-]+\)$/,
      )
    }
    expect(world.agent.agent.figures().events.map(({ kind, count }) => [kind, count])).toEqual([
      ['found', 2],
      ['rotated', 1],
      ['finished', 1],
    ])
  })

  test('is nowhere in the log at info', async () => {
    const world = new AgentWorld()
    world.write('/logs/app.log', 3)
    await world.agent.start()
    await world.agent.advance(1_000)
    expect(world.agent.messages).toEqual([])
  })
})
