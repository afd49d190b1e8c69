import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { cgroupsAvailable } from '../../src/bench/machine/cgroup.ts'
import { LimitedAgent } from '../kit/limited-agent.ts'

const mebibyte = 1024 * 1024
/** More than the agent reads before the limits have moved. */
const logBytes = 1024 * mebibyte

const answer = cgroupsAvailable()
describe.skipIf(!answer.available)(`a Pod resized in place${answer.available ? '' : ` (${answer.reason})`}`, () => {
  test.each(['http', 'https'])(
    'lowered and raised under full load over %s: other plans, nobody killed, all lines once',
    { timeout: 240_000 },
    async (way) => {
      const agent = await LimitedAgent.start({ memoryBytes: 128 * mebibyte }, way === 'https')
      const limitTo = async (bytes: number) => {
        // v1 refuses a limit while it cannot take so much back.
        for (let tries = 0; tries < 100 && !agent.group.limitMemory(bytes); tries++) await delay(50)
        await until(() => agent.said().includes(`the memory limit is ${bytes / mebibyte} MiB now`), agent)
      }
      try {
        let stop = false
        const writing = agent.write({ bytesMax: logBytes, pauseMs: 5, enough: () => stop })
        await until(async () => (await agent.sink.totals()).documents > 300_000, agent)
        await limitTo(64 * mebibyte)
        const metric = await agent.metrics()
        expect(metric('remora_memory_limit_bytes')).toBe(64 * mebibyte)
        expect(metric('remora_memory_resizes_total')).toBe(1)
        expect(metric('remora_arena_bytes')).toBeLessThan(16 * mebibyte)
        const { documents } = await agent.sink.totals()
        await until(async () => (await agent.sink.totals()).documents > documents + 300_000, agent)
        await limitTo(128 * mebibyte)
        stop = true
        const { is, shouldBe } = await agent.arrived(await writing, 120_000)
        expect(is, agent.said()).toEqual(shouldBe)
        expect(agent.group.sample().oomKills).toBe(0)
        expect(await agent.stop(), agent.said()).toEqual([0, null])
      } finally {
        await agent.remove()
      }
    },
  )
})

async function until(holds: () => boolean | Promise<boolean>, agent: LimitedAgent): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await holds()) return
    await delay(100)
  }
  throw new Error(`it does not come to that; the agent said: ${agent.said()}`)
}
