import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { causes, states, type Cause, type State } from '../../src/admin/backpressure-words.ts'
import { causeOf, flowing, stateOf, step, type Condition, type Facts } from '../../src/agent/backpressure.ts'
import { limits } from '../../src/base/limits.ts'
import { runs } from '../base/runs.ts'

const quiet: Facts = {
  blockedShare: 0,
  behindShare: 0,
  idleShare: 1,
  cpuShare: 0,
  throttledShare: 0,
  quotaShare: 0,
  stoppedShare: 0,
  server: 'ok',
  taken: 10,
  putOff: 0,
  heldMs: 0,
  stateMs: 0,
  slotsWithheld: 0,
  serverLimited: true,
}
const waiting: Facts = { ...quiet, blockedShare: 0.9, behindShare: 1, idleShare: 0.9, cpuShare: 0.1, heldMs: 700 }
const working: Facts = { ...quiet, blockedShare: 0.1, behindShare: 1, idleShare: 0, cpuShare: 1, heldMs: 10 }
const limited: Facts = { ...working, throttledShare: 0.8, quotaShare: 0.94, stoppedShare: 0.7, cpuShare: 0.094 }
const trickle: Facts = { ...quiet, heldMs: 60_000, taken: 0 }

/** Seen long enough. */
function settled(facts: Facts, was = flowing(0)): Condition {
  let condition = was
  for (let at = 1; at <= 10; at++) condition = step(condition, facts, was.sinceMs + at * limits.backpressureIntervalMs)
  return condition
}

describe('state and cause', () => {
  test.each<[string, Facts, State, Cause]>([
    ['nothing to do', quiet, 'flowing', 'none'],
    ['a slow start is not yet a trouble', { ...quiet, heldMs: 9_000 }, 'flowing', 'none'],
    ['a trouble that keeps nobody waiting', { ...quiet, server: 'unreachable' }, 'flowing', 'none'],
    ['now and then no slot', { ...quiet, blockedShare: 0.4, behindShare: 0.6 }, 'flowing', 'none'],
    ['answers take long', waiting, 'full', 'server_slow'],
    ['and no request has ended yet', { ...waiting, server: 'unknown', taken: 0 }, 'full', 'server_slow'],
    ['it asks for time', { ...waiting, server: 'overloaded', putOff: 3, taken: 0 }, 'full', 'server_refusing'],
    ['it asks for time now and then, and takes the rest', { ...waiting, putOff: 1 }, 'full', 'server_refusing'],
    ['it is away', { ...waiting, server: 'unreachable', taken: 0 }, 'full', 'server_unreachable'],
    ['one of several nodes is away', { ...waiting, server: 'unreachable' }, 'full', 'server_unreachable'],
    ['the target takes nothing', { ...waiting, server: 'holding', taken: 0 }, 'holding', 'target'],
    ['nor the few lines that there are', { ...quiet, server: 'holding', heldMs: 1 }, 'holding', 'target'],
    ['few lines, and nobody answers', { ...trickle, server: 'unreachable' }, 'filling', 'server_unreachable'],
    ['few lines, and the answer takes long', trickle, 'filling', 'server_slow'],
    ['few lines, put off again and again', { ...trickle, server: 'overloaded' }, 'filling', 'server_refusing'],
    ['the state cannot be written', { ...waiting, taken: 0, stateMs: 20_000 }, 'full', 'state_disk'],
    ['slots were given back', { ...waiting, slotsWithheld: 3, serverLimited: false }, 'full', 'memory_pressure'],
    ['but the server would not take more', { ...waiting, slotsWithheld: 3 }, 'full', 'server_slow'],
    ['one core has enough to do', working, 'filling', 'one_core'],
    ['and fills all slots', { ...working, blockedShare: 0.8 }, 'full', 'one_core'],
    ['a refusal now and then is not what keeps it back', { ...working, putOff: 1 }, 'filling', 'one_core'],
    ['the quota is used up', limited, 'filling', 'cpu_throttled'],
    ['and all slots', { ...limited, blockedShare: 0.8 }, 'full', 'cpu_throttled'],
    ['stopped while answers come in, it seems to wait', { ...limited, idleShare: 0.5 }, 'filling', 'cpu_throttled'],
    ["by others in the Pod's cgroup", { ...limited, quotaShare: 0.1 }, 'filling', 'cpu_throttled'],
    ['a quota that is hardly touched', { ...waiting, throttledShare: 0.9, quotaShare: 0.2 }, 'full', 'server_slow'],
    ['a burst now and then', { ...waiting, throttledShare: 0.2, quotaShare: 0.9 }, 'full', 'server_slow'],
    [
      'away, and the quota is used up',
      { ...limited, server: 'unreachable', taken: 0 },
      'filling',
      'server_unreachable',
    ],
    ['others have the CPU', { ...working, cpuShare: 0.3 }, 'filling', 'stalled'],
    ['away, and the CPU is short', { ...working, server: 'unreachable', taken: 0 }, 'filling', 'server_unreachable'],
  ])('%s', (_, facts, state, cause) => {
    expect(settled(facts)).toMatchObject({ state, cause, next: undefined })
  })

  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const ms = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100_000 }))
  const anyFacts: fc.Arbitrary<Facts> = fc.record({
    blockedShare: share,
    behindShare: share,
    idleShare: share,
    cpuShare: share,
    throttledShare: share,
    quotaShare: share,
    stoppedShare: share,
    server: fc.constantFrom('unknown', 'ok', 'unreachable', 'overloaded', 'holding'),
    taken: fc.nat(3),
    putOff: fc.nat(3),
    heldMs: ms,
    stateMs: ms,
    slotsWithheld: fc.nat(2),
    serverLimited: fc.boolean(),
  })
  const anyStates = fc.constantFrom(...states)
  const anyCauses = fc.constantFrom(...causes)

  test('a cause is only named when its fact is there', () => {
    fc.assert(
      fc.property(anyFacts, anyStates, anyCauses, (facts, wasState, wasCause) => {
        const state = stateOf(facts, wasState)
        const cause = causeOf(facts, state, wasCause)
        expect(cause === 'none').toBe(state === 'flowing')
        expect(state !== 'holding' || cause === 'target').toBe(true)
        const waits = facts.idleShare >= 0.25 || facts.taken === 0
        const honest: Record<Cause, boolean> = {
          none: true,
          target: facts.server === 'holding',
          server_unreachable: facts.server === 'unreachable' && waits,
          server_refusing: (facts.server === 'overloaded' || facts.putOff > 0) && waits,
          server_slow: facts.idleShare >= 0.25,
          state_disk: facts.stateMs > 0,
          memory_pressure: facts.slotsWithheld > 0,
          cpu_throttled: facts.throttledShare >= 0.1 && (facts.quotaShare >= 0.5 || facts.stoppedShare >= 0.3),
          stalled: facts.cpuShare < 0.7 * (1 - facts.idleShare),
          one_core: facts.cpuShare >= 0.5 * (1 - facts.idleShare),
        }
        expect(honest[cause], cause).toBe(true)
      }),
      runs(2000),
    )
  })

  const seen: Readonly<Record<Cause, Facts>> = {
    none: quiet,
    target: { ...waiting, server: 'holding', taken: 0 },
    server_unreachable: { ...waiting, server: 'unreachable', taken: 0 },
    server_refusing: { ...waiting, server: 'overloaded', putOff: 3, taken: 0 },
    server_slow: trickle,
    state_disk: { ...waiting, taken: 0, stateMs: 20_000 },
    memory_pressure: { ...waiting, slotsWithheld: 3, serverLimited: false },
    cpu_throttled: limited,
    stalled: { ...working, cpuShare: 0.3 },
    one_core: working,
  }

  test.each(causes)('%s is reached from every other state and cause', (to) => {
    for (const state of states) {
      for (const cause of causes) {
        const now = settled(seen[to], { state, cause, sinceMs: 0, next: undefined })
        expect(now.cause, `from ${state} ${cause}`).toBe(to)
      }
    }
  })

  test('it changes no more often than it can be believed, whatever flickers', () => {
    fc.assert(
      fc.property(fc.array(anyFacts, { minLength: 50, maxLength: 200 }), (all) => {
        let now = flowing(0)
        let changedAtMs = 0
        for (const [at, facts] of all.entries()) {
          const atMs = (at + 1) * limits.backpressureIntervalMs
          const next = step(now, facts, atMs)
          const changes = next.state !== now.state || next.cause !== now.cause
          expect(!changes || atMs - changedAtMs >= limits.backpressureBelieveMs).toBe(true)
          if (changes) changedAtMs = atMs
          now = next
        }
      }),
      runs(300),
    )
  })

  test('what goes up and down between the two thresholds changes nothing', () => {
    for (const [from, low, high] of [
      [waiting, { blockedShare: 0.21 }, { blockedShare: 0.6 }],
      [working, { behindShare: 0.55 }, { behindShare: 1 }],
      [limited, { throttledShare: 0.12, quotaShare: 0.6, stoppedShare: 0.1 }, limited],
      [waiting, { idleShare: 0.3 }, { idleShare: 0.5 }],
    ] as const) {
      let now = settled(from)
      const { state, cause } = now
      for (let at = 20; at < 200; at++) {
        now = step(now, { ...from, ...(Math.floor(at / 5) % 2 === 0 ? low : high) }, at * 1000)
        expect(now).toMatchObject({ state, cause })
      }
    }
  })

  test('a state lasts since it was first seen, also when another cause comes', () => {
    const full = settled(waiting)
    expect(full.sinceMs).toBe(1_000)
    expect(settled({ ...waiting, server: 'unreachable', taken: 0 }, { ...full })).toMatchObject({
      cause: 'server_unreachable',
      sinceMs: 1_000,
    })
  })
})
