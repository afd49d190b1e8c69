// oxlint-disable vitest/valid-title -- the document has the titles too
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { makeLookup } from '../../src/ship/lookup.ts'
import { senderTo } from '../ship/sending.ts'
import {
  describeElasticsearch,
  LineAccount,
  startElasticsearch,
  type Account,
  type RealElasticsearch,
} from '../kit/elasticsearch.ts'
import { Interceptor } from '../kit/interceptor.ts'
import { AgentRuns } from './agent-run.ts'
import { differences, RawServer } from './differences.ts'
import { dataStreams, scenarios, servers, type ServerUnderTest } from './servers.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const { signal } = new AbortController()

const settings = {
  'http.max_content_length': '256kb',
  'thread_pool.write.size': '1',
  'thread_pool.write.queue_size': '1',
}

// One after another: each takes half a GiB, and there are two cores.
for (const server of servers) describeElasticsearch(server.name, () => suiteOf(server), server.version)

function suiteOf(tested: ServerUnderTest): void {
  let server: RealElasticsearch
  let names = 0

  beforeAll(async () => {
    server = await startElasticsearch({ version: tested.version, settings })
  })
  afterAll(() => server?.remove())

  const succeed = async (method: string, path: string, body?: unknown) => {
    const answer = await server.request(method, path, body)
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBe(200)
    return answer.body
  }
  const newName = () => `remora-${++names}`
  /** @param making  settings and mappings */
  const newIndex = async (making: object = {}) => {
    const index = newName()
    await succeed('PUT', `/${index}`, making)
    return index
  }
  /** A data stream to come, where there are such. */
  const newTarget = async () => {
    const target = newName()
    const template = { index_patterns: [target], ...(dataStreams(tested) && { data_stream: {} }), priority: 900 }
    await succeed('PUT', `/_index_template/${target}`, template)
    return target
  }
  const runsTo = (target: string, more: Readonly<Record<string, string>> = {}) =>
    new AgentRuns({
      REMORA_ELASTICSEARCH_URL: server.url,
      REMORA_INDEX: target,
      REMORA_BATCH_BYTES: '128Ki',
      REMORA_MAX_LINE_BYTES: '4Ki',
      REMORA_CONCURRENCY: '1',
      ...more,
    })
  /** Of at most 10,000 documents, without what not every server has (points in time). */
  const accountOf = async (target: string): Promise<Account> => {
    await succeed('POST', `/${target}/_refresh`)
    const path = `/${target}/_search?size=10000&_source=message&filter_path=hits.hits._id,hits.hits._source`
    const body = await succeed('GET', path)
    const hits: { _id: string; _source: { message: string } }[] = body.hits?.hits ?? []
    const account = new LineAccount()
    for (const hit of hits) account.add(hit._source.message)
    return { ...account.account(), distinctIds: new Set(hits.map(({ _id }) => _id)).size }
  }

  test('what it answers, as `docs/compatibility.md` has it', { timeout: 60_000 }, async () => {
    const raw = new RawServer(server.url)
    const observed: Record<string, string> = {}
    // In this order.
    for (const difference of differences) observed[difference.label] = await difference.observe(raw)
    expect(observed).toEqual(tested.observed)
  })

  test(scenarios.check, () => {
    const directory = mkdtempSync(`${tmpdir()}/remora-check-`)
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    writeFileSync(`${directory}/app.log`, 'a line\n')
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'check'], {
      encoding: 'utf8',
      timeout: 30_000,
      env: {
        PATH: process.env['PATH'],
        REMORA_ELASTICSEARCH_URL: server.url,
        REMORA_PATHS: `${directory}/*.log`,
        REMORA_STATE_DIR: `${directory}/state`,
        REMORA_ADMIN_PORT: '0',
        REMORA_MEMORY_LIMIT: '64Mi',
        REMORA_INDEX: 'check-target',
      },
    })
    const said = stdout.replaceAll(/\s+/g, ' ')
    expect(said, stderr).toContain(`ok ${server.url}: ${tested.name}, cluster "remora-test"`)
    expect(said).toContain('ok security is off there: anybody may write')
    expect(said).toContain('ok check-target does not exist yet: the first document makes a plain index')
    expect(status, said).toBe(0)
  })

  /** @returns what each of two runs acknowledged, and what was there after it */
  async function shipTwice(target: string, lines: readonly string[]) {
    const runs = runsTo(target)
    runs.write(lines)
    const first = { ledger: await runs.once(), account: await accountOf(target) }
    runs.loseState()
    return [first, { ledger: await runs.once(), account: await accountOf(target) }]
  }
  test(scenarios.index, { timeout: 60_000 }, async () => {
    const lines = linesOf(3_000)
    expect(await shipTwice(newName(), lines)).toMatchObject(twice(lines))
  })

  test(scenarios.stream, { timeout: 60_000 }, async () => {
    const target = await newTarget()
    const lines = linesOf(3_000)
    expect(await shipTwice(target, lines)).toMatchObject(twice(lines))
    const resolved = await succeed('GET', `/_resolve/index/${target}`)
    expect(resolved.data_streams).toHaveLength(dataStreams(tested) ? 1 : 0)
  })

  test(scenarios.rollover, { timeout: 90_000 }, async () => {
    let target: string
    if (dataStreams(tested)) target = await newTarget()
    else await succeed('PUT', `/${(target = newName())}-000001`, { aliases: { [target]: { is_write_index: true } } })
    const interceptor = await Interceptor.before(server.port)
    onTestFinished(() => interceptor.close())
    let bulks = 0
    interceptor.decide = async ({ isBulk }) => {
      if (!isBulk || bulks++ >= 2) return 'pass'
      await succeed('POST', `/${target}/_rollover`)
      return 'cut'
    }
    const runs = runsTo(target, { REMORA_ELASTICSEARCH_URL: interceptor.url })
    const lines = linesOf(1_500)
    runs.write(lines)
    runs.start()
    await runs.until(async () => bulks > 2 && (await accountOf(target)).documents >= lines.length)
    await runs.stop()
    expect(bulks).toBeGreaterThan(2)
    expect(await accountOf(target)).toEqual(accountFor(lines))
  })

  test(scenarios.parsing, { timeout: 60_000 }, async () => {
    const target = await newIndex({ mappings: { properties: { message: { type: 'long' } } } })
    const lines = Array.from({ length: 300 }, (_, at) => (at % 3 === 0 ? `text ${at}` : String(at)))
    const runs = runsTo(target)
    runs.write(lines)
    expect(await runs.once()).toMatchObject({ acknowledgedLines: 200, deadLetteredLines: 100, lostLines: 0 })
    expect(await accountOf(target)).toEqual(accountFor(lines.filter((line) => !line.startsWith('text'))))
    const type = tested.observed['a text for a number']!.slice('400 '.length)
    const letters = runs.letters().map((letter) => `${letter.status} ${letter.type}`)
    expect(letters).toEqual(Array.from({ length: 100 }, () => `400 ${type}`))
  })

  test(scenarios.strict, { timeout: 60_000 }, async () => {
    const target = await newIndex({ mappings: { dynamic: 'strict', properties: { message: { type: 'keyword' } } } })
    const runs = runsTo(target)
    runs.write(linesOf(50))
    expect(await runs.once()).toMatchObject({ acknowledgedLines: 0, deadLetteredLines: 50, lostLines: 0 })
    expect(new Set(runs.letters().map(({ type }) => type))).toEqual(new Set(['strict_dynamic_mapping_exception']))
    expect((await accountOf(target)).documents).toBe(0)
  })

  test(scenarios.held, { timeout: 120_000 }, async () => {
    for (const [begin, end, said] of [
      ['_close', '_open', 'index_closed_exception'],
      ['_settings', '_settings', 'cluster_block_exception'],
    ] as const) {
      const target = await newIndex()
      const lines = linesOf(200)
      const turn = (how: string, block: true | null) =>
        how === '_settings'
          ? succeed('PUT', `/${target}/_settings`, { 'index.blocks.write': block })
          : succeed('POST', `/${target}/${how}`)
      await turn(begin, true)
      const runs = runsTo(target)
      runs.write(lines)
      runs.start()
      await runs.said('ELASTICSEARCH_HOLDING')
      expect(runs.output).toContain(said)
      await turn(end, null)
      await runs.said('ELASTICSEARCH_OK')
      expect(await runs.stop()).toMatchObject({ acknowledgedLines: 200, deadLetteredLines: 0, lostLines: 0 })
      expect(await accountOf(target)).toEqual(accountFor(lines))
    }
  })

  test(scenarios.large, { timeout: 60_000 }, async () => {
    const target = newName()
    const lines = linesOf(4_000)
    const runs = runsTo(target, { REMORA_BATCH_BYTES: '2Mi', REMORA_MAX_LINE_BYTES: '300Ki', REMORA_CONCURRENCY: '2' })
    runs.write([...lines.slice(0, 2_000), 'x'.repeat(280 * 1024), ...lines.slice(2_000)])
    expect(await runs.once()).toMatchObject({ acknowledgedLines: 4_000, deadLetteredLines: 1, lostLines: 0 })
    expect(await accountOf(target)).toEqual(accountFor(lines))
    expect(runs.letters()).toMatchObject([{ status: 413 }])
  })

  test(scenarios.busy, { timeout: 90_000 }, async () => {
    const target = await newIndex({ settings: { number_of_shards: 16, number_of_replicas: 0 } })
    const lines = linesOf(1_000)
    const runs = runsTo(target, { REMORA_CONCURRENCY: '4' })
    runs.write(lines)
    runs.start()
    await runs.until(async () => (await accountOf(target)).documents >= lines.length)
    const path = '/_nodes/stats/thread_pool?filter_path=nodes.*.thread_pool.write.rejected'
    const stats = JSON.stringify(await succeed('GET', path))
    expect(Number(/"rejected":(\d+)/.exec(stats)?.[1]), 'what the server has refused').toBeGreaterThan(0)
    expect(await runs.stop()).toMatchObject({ acknowledgedLines: 1_000, deadLetteredLines: 0, lostLines: 0 })
    expect(await accountOf(target)).toEqual(accountFor(lines))
  })

  test(scenarios.lookup, { timeout: 60_000 }, async () => {
    const { connections } = senderTo(server.url)
    const lookupOf = (target: string) => makeLookup(connections, target, 30_000)
    const indicesOf = (target: string) => lookupOf(target).indices(signal)
    const put = (index: string, id: string) =>
      succeed('PUT', `/${index}/_bulk`, `{"create":{"_id":"${id}"}}\n{"@timestamp":"2026-01-01T00:00:00Z"}\n`)

    const index = newName()
    expect(await indicesOf(index)).toEqual(answered([]))
    expect(await lookupOf(index).present(index, ['a'], signal)).toEqual(answered([false]))
    await put(index, 'a')
    expect(await indicesOf(index)).toEqual(answered([index]))
    expect(await lookupOf(index).present(index, ['a', 'b'], signal)).toEqual(answered([true, false]))
    await succeed('POST', `/${index}/_close`)
    expect(await lookupOf(index).present(index, ['a'], signal)).toMatchObject({ kind: 'refused' })

    const alias = newName()
    await succeed('PUT', `/${alias}-000001`, { aliases: { [alias]: { is_write_index: true } } })
    await succeed('POST', `/${alias}/_rollover`)
    expect(await indicesOf(alias)).toEqual(answered([`${alias}-000001`, `${alias}-000002`]))

    const target = await newTarget()
    await put(target, 'a')
    const hasStreams = dataStreams(tested)
    if (hasStreams) await succeed('POST', `/${target}/_rollover`)
    const backing = (generation: number) => expect.stringMatching(new RegExp(`^\\.ds-${target}-.*00000${generation}$`))
    expect(await indicesOf(target)).toEqual(answered(hasStreams ? [backing(1), backing(2)] : [target]))
  })
}

const answered = (value: unknown) => ({ kind: 'answered', value })

/** Of `shipTwice`: taken, then there already. */
const twice = (lines: readonly string[]) =>
  [0, lines.length].map((duplicateLines) => ({
    ledger: { acknowledgedLines: lines.length, duplicateLines, lostLines: 0 },
    account: accountFor(lines),
  }))

/** With times: a line that tells its file from others keeps its id when the state is lost. */
function linesOf(count: number): string[] {
  const kinds = [
    'INFO an order was accepted',
    '{"quoted":"\\u00e9"}',
    '\tat com.example.Orders(Orders.java)',
    'Größe 注文 😀',
  ]
  return Array.from({ length: count }, (_, at) => {
    return `${new Date(1.7e12 + at).toISOString()} ${kinds[at % kinds.length]} ${'x'.repeat(at % 80)}`
  })
}

function accountFor(lines: readonly string[]): Account {
  const account = new LineAccount()
  for (const line of lines) account.add(line)
  return account.account()
}
