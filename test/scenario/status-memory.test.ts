/** What it costs to be looked at: five open pages and a thousand files, in a small container that ships meanwhile. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Status } from '../../src/admin/page/status.ts'
import { limits } from '../../src/base/limits.ts'
import { cgroupsAvailable } from '../../src/bench/machine/cgroup.ts'
import type { Cpu } from '../../src/bench/machine/procfs.ts'
import { LimitedAgent } from '../kit/limited-agent.ts'

const mebibyte = 1024 * 1024
const files = 1_000
const pages = 5

/** The figures of a while, for somebody to read: `STATUS_COST=1 npx vitest run test/scenario/status-memory`. */
const isMeasured = process.env['STATUS_COST'] !== undefined

const cpuMs = (cpu: Cpu | undefined) => (cpu === undefined ? NaN : (cpu.userUs + cpu.systemUs) / 1_000)

interface Seen {
  answers: number
  /** Told to ask again. */
  waits: number
  /** What went wrong instead. */
  failures: string[]
  bytesMax: number
  rowsMax: number
  known: number
}

/** As an open page does: it is loaded, and its figures are asked for again and again. @param afterMs  when */
async function look(agent: LimitedAgent, seen: Seen, afterMs: number, isOver: () => boolean): Promise<void> {
  const ask = async (at: string) => {
    const { status, text } = await agent.ask(at, 30_000).catch((error: unknown) => ({ status: 0, text: String(error) }))
    if (status !== 200) {
      if (status === 503) seen.waits++
      else seen.failures.push(text)
      return undefined
    }
    seen.answers++
    seen.bytesMax = Math.max(seen.bytesMax, text.length)
    return text
  }
  // Each at another moment: what is made for one is kept for the others for a while only.
  await delay(afterMs)
  await ask('/')
  while (!isOver()) {
    await delay(limits.statusPollMs)
    const text = await ask('/status.json')
    if (text === undefined) continue
    const { files: list } = JSON.parse(text) as Status
    seen.rowsMax = Math.max(seen.rowsMax, list.rows.length)
    seen.known = Math.max(seen.known, list.known)
  }
}

const answer = cgroupsAvailable()
describe.skipIf(!answer.available)(`in 48 MiB${answer.available ? '' : ` (${answer.reason})`}`, () => {
  test(
    'five open pages: nobody is killed, all lines arrive once, and what is shown is bounded',
    { timeout: 240_000 },
    async () => {
      const agent = await LimitedAgent.start({ memoryBytes: 48 * mebibyte })
      let sampling: ReturnType<typeof setInterval> | undefined
      try {
        agent.makeFiles(files)
        let isUp = false
        for (let tries = 0; tries < 300 && !isUp; tries++) {
          isUp = await agent.ask('/readyz').then(
            ({ status }) => status === 200,
            () => false,
          )
          if (!isUp) await delay(100)
        }
        const seen: Seen = { answers: 0, waits: 0, failures: [], bytesMax: 0, rowsMax: 0, known: 0 }
        let usedMax = 0
        sampling = setInterval(() => (usedMax = Math.max(usedMax, agent.group.sample().usedBytes)), 50)
        const part = async (count: number) => {
          let isOver = false
          const [cpuBefore, atMs] = [agent.group.cpu(), performance.now()]
          const looking = Array.from({ length: count }, (_, at) =>
            look(agent, seen, (at * limits.statusPollMs) / count, () => isOver),
          )
          const lines = await agent.write({ bytesMax: (isMeasured ? 20 : 7) * mebibyte, pauseMs: 1_000 })
          isOver = true
          await Promise.all(looking)
          const [cpu, seconds] = [agent.group.cpu(), (performance.now() - atMs) / 1000]
          const used = cpuMs(cpu) - cpuMs(cpuBefore)
          if (isMeasured)
            process.stdout.write(
              `${count} pages: ${used} ms of CPU in ${seconds.toFixed(1)} s, peak ${(usedMax / mebibyte).toFixed(1)} MiB\n`,
            )
          return lines
        }
        // In turns: what else the machine does falls on both; the first one is the start's. And opened again, for the garbage.
        const turns = isMeasured ? [0, 0, pages, 0, pages, 0, pages] : [pages, pages, pages]
        let lines = 0
        for (const count of turns) lines = await part(count)
        expect([seen.failures, agent.group.sample().oomKills], agent.said()).toEqual([[], 0])
        const { is, shouldBe } = await agent.arrived(lines, 60_000)
        expect(is, agent.said()).toEqual(shouldBe)
        expect(usedMax).toBeLessThanOrEqual(48 * mebibyte)
        expect(seen.answers).toBeGreaterThan(seen.waits)
        expect(seen.rowsMax).toBe(limits.statusFilesMax)
        expect(seen.known).toBeGreaterThan(files)
        // A page with its library, and a hundred rows: far from what a thousand would be.
        expect(seen.bytesMax).toBeLessThan(256 * 1024)
        if (isMeasured) process.stdout.write(`${JSON.stringify(seen)}\n`)
        expect(await agent.stop()).toEqual([0, null])
      } finally {
        clearInterval(sampling)
        await agent.remove()
      }
    },
  )
})
