import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { describeElasticsearch, startElasticsearch, type RealElasticsearch } from '../kit/elasticsearch.ts'
import { succeed } from '../kit/elasticsearch/client.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'
import { allOf, storedOf, WrittenLines } from '../kit/stored.ts'

/** How long each trouble lasts: `TEST_HOLD_MS=60000` for the long form. */
const troubleMs = Number(process.env['TEST_HOLD_MS'] ?? 5_000)
/** A target that was mended is found out after the longest pause at the latest, and then all is shipped. */
const mendedMs = 60_000

interface Trouble {
  readonly name: string
  /** What `/readyz` says of it. */
  readonly says: string
  /** Before the agent starts. */
  readonly prepare: (target: string) => Promise<unknown>
  /** Undefined: it is so from the start. */
  readonly spoil?: (target: string) => Promise<unknown>
  readonly mend: (target: string) => Promise<unknown>
}

const user = { name: 'root', password: 'rootroot' }
const password = 'shipper-password'
/** What must not be said. */
const givenUp = /^DEAD_LETTER|^BUG|^DUPLICATES/

let server: RealElasticsearch

const ask = (method: string, where: string, body?: unknown) => succeed(server, method, where, body)
const make = (target: string) => ask('PUT', `/${target}`)
const set = (target: string, settings: Record<string, unknown>) => ask('PUT', `/${target}/_settings`, settings)
const cluster = (settings: Record<string, unknown>) => ask('PUT', '/_cluster/settings', { persistent: settings })
const allow = (target: string, privileges: readonly string[]) =>
  ask('PUT', `/_security/role/${target}`, { indices: [{ names: [`${target}*`], privileges }] })

const troubles: readonly Trouble[] = [
  {
    name: 'a privilege is missing',
    says: 'security_exception',
    prepare: make,
    spoil: (target) => allow(target, ['view_index_metadata', 'read']),
    mend: (target) => allow(target, ['create_doc', 'view_index_metadata', 'read']),
  },
  {
    name: 'the index is closed',
    says: 'index_closed_exception',
    prepare: make,
    spoil: (target) => ask('POST', `/${target}/_close`),
    mend: (target) => ask('POST', `/${target}/_open`),
  },
  {
    name: 'writing is blocked',
    says: 'cluster_block_exception',
    prepare: make,
    spoil: (target) => set(target, { 'index.blocks.write': true }),
    mend: (target) => set(target, { 'index.blocks.write': false }),
  },
  {
    name: 'the disk is full (flood stage)',
    says: 'cluster_block_exception',
    prepare: make,
    spoil: (target) => set(target, { 'index.blocks.read_only_allow_delete': true }),
    mend: (target) => set(target, { 'index.blocks.read_only_allow_delete': null }),
  },
  {
    name: 'the pipeline is missing',
    says: 'illegal_argument_exception',
    prepare: make,
    spoil: (target) => set(target, { 'index.default_pipeline': 'nobody-made-it' }),
    mend: (target) => set(target, { 'index.default_pipeline': '_none' }),
  },
  {
    name: 'an alias has no index to write to',
    says: 'illegal_argument_exception',
    prepare: async (target) => {
      await ask('PUT', `/${target}-a`, { aliases: { [target]: {} } })
      await ask('PUT', `/${target}-b`, { aliases: { [target]: {} } })
    },
    mend: (target) =>
      ask('POST', '/_aliases', { actions: [{ add: { index: `${target}-b`, alias: target, is_write_index: true } }] }),
  },
  {
    name: 'the index is gone, and may not come by itself',
    says: 'index_not_found_exception',
    prepare: (target) => cluster({ 'action.auto_create_index': `-${target}*,+*` }),
    mend: make,
  },
]

/** Alone, for it is of the whole cluster. */
const shardLimit: Trouble = {
  name: 'there are too many shards for one more',
  says: 'validation_exception',
  prepare: () => cluster({ 'cluster.max_shards_per_node': 1 }),
  mend: () => cluster({ 'cluster.max_shards_per_node': null }),
}

interface Ready {
  readonly status: number
  readonly text: string
}

async function readyz(port: number): Promise<Ready> {
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`)
  return { status: answer.status, text: await answer.text() }
}

async function hold(trouble: Trouble, target: string): Promise<void> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-holding-'))
  await allow(target, ['create_doc', 'auto_configure', 'view_index_metadata', 'read'])
  await ask('PUT', `/_security/user/${target}`, { password, roles: [target] })
  await trouble.prepare(target)
  const written = new WrittenLines(path.join(directory, 'app.log'))
  written.append(200)
  const port = await findFreePort()
  const agent = startAgent({
    REMORA_PATHS: written.path,
    REMORA_STATE_DIR: path.join(directory, 'state'),
    REMORA_ELASTICSEARCH_URL: server.url,
    REMORA_USERNAME: target,
    REMORA_PASSWORD: password,
    REMORA_INDEX: target,
    REMORA_BATCH_BYTES: '128Ki',
    REMORA_MAX_LINE_BYTES: '5Ki',
    REMORA_CONCURRENCY: '2',
    REMORA_ADMIN_PORT: String(port),
  })
  try {
    const { seen, tookMs } = await goThrough(trouble, target, written, agent, port)
    if (process.env['TEST_HOLD_MS'] !== undefined) console.log(`${trouble.name}: mended after ${tookMs} ms`)
    expect(new Set(seen.map(({ status }) => status)), 'it stays ready').toEqual(new Set([200]))
    expect(seen.at(-2)!.text, agent.output()).toContain(trouble.says)
    expect(seen.at(-1)!.text).not.toContain(trouble.says)
    expect(await agent.end('SIGTERM'), agent.output()).toBe(0)
    expect(await storedOf(server, target, written), agent.output()).toEqual(allOf(written))
    const said = saidBy(agent.output())
    expect(said.filter((code) => givenUp.test(code))).toEqual([])
    const warnings = said.filter((code) => code.startsWith('ELASTICSEARCH_') && code !== 'ELASTICSEARCH_OK')
    expect(warnings.length, agent.output()).toBeGreaterThanOrEqual(1)
    expect(warnings.length, agent.output()).toBeLessThanOrEqual(Math.max(1, Math.ceil(troubleMs / 60_000)))
  } finally {
    await agent.end('SIGKILL')
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

/** Trouble, while lines come; then it is mended. @returns what `/readyz` said: in trouble, and last when all was well */
async function goThrough(
  trouble: Trouble,
  target: string,
  written: WrittenLines,
  agent: AgentProcess,
  port: number,
): Promise<{ seen: readonly Ready[]; tookMs: number }> {
  const stored = () => server.count(target).catch(() => 0)
  const arrived = async (mostMs: number) => {
    const deadlineMs = performance.now() + mostMs
    while ((await stored()) < written.count && performance.now() < deadlineMs && agent.child.exitCode === null) {
      await delay(200)
    }
    expect(await stored(), agent.output()).toBe(written.count)
  }
  if (trouble.spoil !== undefined) {
    await arrived(30_000)
    await trouble.spoil(target)
  }
  const seen: Ready[] = []
  const startedAt = written.count
  const endMs = performance.now() + troubleMs
  while (performance.now() < endMs) {
    written.append(40)
    await delay(100)
    const ready = await readyz(port).catch(() => undefined)
    // Before its first look at the files it is not ready, and says so.
    if (ready !== undefined && (seen.length > 0 || ready.status === 200)) seen.push(ready)
  }
  // What was under way when it began may have got through.
  expect(written.count - startedAt).toBeGreaterThan(200)
  await trouble.mend(target)
  const mendedAtMs = performance.now()
  written.append(200)
  await arrived(mendedMs)
  const tookMs = Math.round(performance.now() - mendedAtMs)
  seen.push(await readyz(port))
  return { seen, tookMs }
}

/** Codes of what an agent said, in order. */
function saidBy(output: string): string[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line) => String((JSON.parse(line) as Record<string, unknown>)['event.code']))
}

const timeout = troubleMs + 2 * mendedMs + 60_000

describeElasticsearch('a target that is not as it must be, under load, and then mended', () => {
  beforeAll(async () => {
    // The look at the disk takes the flood stage back when there is no flood.
    server = await startElasticsearch({ user, settings: { 'cluster.info.update.interval': '1h' } })
  })
  afterAll(() => server?.remove())

  test.concurrent.for(troubles.map((trouble, n) => [trouble.name, trouble, `holding-${n}`] as const))(
    '%s: held, said once, nothing given up, all shipped',
    { timeout },
    async ([, trouble, target]) => {
      expect(trouble.says).not.toBe('')
      await hold(trouble, target)
    },
  )

  test(`${shardLimit.name}: held, said once, nothing given up, all shipped`, { timeout }, async () => {
    expect(shardLimit.says).not.toBe('')
    await hold(shardLimit, 'holding-shards')
  })
})
