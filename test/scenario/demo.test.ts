import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { type DemoOptions, runDemo } from '../../src/demo/demo.ts'
import { describeElasticsearch, sharedElasticsearch } from '../kit/elasticsearch.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'demo-test-'))
  vi.stubEnv('TMPDIR', directory)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(directory, { recursive: true })
})

/** Whatever the shell of the tests has set of Remora's own stays outside. */
function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => !entry[0].startsWith('REMORA_')),
  )
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const child: ChildProcess = spawn(process.execPath, [main, 'demo', ...args], {
    env: { ...environment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = Promise.all([
    once(child, 'close'),
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
  ]).then(([, out, err]) => ({ code: child.exitCode, out, err }))
  return { child, ended }
}

/** The figures of one row of the account: all, orders.log, payments.log. */
function rowOf(out: string, name: string): number[] {
  const row = new RegExp(String.raw`^  ${name} +([\d, ]+)`, 'm').exec(out)?.[1] ?? ''
  return row
    .trim()
    .split(/\s+/)
    .map((figure) => Number(figure.replaceAll(',', '')))
}

/** What the demo left in its temporary directory. */
const remains = async () =>
  (await readdir(directory, { recursive: true })).filter((name) => name.includes('/')).toSorted()

test('a user sees everything arrive, once, and finds the documents', async () => {
  const { code, out, err } = await start(['--short']).ended
  expect(out).toContain('All agree')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const written = rowOf(out, 'written')
  expect(written[0]).toBeGreaterThan(20_000)
  expect(rowOf(out, 'arrived')).toEqual(written)
  for (const name of ['read', 'acknowledged']) expect(rowOf(out, name)).toEqual(written.slice(0, 1))
  for (const name of ['duplicated', 'lost']) expect(rowOf(out, name)).toEqual([0, 0, 0])
  expect(out).toMatch(/text +equal +equal +equal/)
  for (const rotations of rowOf(out, 'rotations').slice(1)) expect(rotations).toBeGreaterThanOrEqual(2)
  expect(out).toMatch(/^ 2 s .*lines\/s.*lag .*memory \d+ of \d+ MiB.*in flight/m)

  const path = /^ {2}(\/.*documents\.ndjson)$/m.exec(out)?.[1] ?? ''
  let documents = 0
  for await (const { _id } of readDocuments(path)) documents += _id === '' ? 0 : 1
  expect(documents).toBe(written[0])
  expect(await remains()).toEqual([expect.stringContaining('documents.ndjson')])
})

test('Ctrl-C ends it early, with the account', async () => {
  const { child, ended } = start([])
  child.stdout?.once('data', () => setTimeout(() => child.kill('SIGINT'), 2_000))
  const { code, out } = await ended
  expect(out).toContain('All agree')
  expect(code).toBe(0)
  expect(rowOf(out, 'arrived')).toEqual(rowOf(out, 'written'))
})

test.each([
  [['--shrt'], {}, 2, 'err', "Unknown option '--shrt'"],
  [[], { REMORA_API_KY: 'x' }, 2, 'out', 'the nearest known name is REMORA_API_KEY'],
  [[], { REMORA_ELASTICSEARCH_URL: 'http://127.0.0.1:1' }, 1, 'err', 'the demo cannot reach Elasticsearch'],
  [[], { TMPDIR: '/proc' }, 1, 'err', 'Set TMPDIR to a directory'],
] as const)('%j %j is said at once', async (args, env, code, where, message) => {
  const result = await start(args, env).ended
  expect(result.code).toBe(code)
  expect(result[where]).toContain(message)
  expect(await remains()).toEqual([])
})

test('an agent that cannot start says why', async () => {
  const { code, out, err } = await start([], { REMORA_MEMORY_LIMIT: '32Mi' }).ended
  expect(code).toBe(1)
  expect(out).toContain('a memory limit of 32 MiB (REMORA_MEMORY_LIMIT) cannot hold')
  expect(err).toContain('the agent could not start (exit code 2)')
})

/** The demo in this process, on a screen of paper. */
async function run(options: Partial<DemoOptions>): Promise<{ code: number; out: string }> {
  let out = ''
  const code = await runDemo({
    env: environment(),
    screen: {
      isTerminal: false,
      columns: 80,
      say: (line) => void (out += `${line}\n`),
      live: () => undefined,
      style: (_, plain) => plain,
    },
    seconds: 2,
    rate: 2_000,
    rotateSeconds: 0.7,
    early: new AbortController().signal,
    now: new AbortController().signal,
    ...options,
  })
  return { code, out }
}

test('a document that the server drops in silence is missed, by its name', async () => {
  let dropped = ''
  const { code, out } = await run({
    faults: {
      perItem({ source }, number) {
        if (number !== 1_000) return undefined
        dropped = /(?:orders|payments)-\d{7}/.exec(source.toString())?.[0] ?? ''
        // The agent is told that it was made, and it is not kept.
        return { status: 201, type: 'none', reason: 'dropped' }
      },
    },
  })
  expect(code).toBe(1)
  expect(rowOf(out, 'lost')[0]).toBe(1)
  expect(rowOf(out, 'acknowledged')).toEqual(rowOf(out, 'written').slice(0, 1))
  expect(out).toMatch(/text +differs/)
  expect(dropped).not.toBe('')
  expect(out).toContain(`.log: 1 line did not arrive: ${dropped}\n`)
  expect(out).toContain('no warning among them')
  expect((await remains()).map((name) => name.split('/')[1])).toEqual(['agent.log', 'documents.ndjson'])
})

test('a refused document is in the account, and the agent says why', async () => {
  let refused = ''
  const { code, out } = await run({
    faults: {
      perItem: ({ id }, number) =>
        // Again when it is asked why.
        id === (number === 500 ? (refused = id) : refused)
          ? { status: 400, type: 'document_parsing_exception', reason: 'a date' }
          : undefined,
    },
  })
  expect(code).toBe(1)
  expect(out).toMatch(/1 line did not arrive: (?:orders|payments)-\d{7}/)
  expect(out).toContain('the server refused 1 line for good')
  expect(out).toMatch(/^ {2}warn: .*document_parsing_exception/m)
})

test('answers that are lost make no duplicate', async () => {
  const { code, out } = await run({
    faults: { onBulk: ({ number }) => (number % 10 === 3 ? 'indexed-then-reset' : undefined) },
  })
  expect(out).toContain('All agree')
  expect(out).toMatch(/sent twice +\d/)
  expect(code).toBe(0)
})

test('told to stop at once, it leaves nothing', async () => {
  const now = new AbortController()
  setTimeout(() => now.abort(), 1_000)
  const { code, out } = await run({ seconds: 20, now: now.signal })
  expect(code).toBe(130)
  expect(out).toContain('Stopped at once')
  expect(await readdir(directory)).toEqual([])
})

describeElasticsearch('with a real Elasticsearch', () => {
  test('everything arrives there, once', async () => {
    const server = await sharedElasticsearch()
    const { code, out } = await start(['--short'], { REMORA_ELASTICSEARCH_URL: server.url, REMORA_INDEX: 'mine' }).ended
    expect(out).toContain('All agree')
    expect(code).toBe(0)
    expect(out).toContain('not used     REMORA_INDEX')
    const target = /into (logs-remora\.demo-[0-9a-f]{8})$/m.exec(out)?.[1] ?? ''
    expect(await server.count(target)).toBe(rowOf(out, 'written')[0])
    const deletion = /curl -X DELETE '(.*)'$/m.exec(out)?.[1] ?? ''
    const { status } = await server.request('DELETE', new URL(deletion).pathname)
    expect(status).toBe(200)
    expect(await remains()).toEqual([])
  })
})
