import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { cgroupsAvailable } from '../../src/bench/machine/cgroup.ts'
import { LimitedAgent } from '../kit/limited-agent.ts'

const mebibyte = 1024 * 1024
/** Until the agent has told what is in the way, at the most: a fast core takes its time to be behind. */
const logBytesMax = 1024 * mebibyte
const logBytesMin = 64 * mebibyte
const cpus = 0.1

const answer = cgroupsAvailable()
describe.skipIf(!answer.available)(`a tenth of a core${answer.available ? '' : ` (${answer.reason})`}`, () => {
  test('all lines arrive once, probes are answered, and the cause is told', { timeout: 240_000 }, async () => {
    const agent = await LimitedAgent.start({ memoryBytes: 64 * mebibyte, cpus })
    try {
      const ended = { yes: false }
      const failures: string[] = []
      const states = new Set<string>()
      const isTold = () => [...states].some((state) => /200 (filling|full)/.test(state))
      const written = agent.write({
        bytesMax: logBytesMax,
        pauseMs: 25,
        enough: (bytes) => bytes > logBytesMin && isTold(),
      })
      const probing = (async () => {
        while (!ended.yes) {
          const [live, ready] = await Promise.all([agent.ask('/livez'), agent.ask('/readyz')]).catch(() => [])
          // Before it listens nobody is promised an answer.
          if (live !== undefined && ready !== undefined) {
            if (live.status !== 200) failures.push(`livez ${live.status}`)
            const { backpressure } = JSON.parse(ready.text) as { backpressure: { state: string; cause: string } }
            states.add(`${ready.status} ${backpressure.state} ${backpressure.cause}`)
          } else if (states.size > 0) failures.push('no answer')
          await delay(200)
        }
      })()
      const { is, shouldBe } = await agent.arrived(await written, 180_000)
      ended.yes = true
      await probing
      const metric = await agent.metrics()
      expect(await agent.stop(), agent.said()).toEqual([0, null])
      expect(is, agent.said()).toEqual(shouldBe)
      expect(failures).toEqual([])
      expect(metric('remora_cpu_quota_cores')).toBeCloseTo(cpus)
      expect(metric('remora_cpu_throttled_seconds_total')).toBeGreaterThan(1)
      expect([...states].filter((state) => !state.startsWith('200 ') && !state.startsWith('503 flowing'))).toEqual([])
      expect(isTold(), [...states].join(', ')).toBe(true)
    } finally {
      await agent.remove()
    }
  })
})
