import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { assertThrowAway, settingsFor, throwAwayName } from '../../../src/bench/elasticsearch/connection.ts'
import { startKeeper } from '../../../src/bench/elasticsearch/keeper.ts'
import { elasticsearchTarget } from '../../../src/bench/elasticsearch/target.ts'
import type { Written } from '../../../src/bench/target.ts'
import type { Workload } from '../../../src/bench/types.ts'
import { describeElasticsearch, type Elasticsearch, sharedElasticsearch } from '../../kit/elasticsearch.ts'
import { Bodies } from './bodies.ts'

const workload: Workload = {
  seed: 4,
  mix: { kind: 'mixed' },
  rate: { kind: 'backlog' },
  files: 2,
  activeFiles: 2,
  rotation: { kind: 'none' },
  end: { bytes: 1 },
}
const written: Written = {
  lines: 12_001,
  bytes: 1,
  linesOfFiles: [12_000, 1],
  destroyed: [],
  firstAtMs: 0,
  lastAtMs: 0,
  cpuUs: 0,
}

describeElasticsearch('a throw-away index', () => {
  let server: Elasticsearch
  beforeAll(async () => {
    server = await sharedElasticsearch()
  })

  test('counts line by line what is really there, and is gone afterwards', async () => {
    const target = await elasticsearchTarget(server.url, workload, {})
    const { REMORA_INDEX: index = '' } = target.settings
    expect(index).toMatch(/^remora-bench-[0-9a-f]{16}$/)
    const bodies = new Bodies(workload.mix, workload.seed)
    const bulk = (sent: Parameters<Bodies['body']>[0]) =>
      server.request('POST', `/${index}/_bulk`, bodies.body(sent, 'remora'))
    const all = Array.from({ length: 12_000 }, (_, n) => ({ file: 0, number: n + 1, id: `id-${n + 1}` }))
    const good = all.filter(({ number }) => number !== 77)
    await bulk(good.map((each) => (each.number === 5 ? { ...each, text: `${bodies.line(0, 5)}.` } : each)))
    await bulk([good[0]!, { file: 0, number: 3, id: 'another' }])
    expect(await target.arrived()).toMatchObject({ storedLines: 12_000, requests: 2, failure: '' })
    expect(await target.account(written)).toEqual({
      writtenLines: 12_001,
      writtenBytes: 1,
      storedLines: 11_999,
      lostLines: 2,
      twiceLines: 1,
      againLines: 1,
      wrongLines: 1,
    })
    expect(await target.latency()).toBeUndefined()
    await target.close()
    expect((await server.request('HEAD', `/${index}`)).status).toBe(404)
  })

  test('is gone too when the bench was killed', async () => {
    const script = `
      import { elasticsearchTarget } from ${JSON.stringify(fileURLToPath(new URL('../../../src/bench/elasticsearch/target.ts', import.meta.url)))}
      const target = await elasticsearchTarget(${JSON.stringify(server.url)}, ${JSON.stringify(workload)}, {})
      process.stdout.write(target.settings.REMORA_INDEX)
      setInterval(() => undefined, 1000)`
    const bench = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [index] = (await once(bench.stdout, 'data', { signal: AbortSignal.timeout(30_000) })) as [Buffer]
    expect((await server.request('HEAD', `/${String(index)}`)).status).toBe(200)
    bench.kill('SIGKILL')
    let status = 200
    for (let look = 0; look < 100 && status !== 404; look++) {
      await delay(100)
      status = (await server.request('HEAD', `/${String(index)}`)).status
    }
    expect(status).toBe(404)
  })
})

test('the agent gets the credentials of the environment, and nothing else of it', () => {
  const env = {
    PATH: '/bin',
    https_proxy: 'http://proxy:3128',
    REMORA_API_KEY: 'secret',
    REMORA_CA_FILE_FILE: '/ca',
    REMORA_CLOUD_ID: 'x',
    REMORA_ELASTICSEARCH_URL_FILE: '/url',
    REMORA_DATASET: 'mine',
    REMORA_COMPRESSION: 'gzip',
    REMORA_BATCH_BYTES: '1Mi',
    REMORA_PATHS: '/mine/*.log',
  }
  expect(settingsFor(env, 'https://server:9200', 'an-index')).toEqual({
    https_proxy: 'http://proxy:3128',
    REMORA_API_KEY: 'secret',
    REMORA_CA_FILE_FILE: '/ca',
    REMORA_ELASTICSEARCH_URL: 'https://server:9200',
    REMORA_INDEX: 'an-index',
  })
})

test('what was on its way when the agent was killed makes no index that stays', async () => {
  let deleted = 0
  const server = createServer((_, answer) => {
    deleted++
    answer.writeHead(200, { 'x-elastic-product': 'Elasticsearch', 'content-type': 'application/json' })
    answer.end('{"acknowledged":true}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const name = throwAwayName()
  const settings = settingsFor({}, `http://127.0.0.1:${port}`, name)
  try {
    await (await startKeeper(name, settings)).remove(true)
    expect(deleted).toBe(1)
    await (await startKeeper(name, settings)).remove(false)
    expect(deleted).toBe(3)
  } finally {
    server.close()
  }
})

test('nothing is deleted but what the bench has made', () => {
  expect(() => assertThrowAway(throwAwayName())).not.toThrow()
  for (const name of ['', '*', 'logs', 'remora-bench-*', 'remora-bench-0123456789abcdef,logs', 'remora-bench-0123']) {
    expect(() => assertThrowAway(name)).toThrow('nothing but what it has made')
  }
})

test('a server that is not there is said to be so', async () => {
  await expect(elasticsearchTarget('http://127.0.0.1:1', workload, {})).rejects.toMatchObject({
    code: 'ELASTICSEARCH_UNREACHABLE',
    message: expect.stringContaining('the bench cannot reach Elasticsearch'),
  })
})
