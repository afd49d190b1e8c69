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
import { Interceptor, type Fate } from '../kit/interceptor.ts'

const lines = 12_000
const mostMs = 90_000

let directory: string
let server: Elasticsearch
let interceptor: Interceptor
let target: string
let agent: AgentProcess | undefined

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-rollover-'))
  server = await sharedElasticsearch()
  interceptor = await Interceptor.before(server.port)
  target = `rollover-${path.basename(directory).toLowerCase()}`
})

afterEach(async () => {
  await agent?.end('SIGKILL')
  agent = undefined
  await interceptor.close()
  fs.rmSync(directory, { recursive: true, force: true })
})

async function succeed(method: string, where: string, body?: unknown): Promise<unknown> {
  const answer = await server.request(method, where, body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return answer.body
}

/** Makes the target, by kind. */
const kinds = {
  'a data stream': async () => {
    await succeed('PUT', `/_index_template/${target}`, { index_patterns: [target], data_stream: {}, priority: 900 })
  },
  'an alias': async () => {
    await succeed('PUT', `/${target}-000001`, { aliases: { [target]: { is_write_index: true } } })
  },
} as const

const rollover = () => succeed('POST', `/${target}/_rollover`)

/** Of all indices behind the target. */
async function stored() {
  await succeed('POST', `/${target}/_refresh`)
  return accountOf(server, target)
}

function run(settings: Readonly<Record<string, string>> = {}): void {
  agent = startAgent({
    REMORA_PATHS: `${directory}/*.log`,
    REMORA_STATE_DIR: `${directory}/state`,
    REMORA_ELASTICSEARCH_URL: interceptor.url,
    REMORA_INDEX: target,
    REMORA_BATCH_BYTES: '512Ki',
    REMORA_LOG_LEVEL: 'debug',
    ...settings,
  })
}

function write(account: LineAccount, from: number, to: number): void {
  const texts: string[] = []
  for (let at = from; at < to; at++) {
    const text = `${new Date(1.7e12 + at).toISOString()} INFO order ${at} accepted, total=${at % 977}.50 ${'x'.repeat(at % 90)}`
    account.add(text)
    texts.push(`${text}\n`)
  }
  fs.appendFileSync(`${directory}/app.log`, texts.join(''))
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + mostMs
  while (!(await condition())) {
    expect(agent?.child.exitCode, agent?.output()).toBeNull()
    expect(performance.now(), agent?.output()).toBeLessThan(deadlineMs)
    await delay(50)
  }
}

describeElasticsearch('rolled over between two attempts at a real Elasticsearch', () => {
  test.each([
    ['a data stream', 'cut'],
    ['an alias', 'cut'],
    ['a data stream', 'swallow'],
  ] as const)(
    '%s, while the answer is lost (%s): every line is there, none twice',
    { timeout: 240_000 },
    async (kind, fate: Fate) => {
      await kinds[kind]()
      const account = new LineAccount()
      write(account, 0, lines)
      let bulks = 0
      let rolled = 0
      // Of the first requests each is taken, rolled over behind, and not answered.
      interceptor.decide = async ({ isBulk }) => {
        if (!isBulk || bulks++ >= 3) return 'pass'
        await rollover()
        rolled++
        return fate
      }
      run({ REMORA_REQUEST_TIMEOUT: '5s' })
      await until(() => rolled === 3)
      write(account, lines, lines + 500)
      await until(async () => (await stored()).documents >= account.count)
      expect(await agent!.end('SIGTERM'), agent!.output()).toBe(0)
      expect(await stored(), agent!.output()).toEqual(account.account())
      expect(agent!.output()).not.toContain('DUPLICATES_POSSIBLE')
    },
  )

  test.each(['a data stream', 'an alias'] as const)(
    '%s, while the agent is dead: every line is there, none twice',
    { timeout: 240_000 },
    async (kind) => {
      await kinds[kind]()
      const account = new LineAccount()
      write(account, 0, 2_000)
      run()
      await until(async () => interceptor.passed.some(({ isBulk }) => isBulk) && (await stored()).documents === 2_000)
      // The checkpoint knows these, and the indices behind the target.
      await delay(1_500)
      for (let life = 0; life < 2; life++) {
        const before = interceptor.passed.length
        const had = (await stored()).documents
        interceptor.decide = ({ isBulk }) => (isBulk ? 'swallow' : 'pass')
        write(account, account.count, account.count + 2_000)
        const taken = () => interceptor.passed.slice(before).filter(({ isBulk }) => isBulk).length
        // A part of them, for while nothing is answered no more is sent.
        await until(async () => taken() > 0 && (await stored()).documents > had)
        await agent!.end('SIGKILL')
        await rollover()
        interceptor.decide = () => 'pass'
        run()
      }
      write(account, account.count, account.count + 500)
      await until(async () => (await stored()).documents >= account.count)
      expect(await agent!.end('SIGTERM'), agent!.output()).toBe(0)
      expect(await stored(), agent!.output()).toEqual(account.account())
      expect(agent!.output()).not.toContain('DUPLICATES_POSSIBLE')
    },
  )
})
