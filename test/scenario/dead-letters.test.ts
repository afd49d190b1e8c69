import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import {
  accountOf,
  describeElasticsearch,
  LineAccount,
  sharedElasticsearch,
  type Elasticsearch,
} from '../kit/elasticsearch.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const mostMs = 90_000
const lineBytesMax = 1024
/** Every so many lines one is longer than that, is cut, and says so in a field that the mapping does not have. */
const every = 3

let directory: string
let server: Elasticsearch
let target: string
let agent: AgentProcess | undefined
let account: LineAccount
let written: number

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-letters-'))
  server = await sharedElasticsearch()
  target = `letters-${path.basename(directory).toLowerCase()}`
  account = new LineAccount()
  written = 0
  await succeed('PUT', `/${target}`, {
    mappings: {
      dynamic: 'strict',
      properties: {
        '@timestamp': { type: 'date' },
        message: { type: 'text' },
        log: { properties: { file: { properties: { path: { type: 'keyword' } } }, offset: { type: 'long' } } },
      },
    },
  })
})

afterEach(async () => {
  await agent?.end('SIGKILL')
  agent = undefined
  fs.rmSync(directory, { recursive: true, force: true })
})

async function succeed(method: string, where: string, body?: unknown): Promise<unknown> {
  const answer = await server.request(method, where, body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return answer.body
}

const mend = () =>
  succeed('PUT', `/${target}/_mapping`, { properties: { log: { properties: { flags: { type: 'keyword' } } } } })

const settings = (): Record<string, string> => ({
  REMORA_PATHS: `${directory}/*.log`,
  REMORA_STATE_DIR: `${directory}/state`,
  REMORA_ELASTICSEARCH_URL: server.url,
  REMORA_INDEX: target,
  REMORA_MAX_LINE_BYTES: '1Ki',
  REMORA_DEAD_LETTER_BYTES: '64Mi',
  REMORA_BATCH_BYTES: '512Ki',
})

function run(more: Record<string, string> = {}): void {
  agent = startAgent({ ...settings(), ...more })
}

/** @returns how many of them are too long */
function write(count: number): number {
  const texts: string[] = []
  let long = 0
  for (const end = written + count; written < end; written++) {
    const isLong = written % every === 0
    if (isLong) long++
    const text = `line ${written} "quoted" ${isLong ? 'x'.repeat(lineBytesMax) : ''}`
    account.add(text.slice(0, lineBytesMax))
    texts.push(`${text}\n`)
  }
  fs.appendFileSync(`${directory}/app.log`, texts.join(''))
  return long
}

/** A Remora command in a process of its own; `code` resolves when it has ended. */
function command(...argv: string[]) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('REMORA_'))
  const child = spawn(process.execPath, [main, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(inherited), ...settings() },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const timer = setTimeout(() => child.kill('SIGKILL'), mostMs)
  const code = once(child, 'close').then(() => {
    clearTimeout(timer)
    return child.exitCode
  })
  return { child, code, output: () => output }
}

async function finished(...argv: string[]): Promise<{ code: number | null; output: string }> {
  const started = command(...argv)
  return { code: await started.code, output: started.output() }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + mostMs
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`it did not come:\n${agent?.output().slice(-3000)}`)
    await delay(100)
  }
}

/** The ids of the letters on disk, read as anybody would. */
function letterIds(): Set<string> {
  const where = `${directory}/state/dead-letters`
  const ids = new Set<string>()
  for (const name of fs.existsSync(where) ? fs.readdirSync(where) : []) {
    if (!name.endsWith('.ndjson')) continue
    const text = fs.readFileSync(path.join(where, name), 'utf8')
    for (const line of text.split('\n').slice(0, -1)) {
      const letter = JSON.parse(line) as { action: string; reason?: string }
      ids.add((JSON.parse(letter.action) as { create: { _id: string } }).create._id)
    }
  }
  return ids
}

const stored = async () => {
  await succeed('POST', `/${target}/_refresh`)
  return accountOf(server, target)
}

/** The line in the report of a document. */
const textOf = ({ message }: { message: string }) => (JSON.parse(message) as { message: string }).message

const fails = (code: string) => agent?.output().includes(`"${code}"`) === true

describeElasticsearch('dead letters, with a real Elasticsearch', () => {
  test(
    'a strict mapping, SIGKILL in the middle, the mapping mended, the replay killed too: exactly the missing documents come',
    { timeout: 4 * mostMs },
    async () => {
      run()
      let long = write(9_000)
      await until(() => letterIds().size > 500)
      await agent?.end('SIGKILL')
      long += write(9_000)
      run()
      await until(() => letterIds().size === long)
      await until(async () => (await server.count(target)) === written - long)
      const inspected = await finished('inspect', 'dead-letters', '--json')
      expect(inspected.code).toBe(0)
      const found = JSON.parse(inspected.output) as { letters: number; byType: { counts: { value: string }[] } }
      expect(found.letters).toBeGreaterThanOrEqual(long)
      expect(found.byType.counts.map(({ value }) => value)).toEqual(['strict_dynamic_mapping_exception'])
      expect(inspected.output).not.toContain('quoted')

      // Whoever reads the list may have seen enough.
      const piped = spawnSync(
        'sh',
        ['-c', `"${process.execPath}" "${main}" inspect dead-letters --all "${directory}/state" | head -1`],
        { encoding: 'utf8', timeout: mostMs },
      )
      expect([piped.status, piped.stderr]).toEqual([0, ''])
      expect(piped.stdout).toContain(' 400 strict_dynamic_mapping_exception ')

      // Not mended yet: all of them stay.
      const early = await finished('replay')
      expect(early.output).toMatch(/^refused {5}\d+ again \(\d+ × 400 strict_dynamic_mapping_exception\)/m)
      expect(early.code).toBe(1)
      expect(letterIds().size).toBe(long)
      const dry = await finished('replay', '--dry-run')
      expect(dry.output).toContain(`would be sent to ${target}`)
      expect(letterIds().size).toBe(long)

      await mend()
      // Remora runs, and goes on writing meanwhile.
      write(900)
      const killed = command('replay')
      await until(async () => (await server.count(target)) > written - long + 300)
      killed.child.kill('SIGKILL')
      expect(await killed.code).toBeNull()
      const last = await finished('replay')
      expect(last.output, last.output).toMatch(/^taken {7}\d+, \d+ of them were there already$/m)
      expect(last.code).toBe(0)
      expect(letterIds().size).toBe(0)
      await until(async () => (await server.count(target)) >= written)
      expect(await agent?.end('SIGTERM')).toBe(0)
      const exact = account.account()
      expect(await stored()).toEqual(exact)
      expect((await finished('replay')).output).toBe('there are no dead letters\n')
    },
  )

  test(
    'replays one after another while a running Remora puts letters down: none is lost, and in the end none is missing',
    { timeout: 4 * mostMs },
    async () => {
      run()
      let long = 0
      const over = new AbortController()
      const writing = (async () => {
        // Bounded, however slow the machine is: what expires is another test's.
        while (!over.signal.aborted && written < 12_000) {
          long += write(60)
          await delay(20)
        }
      })()
      for (let round = 0; round < 4; round++) {
        await delay(200)
        expect((await finished('replay')).output).not.toContain('FAILED')
      }
      over.abort()
      await writing
      await until(() => letterIds().size === long)
      await mend()
      const { code, output } = await finished('replay')
      expect(code, output).toBe(0)
      await until(async () => (await server.count(target)) >= written)
      expect(await stored()).toEqual(account.account())
      expect(fails('BUG'), agent?.output()).toBe(false)
      expect(await agent?.end('SIGTERM')).toBe(0)
    },
  )

  test('an index instead: every refused document is there once, as text, and the directory is empty', async () => {
    const dead = `${target}-dead`
    run({ REMORA_DEAD_LETTER_INDEX: dead })
    let long = write(3_000)
    await until(async () => (await server.count(dead)) > 200)
    await agent?.end('SIGKILL')
    long += write(3_000)
    run({ REMORA_DEAD_LETTER_INDEX: dead })
    await until(async () => (await server.count(dead)) === long)
    expect(await agent?.end('SIGTERM')).toBe(0)
    expect(letterIds().size).toBe(0)
    expect(await accountOf(server, dead)).toMatchObject({ documents: long, distinctIds: long })
    const texts = new LineAccount()
    for (let line = 0; line < written; line += every)
      texts.add(`line ${line} "quoted" ${'x'.repeat(lineBytesMax)}`.slice(0, lineBytesMax))
    expect((await accountOf(server, dead, { text: textOf })).digest).toBe(texts.digest())
    expect(await server.count(target)).toBe(written - long)
  })

  test('an index that refuses, too: they stay in the directory, said once, and no line waits', async () => {
    const dead = `${target}-dead`
    await succeed('PUT', `/${dead}`, { mappings: { dynamic: 'strict' } })
    run({ REMORA_DEAD_LETTER_INDEX: dead })
    const long = write(600)
    await until(() => letterIds().size === long && fails('DEAD_LETTERS_STUCK'))
    await until(async () => (await server.count(target)) === written - long)
    expect(await agent?.end('SIGTERM')).toBe(0)
    expect(agent?.output().match(/"DEAD_LETTERS_STUCK"/g)).toHaveLength(1)
    expect(letterIds().size).toBe(long)
  })

  test('with nobody to answer a replay gives up, and everything stays', { timeout: mostMs }, async () => {
    run()
    const long = write(30)
    await until(() => letterIds().size === long)
    await agent?.end('SIGKILL')
    const child = spawn(process.execPath, [main, 'replay'], {
      env: { PATH: process.env['PATH'] ?? '', ...settings(), REMORA_ELASTICSEARCH_URL: 'http://127.0.0.1:9' },
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await once(child, 'close')
    expect(child.exitCode).toBe(1)
    expect(output).toMatch(/^no verdict {2}10 \(.*ECONNREFUSED.*\): they stay/m)
    expect(letterIds().size).toBe(long)
  })
})
