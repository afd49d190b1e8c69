import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { logBlocks } from '../../bench/log.ts'
import { SinkProcess } from '../../bench/sink-client.ts'
import { messagesOfFile } from '../../bench/strict.ts'
import { parseExposition } from '../admin/exposition.ts'
import { cgroupsAvailable, spawnInCgroup } from '../kit/cgroup.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const mebibyte = 1024 * 1024
/** Until the agent has told what is in the way, at the most: a fast core takes its time to be behind. */
const logBytesMax = 1024 * mebibyte
const logBytesMin = 64 * mebibyte
const rotateBytes = 48 * mebibyte
const cpus = 0.1
/** The kubelet's own default is a second; the machine of a test may have other things to do. */
const probeMsMax = 10_000

interface Seen {
  readonly status: number
  readonly text: string
}

async function ask(port: number, at: string): Promise<Seen> {
  const answer = await fetch(`http://127.0.0.1:${port}${at}`, { signal: AbortSignal.timeout(probeMsMax) })
  return { status: answer.status, text: await answer.text() }
}

/** Writes faster than a tenth of a core reads, until `enough`, and rotates; all of it also into `whole`, to compare with. */
async function write(directory: string, whole: string, enough: () => boolean): Promise<number> {
  const log = path.join(directory, 'app.log')
  let [inFile, rotations, bytes] = [0, 0, 0]
  for (const block of logBlocks(11, logBytesMax)) {
    if (bytes > logBytesMin && enough()) break
    bytes += block.length
    fs.appendFileSync(log, block)
    fs.appendFileSync(whole, block)
    inFile += block.length
    if (inFile > rotateBytes) {
      fs.renameSync(log, `${log}.${++rotations}`)
      inFile = 0
    }
    await delay(25)
  }
  return messagesOfFile(whole).count
}

const answer = cgroupsAvailable()
describe.skipIf(!answer.available)(`a tenth of a core${answer.available ? '' : ` (${answer.reason})`}`, () => {
  test('all lines arrive once, probes are answered, and the cause is told', { timeout: 240_000 }, async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-slow-cpu-'))
    const logs = path.join(directory, 'logs')
    fs.mkdirSync(logs)
    const whole = path.join(directory, 'whole')
    const [sink, port] = [await SinkProcess.start(true), await findFreePort()]
    const output = fs.openSync(path.join(directory, 'agent.out'), 'w')
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('REMORA_'))
    const group = spawnInCgroup({ memoryBytes: 64 * mebibyte, cpus }, process.execPath, [main, 'run'], {
      stdio: ['ignore', output, output],
      env: {
        ...Object.fromEntries(inherited),
        REMORA_PATHS: `${logs}/*.log`,
        REMORA_STATE_DIR: path.join(directory, 'state'),
        REMORA_ELASTICSEARCH_URL: sink.url,
        REMORA_ADMIN_PORT: String(port),
        REMORA_POD_UID: 'slow',
      },
    })
    const exit = once(group.child, 'exit')
    const said = () => fs.readFileSync(path.join(directory, 'agent.out'), 'utf8').slice(-4000)
    try {
      const ended = { yes: false }
      const failures: string[] = []
      const states = new Set<string>()
      const isTold = () => [...states].some((state) => /200 (filling|full)/.test(state))
      const written = write(logs, whole, isTold)
      const probing = (async () => {
        while (!ended.yes) {
          const [live, ready] = await Promise.all([ask(port, '/livez'), ask(port, '/readyz')]).catch(() => [])
          // Before it listens nobody is promised an answer.
          if (live !== undefined && ready !== undefined) {
            if (live.status !== 200) failures.push(`livez ${live.status}`)
            const { backpressure } = JSON.parse(ready.text) as { backpressure: { state: string; cause: string } }
            states.add(`${ready.status} ${backpressure.state} ${backpressure.cause}`)
          } else if (states.size > 0) failures.push('no answer')
          await delay(200)
        }
      })()
      const lines = await written
      const totals = await sink.waitFor(lines, 180_000, AbortSignal.timeout(180_000))
      ended.yes = true
      await probing
      const { samples } = parseExposition((await ask(port, '/metrics')).text)
      const metric = (name: string) => samples.find((sample) => sample.name === name)?.value
      group.child.kill('SIGTERM')
      expect(await exit, said()).toEqual([0, null])
      const { duplicates, messages } = totals.strict!
      expect({ documents: totals.documents, duplicates, messages }, said()).toEqual({
        documents: lines,
        duplicates: 0,
        messages: messagesOfFile(whole).digest(),
      })
      expect(failures).toEqual([])
      expect(metric('remora_cpu_quota_cores')).toBeCloseTo(cpus)
      expect(metric('remora_cpu_throttled_seconds_total')).toBeGreaterThan(1)
      expect([...states].filter((state) => !state.startsWith('200 ') && !state.startsWith('503 flowing'))).toEqual([])
      expect(isTold(), [...states].join(', ')).toBe(true)
    } finally {
      group.child.kill('SIGKILL')
      await group.cleanup()
      await sink.stop()
      fs.closeSync(output)
      fs.rmSync(directory, { recursive: true, force: true })
    }
  })
})
