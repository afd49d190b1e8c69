import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { codeOf } from '../../../src/base/errors.ts'
import { startSink } from '../../../src/bench/sink/sink-process.ts'
import type { Target, Written } from '../../../src/bench/target.ts'
import { plainShape, type Shape, type Workload } from '../../../src/bench/types.ts'
import { monotonicUs, wallFromMonotonicUs } from '../../../src/bench/workload/clock.ts'
import { Bodies, type Sent } from './bodies.ts'

const workload: Workload = {
  seed: 3,
  mix: { kind: 'mixed' },
  rate: { kind: 'fixed', bytesPerSecond: 1e6 },
  files: 2,
  activeFiles: 2,
  rotation: { kind: 'none' },
  end: { seconds: 1 },
}
const nowUs = () => monotonicUs() + wallFromMonotonicUs

let sink: Target & { readonly url: string }
afterEach(() => sink.close())
const start = async (shape: Partial<Shape> = {}) => (sink = await startSink(workload, { ...plainShape, ...shape }))

const lines = (from: number, to: number, file = 0): Sent[] =>
  Array.from({ length: to - from + 1 }, (_, n) => ({ file, number: from + n, id: `id-${file}-${from + n}` }))
const written = (...linesOfFiles: number[]): Written => {
  const sum = linesOfFiles.reduce((total, each) => total + each, 0)
  return { lines: sum, bytes: sum * 100, linesOfFiles, destroyed: [], firstAtMs: 0, lastAtMs: 0, cpuUs: 0 }
}

interface Answer {
  readonly status: number
  readonly body: {
    errors?: boolean
    items?: Record<string, { status: number; error?: { type: string } }>[]
    error?: unknown
  }
}

async function post(body: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(`${sink.url}/remora-bench/_bulk?filter_path=errors,items.*.status`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    body: new Uint8Array(body),
  })
  return { status: answer.status, body: (await answer.json()) as Answer['body'] }
}

const made = new Bodies(workload.mix, workload.seed)
/** Written now. */
function bodies(): Bodies {
  made.timeUs = nowUs()
  return made
}
const send = (sent: readonly Sent[]) => post(bodies().body(sent, 'remora'))

async function asked(path: string, text: string): Promise<{ status: number; failure: string }> {
  await start()
  const { status } = await fetch(`${sink.url}${path}`, { method: 'POST', body: text })
  const { failure } = await sink.arrived()
  await sink.close()
  return { status, failure }
}

/** Sends lines. @returns the numbers of those that were refused, each as Elasticsearch does */
const refusedOf = async (from: number, to: number) => {
  const { status, body } = await send(lines(from, to))
  expect(status).toBe(200)
  const { errors, items = [] } = body
  expect(items).toHaveLength(to - from + 1)
  const refused = items.flatMap(({ create }, at) => (create?.status === 429 ? [at] : []))
  expect(errors).toBe(refused.length > 0)
  for (const at of refused) {
    expect(items[at]).toEqual({ create: { status: 429, error: { type: 'es_rejected_execution_exception' } } })
  }
  return refused.map((at) => from + at)
}

describe('the sink', () => {
  test('answers as Elasticsearch does, and counts line by line', async () => {
    await start()
    const first = await send(lines(1, 100))
    expect(first.status).toBe(200)
    expect(first.body).toEqual({
      errors: false,
      items: Array.from({ length: 100 }, () => ({ create: { status: 201 } })),
    })
    const second = await send(lines(99, 102))
    expect(second.body.errors).toBe(true)
    expect(second.body.items).toEqual([
      { create: { status: 409, error: { type: 'version_conflict_engine_exception' } } },
      { create: { status: 409, error: { type: 'version_conflict_engine_exception' } } },
      { create: { status: 201 } },
      { create: { status: 201 } },
    ])
    const others = bodies().body(
      [
        { file: 1, number: 1, id: '' },
        { file: 1, number: 1, id: '' },
      ],
      'index',
    )
    expect((await post(others)).body).toEqual({
      errors: false,
      items: [{ index: { status: 201 } }, { index: { status: 201 } }],
    })
    expect(await sink.account(written(102, 2))).toEqual({
      writtenLines: 104,
      writtenBytes: 10_400,
      storedLines: 103,
      lostLines: 1,
      twiceLines: 1,
      againLines: 2,
      wrongLines: 0,
    })
    const arrived = await sink.arrived()
    const lengths = [...lines(1, 102), { file: 1, number: 1 }].map(
      ({ file, number }) => Buffer.byteLength(bodies().line(file, number)) + 1,
    )
    expect(arrived).toMatchObject({
      storedLines: 103,
      storedBytes: lengths.reduce((sum, each) => sum + each),
      requests: 3,
      failure: '',
    })
    expect(arrived.lastAtMs).toBeGreaterThan(arrived.firstAtMs)
    expect(Math.abs(arrived.lastAtMs - monotonicUs() / 1e3)).toBeLessThan(10_000)
  })

  test('is not fooled by a line less, a line changed, or one that another has pushed out', async () => {
    await start()
    const good = lines(1, 50)
    const planted = good
      .filter(({ number }) => number !== 7)
      .map((each) => (each.number === 9 ? { ...each, text: bodies().line(0, 9).slice(0, -1) } : each))
    await send(planted)
    expect(await sink.account(written(50, 0))).toMatchObject({ storedLines: 49, lostLines: 1, wrongLines: 1 })
  })

  test('takes gzip, and says what it cannot take', async () => {
    await start()
    const body = bodies().body(lines(1, 2_000), 'remora')
    expect((await post(gzipSync(body), { 'content-encoding': 'gzip' })).status).toBe(200)
    expect(await sink.account(written(2_000, 0))).toMatchObject({ storedLines: 2_000, wrongLines: 0, lostLines: 0 })
    expect((await sink.arrived()).failure).toBe('')
    expect((await post(Buffer.from('nonsense'), { 'content-encoding': 'gzip' })).status).toBe(400)
    expect((await sink.arrived()).failure).toContain('compressed')
  })

  test('takes nothing for another index, wherever that is named', async () => {
    const body = bodies().body(lines(1, 10), 'remora').toString()
    const naming = (index: string) => body.replaceAll('"create":{', `"create":{"_index":"${index}",`)
    expect(await asked('/_bulk', naming('remora-bench'))).toEqual({ status: 200, failure: '' })
    expect((await asked('/_bulk', naming('other'))).failure).toContain('"other"')
    expect((await asked('/other/_bulk', body)).failure).toContain('other')
    expect((await asked('/_bulk', body)).failure).toContain('names an index')
  })

  test('a request that is not whole brings nothing', async () => {
    await start()
    const body = Buffer.concat([bodies().body(lines(1, 10), 'remora'), Buffer.from('{"create":{}}\n{"message":"x')])
    expect((await post(body)).status).toBe(400)
    expect((await sink.arrived()).storedLines).toBe(0)
  })

  test('answers what agents ask before they send', async () => {
    await start()
    expect(await (await fetch(sink.url)).json()).toMatchObject({ version: { number: expect.stringMatching(/^9\./) } })
    expect((await fetch(sink.url, { method: 'HEAD' })).headers.get('x-elastic-product')).toBe('Elasticsearch')
    expect(await (await fetch(`${sink.url}/_resolve/index/logs`)).json()).toMatchObject({ indices: [{ name: 'logs' }] })
    expect((await fetch(`${sink.url}/_nothing`)).status).toBe(404)
  })
})

describe('a shape', () => {
  test('latency: it is waited for, and told', async () => {
    await start({ latencyMs: 80 })
    await sink.begin()
    await sink.measureFrom()
    const before = performance.now()
    await send(lines(1, 10))
    expect(performance.now() - before).toBeGreaterThanOrEqual(79)
    const latency = (await sink.latency())!
    expect(latency.lines).toBe(10)
    expect(latency.p50Ms).toBeGreaterThanOrEqual(79)
    expect(latency.maxMs).toBeGreaterThanOrEqual(latency.p50Ms * 0.99)
    await sink.measureFrom()
    expect(await sink.latency()).toBeUndefined()
  })

  test('bandwidth: of all connections together, by not reading', async () => {
    const bytesPerSecond = 8e6
    await start({ bytesPerSecond })
    const parts = [0, 1].map((part) => bodies().body(lines(1 + part * 10_000, 10_000 + part * 10_000), 'remora'))
    const bytes = parts.reduce((sum, each) => sum + each.length, 0)
    const before = performance.now()
    await Promise.all(parts.map((body) => post(body)))
    const seconds = (performance.now() - before) / 1e3
    expect(seconds).toBeGreaterThan((bytes / bytesPerSecond) * 0.9)
    // A shared machine may be slow, but is never fast.
    expect(seconds).toBeLessThan((bytes / bytesPerSecond) * 2 + 1)
    expect(await sink.account(written(20_000, 0))).toMatchObject({ storedLines: 20_000 })
  })

  test('refusals: a share of the requests brings nothing', async () => {
    await start({ refusedShare: 0.3 })
    let refused = 0
    for (let n = 0; n < 200; n++) {
      const { status } = await send(lines(n + 1, n + 1))
      if (status === 429) refused++
    }
    expect(refused).toBeGreaterThan(30)
    expect(refused).toBeLessThan(90)
    expect((await sink.arrived()).storedLines).toBe(200 - refused)
  })

  test('refusals of documents: those alone come again, and nothing else is stored or told', async () => {
    await start({ itemRefusedShare: 0.5 })
    const answers: number[][] = []
    for (let n = 0; n < 20; n++) answers.push(await refusedOf(n * 25 + 1, n * 25 + 25))
    const inPart = answers.filter((refused) => refused.length > 0)
    expect(inPart.length).toBeGreaterThan(3)
    expect(inPart.length).toBeLessThan(17)
    let missing = inPart.flat()
    expect(missing.length).toBeLessThan(inPart.length * 14)
    expect((await sink.arrived()).storedLines).toBe(500 - missing.length)
    for (let round = 0; round < 30 && missing.length > 0; round++) {
      const still = await Promise.all(missing.map((number) => refusedOf(number, number)))
      missing = still.flat()
    }
    expect(await sink.account(written(500, 0))).toMatchObject({
      storedLines: 500,
      lostLines: 0,
      againLines: 0,
      twiceLines: 0,
    })
  })

  test('outages: connections are reset, the port stays its own, then it is there again', async () => {
    await start({ latencyMs: 50, outages: [{ fromMs: 500, toMs: 900 }] })
    await sink.begin()
    const outcomes: ('good' | 'bad')[] = []
    const port = Number(new URL(sink.url).port)
    const taken = delay(700).then(() => once(createServer().listen(port, '127.0.0.1'), 'listening'))
    const takenTold = taken.then(
      () => 'taken',
      (error: unknown) => codeOf(error),
    )
    const beganMs = performance.now()
    for (let n = 1; performance.now() - beganMs < 1_700; n++) {
      outcomes.push(
        await send(lines(n, n)).then(
          () => 'good' as const,
          () => 'bad' as const,
        ),
      )
      await delay(10)
    }
    const first = outcomes.indexOf('bad')
    expect(first).toBeGreaterThan(0)
    expect(outcomes.slice(first, first + 3)).toEqual(['bad', 'bad', 'bad'])
    expect(outcomes.at(-1)).toBe('good')
    expect(await takenTold).toBe('EADDRINUSE')
    // One that was stored and not answered may be among them.
    const { storedLines } = await sink.arrived()
    const good = outcomes.filter((each) => each === 'good').length
    expect([good, good + 1]).toContain(storedLines)
  })
})

test('a backlog has no latency', async () => {
  sink = await startSink({ ...workload, rate: { kind: 'backlog' }, end: { bytes: 1 } }, plainShape)
  await send(lines(1, 3))
  expect(await sink.latency()).toBeUndefined()
})
