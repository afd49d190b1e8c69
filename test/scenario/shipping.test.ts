import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import {
  accountOf,
  describeElasticsearch,
  LineAccount,
  sharedElasticsearch,
  type Elasticsearch,
} from '../kit/elasticsearch.ts'
import { RotatingFile } from '../kit/rotating-file.ts'

/** Lines of each run: a million in CI. */
const lines = Number(process.env['TEST_LINES'] ?? (process.env['CI'] === undefined ? 100_000 : 1_000_000))
const files = 8
const rotateMs = 3_000
/** Lines in a second, of all files together: somewhat less than a test server takes. */
const rate = 16_000
const mostMs = 60_000 + (lines / rate) * 1000 * 10

let directory: string
let server: Elasticsearch

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-shipping-'))
  server = await sharedElasticsearch()
})

afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

function lineOf(file: number, sequence: number): string {
  const kinds = [
    `2026-11-23T10:00:00.${sequence % 1000}Z INFO order ${sequence} of file ${file} accepted, "total"=${sequence % 977}.50`,
    `{"sequence":${sequence},"file":${file},"path":"C:\\\\temp\\t${sequence}","ok":true}`,
    `\tat com.example.Orders.find(Orders.java:${sequence}) [file ${file}]`,
    `Größe ${sequence} für 注文 ${file} 😀 ${'é'.repeat(sequence % 40)}`,
    `${file}.${sequence}`,
  ]
  return kinds[sequence % kinds.length]!
}

/** Writes all lines at the rate, rotating each file every few seconds; calls back at a third and two thirds. */
async function write(account: LineAccount, at: (third: number) => void): Promise<void> {
  const logs = Array.from({ length: files }, (_, n) => new RotatingFile(path.join(directory, `app-${n}.log`), 60))
  const startedMs = performance.now()
  let written = 0
  let rotatedMs = startedMs
  let third = 1
  while (written < lines) {
    const due = Math.min(lines, Math.ceil(((performance.now() - startedMs) / 1000) * rate))
    const texts: string[] = logs.map(() => '')
    for (; written < due; written++) {
      const text = lineOf(written % files, written)
      account.add(text)
      texts[written % files] += `${text}\n`
    }
    for (const [n, log] of logs.entries()) log.append(texts[n]!)
    if (performance.now() - rotatedMs > rotateMs) {
      rotatedMs = performance.now()
      for (const log of logs) log.rotate()
    }
    if (written >= (lines * third) / 3) at(third++)
    await delay(20)
  }
  for (const log of logs) log.close()
}

function settingsFor(index: string, podUid: string): Record<string, string> {
  return {
    REMORA_PATHS: `${directory}/*.log`,
    REMORA_STATE_DIR: `${directory}/state-${podUid}`,
    REMORA_ELASTICSEARCH_URL: server.url,
    REMORA_INDEX: index,
    REMORA_POD_UID: podUid,
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + mostMs
  while (!(await condition())) {
    if (performance.now() > deadlineMs) return
    await delay(500)
  }
}

describeElasticsearch('lines over rotated files, into a real Elasticsearch', () => {
  test(
    `${lines} lines, the agent stopped by SIGTERM and by SIGKILL on the way: each is there once, with its text`,
    { timeout: mostMs + 120_000 },
    async () => {
      const index = `shipping-${path.basename(directory).toLowerCase()}`
      const settings = settingsFor(index, 'pod-a')
      const account = new LineAccount()
      let agent: AgentProcess = startAgent(settings)
      let restarting = Promise.resolve()
      const codes: (number | null)[] = []
      const restart = async (third: number, before: Promise<void>) => {
        await before
        codes.push(await agent.end(third === 1 ? 'SIGTERM' : 'SIGKILL'))
        if (third < 3) await delay(700)
        agent = startAgent(settings)
      }
      await write(account, (third) => {
        restarting = restart(third, restarting)
      })
      await restarting
      await until(async () => (await server.count(index)) >= lines)
      expect(await agent.end('SIGTERM'), agent.output()).toBe(0)
      expect(codes, 'a clean stop, then a kill at two thirds and one at the end').toEqual([0, null, null])
      expect(await accountOf(server, index)).toEqual(account.account())
    },
  )

  test('two Pods with equal files into one index: every line of both is there', { timeout: 240_000 }, async () => {
    const index = `pods-${path.basename(directory).toLowerCase()}`
    const texts = Array.from({ length: 5_000 }, (_, n) => lineOf(0, n))
    const account = new LineAccount()
    fs.writeFileSync(path.join(directory, 'app.log'), texts.map((text) => `${text}\n`).join(''))
    for (const pod of ['pod-a', 'pod-b']) {
      for (const text of texts) account.add(text)
      const agent = startAgent(settingsFor(index, pod))
      const expected = account.account().documents
      await until(async () => (await server.count(index)) >= expected)
      expect(await agent.end('SIGTERM'), agent.output()).toBe(0)
    }
    expect(await accountOf(server, index)).toEqual(account.account())
  })
})
