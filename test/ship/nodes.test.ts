import * as fc from 'fast-check'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { Nodes } from '../../src/ship/nodes.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { runs } from '../base/runs.ts'

function nodesOf(count: number, probe: (node: number) => Promise<boolean> = () => Promise.resolve(false)) {
  const clock = new VirtualClock()
  const probed: { node: number; atMs: number }[] = []
  const nodes = new Nodes({
    count,
    clock: clock.view(() => true),
    random: () => 1,
    probe: (node) => {
      probed.push({ node, atMs: clock.nowMs })
      return probe(node)
    },
  })
  const pass = async (ms: number) => {
    await clock.advanceTo(clock.nowMs + ms)
    await setImmediate()
  }
  return { nodes, probed, pass, clock }
}

/** Sends one after the other. */
function send(nodes: Nodes, times: number, down: readonly number[] = []): number[] {
  return Array.from({ length: times }, () => {
    const node = nodes.take()
    nodes.done(node, down.includes(node) ? 'failed' : 'alive')
    return node
  })
}

test('all in turn', () => {
  expect(send(nodesOf(3).nodes, 7)).toEqual([0, 1, 2, 0, 1, 2, 0])
  expect(send(nodesOf(1).nodes, 3)).toEqual([0, 0, 0])
})

test('one that fails gets one request, and no other until it gives a sign of life', async () => {
  let alive = false
  const { nodes, probed, pass } = nodesOf(3, () => Promise.resolve(alive))
  expect(send(nodes, 8, [1])).toEqual([0, 1, 2, 0, 2, 0, 2, 0])
  expect(probed).toEqual([])
  for (let second = 0; second < 300; second++) {
    await pass(1_000)
    expect(send(nodes, 2, [1])).not.toContain(1)
  }
  expect(probed.every(({ node }) => node === 1)).toBe(true)
  expect(probed.length, 'with growing pauses').toBeLessThan(18)
  alive = true
  await pass(limits.nodeProbeCapMs)
  send(nodes, 1)
  await pass(0)
  expect(send(nodes, 6)).toContain(1)
})

test('one that gives signs of life and takes nothing gets fewer and fewer requests', async () => {
  const { nodes, pass } = nodesOf(2, () => Promise.resolve(true))
  let wasted = 0
  for (let second = 0; second < 600; second++) {
    wasted += send(nodes, 3, [1]).filter((node) => node === 1).length
    await pass(1_000)
  }
  expect(wasted, 'of 1,800').toBeLessThan(30)
})

test('one that hangs has one request, however many are sent meanwhile', () => {
  const { nodes } = nodesOf(2)
  const hanging = nodes.take()
  for (let round = 0; round < 50; round++) {
    const node = nodes.take()
    expect(node).not.toBe(hanging)
    nodes.done(node, 'alive')
  }
})

test('all down: tried in turn, and nobody is asked', async () => {
  const { nodes, probed, pass } = nodesOf(3)
  expect(send(nodes, 6, [0, 1, 2])).toEqual([0, 1, 2, 0, 1, 2])
  await pass(60_000)
  expect(send(nodes, 3, [0, 1, 2])).toEqual([0, 1, 2])
  expect(probed).toEqual([])
  expect(new Set(send(nodes, 5))).toEqual(new Set([0]))
})

test('what we ended ourselves says nothing; new credentials forgive', () => {
  const { nodes } = nodesOf(2)
  nodes.done(nodes.take(), 'unsaid')
  expect(new Set(send(nodes, 4))).toEqual(new Set([0, 1]))
  send(nodes, 2, [0, 1])
  nodes.forgive()
  expect(new Set(send(nodes, 2))).toEqual(new Set([0, 1]))
})

describe('laws', () => {
  test('a node that is down is never chosen while one is up, and none has two more under way than another that is up', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(20), fc.constantFrom('alive', 'failed', 'unsaid')), {
      maxLength: 200,
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), steps, (count, taken) => {
        const { nodes } = nodesOf(count)
        const down = new Set<number>()
        const under: number[] = []
        const wrong: string[] = []
        for (const [take, which, news] of taken) {
          if (take || under.length === 0) {
            const node = nodes.take()
            const up = Array.from({ length: count }, (_, at) => at).filter((at) => !down.has(at))
            const waiting = (at: number) => under.filter((each) => each === at).length
            const allowed = up.length > 0 ? up : Array.from({ length: count }, (_, at) => at)
            if (!allowed.includes(node)) wrong.push(`${node} is down`)
            if (waiting(node) !== Math.min(...allowed.map(waiting))) wrong.push(`${node} has more to do than others`)
            under.push(node)
          } else {
            const [node] = under.splice(which % under.length, 1)
            nodes.done(node!, news)
            if (news === 'failed') down.add(node!)
            if (news === 'alive') down.delete(node!)
          }
        }
        expect(wrong).toEqual([])
      }),
      runs(200),
    )
  })
})
