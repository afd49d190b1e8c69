import { describe, expect, test } from 'vitest'
import type { State } from '../../src/admin/backpressure-words.ts'
import { BackpressureWatch, type Around, type Turned } from '../../src/agent/backpressure-watch.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { AgentWorld } from './world.ts'

const nobody: Around = {
  server: 'ok',
  heldSinceMs: undefined,
  stateSinceMs: undefined,
  slotsWithheld: 0,
  serverLimited: true,
}

function watching(given: Partial<Around> = {}) {
  const clock = new VirtualClock()
  const seen: State[] = []
  let loads = 0
  const load = () => {
    loads++
    return { idleMs: clock.nowMs, cpuMs: 0, throttle: undefined }
  }
  const watch = new BackpressureWatch(
    clock.view(() => true),
    load,
    () => ({ ...nobody, ...given }),
    ({ state }) => void seen.push(state),
  )
  /** The loop turns like this each 100 ms. */
  const turn = async (how: Turned, times: number) => {
    for (let at = 0; at < times; at++) {
      watch.turned(how)
      await clock.advanceTo(clock.nowMs + 100)
    }
  }
  return { watch, seen, turn, clock, loads: () => loads }
}

const codes = (world: AgentWorld) =>
  world.agent.messages.map(({ code }) => code).filter((code) => /^(BACKPRESSURE|ELASTICSEARCH)/.test(code))

/** Writes more than the slots hold. */
async function flooded(outcome: AgentWorld['agent']['server']['outcome']) {
  const world = new AgentWorld()
  const { server } = world.agent
  const before = server.outcome
  await world.agent.start()
  world.write('/logs/app.log')
  await world.agent.advance(1_000)
  server.outcome = outcome
  world.write('/logs/app.log', 40_000)
  await world.agent.advance(30_000)
  return { world, mend: () => (server.outcome = before) }
}

describe('what is seen of the turns of the loop', () => {
  test('with nothing to do nothing is looked at, and nobody is woken', async () => {
    const { watch, seen, turn, loads } = watching()
    await turn('done', 1000)
    expect([seen.length, loads(), watch.dueMs]).toEqual([0, 0, Infinity])
  })

  test('with something to do once a second, and no longer than that', async () => {
    const { watch, seen, turn, loads } = watching()
    await turn('more', 100)
    expect(seen).toHaveLength(9)
    expect(loads()).toBe(10)
    await turn('done', 1000)
    expect(watch.dueMs).toBe(Infinity)
    expect(seen.length).toBeLessThan(30)
  })

  test('no free slot: full, and the time is counted', async () => {
    const { watch, seen, turn } = watching()
    await turn('blocked', 150)
    expect(seen.at(-1)).toBe('full')
    expect(watch.figures()).toMatchObject({ state: 'full', cause: 'server_slow', blockedSeconds: 15, lagSeconds: 15 })
    await turn('done', 200)
    expect(seen.at(-1)).toBe('flowing')
    expect(watch.figures()).toMatchObject({ state: 'flowing', cause: 'none', lagSeconds: 0 })
    expect(watch.figures().blockedSeconds).toBeCloseTo(15)
  })

  test('a moment without a slot is no trouble', async () => {
    const { seen, turn } = watching()
    for (let round = 0; round < 30; round++) {
      await turn('blocked', 3)
      await turn('done', 7)
    }
    expect(new Set(seen)).toEqual(new Set(['flowing']))
  })

  test('most of the time without a slot, though not at any look', async () => {
    const { seen, turn } = watching()
    for (let round = 0; round < 20; round++) {
      await turn('blocked', 7)
      await turn('done', 4)
    }
    expect(seen.at(-1)).toBe('full')
  })

  test('a batch that waits is looked at, although nothing is written', async () => {
    const { watch, seen, turn } = watching({ heldSinceMs: 500, server: 'unreachable' })
    await turn('done', 200)
    expect(seen.at(-1)).toBe('filling')
    expect(watch.figures()).toMatchObject({ cause: 'server_unreachable', heldSeconds: 20.5 })
  })
})

describe('in the agent', () => {
  test.each([
    [{ status: 429 }, 'full', 'server_refusing', ['ELASTICSEARCH_OVERLOADED', 'BACKPRESSURE_FULL']],
    [{ status: 401 }, 'holding', 'target', ['ELASTICSEARCH_HOLDING']],
    ['hang', 'full', 'server_slow', ['BACKPRESSURE_FULL']],
    ['failed', 'full', 'server_unreachable', ['ELASTICSEARCH_UNREACHABLE', 'BACKPRESSURE_FULL']],
  ] as const)('a server that answers %j: %s because of %s', async (outcome, state, cause, said) => {
    const { world, mend } = await flooded(() => outcome)
    const { agent } = world.agent
    expect(agent.figures().backpressure).toMatchObject({ state, cause })
    expect(agent.detail).toMatchObject({ backpressure: { state, cause } })
    expect(agent.isReady).toBe(true)
    expect(codes(world).toSorted()).toEqual([...said].toSorted())
    const text = world.agent.messages.find(({ code }) => code === 'BACKPRESSURE_FULL')?.text ?? '40001 bytes'
    expect(text).toMatch(/[1-9]\d+ bytes/)
    mend()
    // What hangs is never answered here; all else goes on.
    if (outcome === 'hang') return
    await world.agent.advance(120_000)
    expect(agent.figures()).toMatchObject({ unreadBytes: 0, backpressure: { state: 'flowing', cause: 'none' } })
    expect(codes(world).filter((code) => code === 'BACKPRESSURE_FLOWING')).toHaveLength(
      said.includes('BACKPRESSURE_FULL' as never) ? 1 : 0,
    )
    await world.agent.stop()
    expect(world.agent.lines('/logs/app.log')).toHaveLength(world.written)
  })

  test('a disk of the state that hangs keeps new files waiting, and it is not the server that is blamed', async () => {
    const hanging = { yes: false }
    const step = () => (hanging.yes ? new Promise<void>(() => {}) : Promise.resolve())
    const world = new AgentWorld({}, {}, { step })
    await world.agent.start()
    hanging.yes = true
    world.write('/logs/new.log', 40_000)
    await world.agent.advance(30_000)
    expect(world.agent.agent.figures().backpressure).toMatchObject({ state: 'full', cause: 'state_disk' })
    expect(codes(world)).toEqual(['BACKPRESSURE_FULL'])
    world.agent.crash()
  })

  test('an idle agent is woken by nothing of this', async () => {
    const world = new AgentWorld()
    await world.agent.start()
    world.write('/logs/app.log', 10)
    await world.agent.advance(10_000)
    const before = world.agent.clock.nowMs
    expect(world.agent.clock.nextMs - before).toBeGreaterThan(1_500)
    await world.agent.stop()
  })
})
