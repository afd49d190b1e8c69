import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backlogFor, rateFor } from '../../../src/bench/tune/calibrate.ts'
import { outcomeOf, planOf, type Common } from '../../../src/bench/tune/goals.ts'
import { inRounds } from '../../../src/bench/tune/rounds.ts'
import { steadyOf } from '../../../src/bench/tune/steady.ts'
import { RunTimes } from '../../../src/bench/tune/times.ts'
import type { Effect, Outcome, Try } from '../../../src/bench/tune/types.ts'
import type { Moment, RunResult } from '../../../src/bench/types.ts'
import { behindText } from '../../../src/bench/verdict.ts'

/** Looks each 250 ms at requests that are answered in waves: so many bytes at once, each so many ms. */
function moments(allBytes: number, waveBytes: number, waveMs: number, phaseMs = 0): Moment[] {
  const found: Moment[] = []
  for (let atMs = phaseMs; ; atMs += 250) {
    const storedBytes = Math.min(allBytes, Math.floor(atMs / waveMs) * waveBytes)
    found.push({ atMs, usedBytes: 1, lagBytes: allBytes - storedBytes, storedBytes, cpuUs: 5e5 + atMs * 100 })
    if (storedBytes === allBytes) return found
  }
}

describe('how fast a backlog goes', () => {
  test('does not lean to large waves, or to small ones', () => {
    const phases = Array.from({ length: 25 }, (_, n) => n * 10)
    const rates = (waveBytes: number, waveMs: number) => {
      const found = phases.map((phase) => steadyOf(moments(80e6, waveBytes, waveMs, phase))!.bytesPerSecond)
      return found.reduce((sum, each) => sum + each, 0) / found.length
    }
    // The same speed in waves of very different size.
    const [small, large] = [rates(0.2e6, 10), rates(8e6, 400)]
    expect(small / 20e6).toBeCloseTo(1, 2)
    expect(large / small).toBeGreaterThan(0.97)
    expect(large / small).toBeLessThan(1.03)
  })

  test('while requests are still small, it does not count', () => {
    const opening = moments(15e6, 0.2e6, 50).slice(0, -1)
    const fromMs = opening.at(-1)!.atMs
    const open = moments(65e6, 0.2e6, 10).map((look) => ({
      ...look,
      atMs: look.atMs + fromMs + 250,
      storedBytes: look.storedBytes + 15e6,
    }))
    expect(steadyOf([...opening, ...open])!.bytesPerSecond / 20e6).toBeCloseTo(1, 1)
  })

  test('its CPU is without the start', () => {
    // 100 µs of CPU each ms, 20 bytes each µs: 5 s a GB; the half second before is not in it.
    expect(steadyOf(moments(80e6, 0.2e6, 10))!.cpuSecondsPerGB).toBeCloseTo(5, 1)
  })

  test('too few looks are no speed', () => {
    expect(steadyOf([])).toBeUndefined()
    expect(steadyOf(moments(10e6, 10e6, 100))).toBeUndefined()
    expect(steadyOf(moments(80e6, 40e6, 250))).toBeUndefined()
  })

  test('it is never less than nothing', () => {
    const some = fc.array(fc.record({ atMs: fc.nat(5_000), storedBytes: fc.nat(1e6), cpuUs: fc.nat(1e6) }), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(some, (looks) => {
        const found = steadyOf(
          looks.map((look) => ({ ...look, usedBytes: 0, lagBytes: 0 })).toSorted((a, b) => a.atMs - b.atMs),
        )
        expect(found === undefined || found.bytesPerSecond > 0).toBe(true)
      }),
    )
  })
})

const common: Common = {
  limits: { cpus: 0.2, memoryBytes: 64 * 2 ** 20 },
  seed: 1,
  mix: { kind: 'mixed' },
  destination: 'null',
  shape: { latencyMs: 20, bytesPerSecond: 20e6 },
  settings: { REMORA_DOCUMENT_ID: 'none' },
}
const backlog = planOf(common, { backlogBytes: 80e6, seconds: 4 }, { REMORA_CONCURRENCY: '4' })
const steady = planOf(common, { bytesPerSecond: 4e6, seconds: 6 }, {})

function result(over: Partial<RunResult> = {}): RunResult {
  return {
    account: {
      writtenLines: 1e5,
      writtenBytes: 80e6,
      storedLines: 1e5,
      lostLines: 0,
      twiceLines: 0,
      againLines: 0,
      wrongLines: 0,
    },
    bytesPerSecond: 25e6,
    wallMs: 4_000,
    cpu: { userUs: 1, systemUs: 1 },
    others: { sinkUs: 0, writerUs: 0, benchUs: 0 },
    cpuSecondsPerGB: 7,
    cpuSecondsPerMillionLines: 1,
    latency: { lines: 1, p50Ms: 1, p90Ms: 2, p99Ms: 42, maxMs: 50, histogram: [] },
    memory: { peakBytes: 40e6, meanBytes: 30e6, oomKills: 0 },
    throttledMs: 0,
    moments: moments(80e6, 0.2e6, 10),
    requests: 100,
    bodyBytes: 160e6,
    failure: '',
    ...over,
  }
}

/** Written at 4 MB/s for six seconds, and shipped at so many. */
const lagging = (shipped: number): Moment[] =>
  Array.from({ length: 26 }, (_, n) => {
    const storedBytes = (shipped * n) / 4
    return { atMs: n * 250, usedBytes: 1, lagBytes: (4e6 * n) / 4 - storedBytes, storedBytes, cpuUs: n }
  })

describe('what a run is worth', () => {
  test('plans have the settings, the server as it was asked for, and time to ship', () => {
    expect(backlog).toMatchObject({
      settings: { REMORA_DOCUMENT_ID: 'none', REMORA_CONCURRENCY: '4' },
      destination: { kind: 'null', shape: { latencyMs: 20, bytesPerSecond: 20e6, refusedShare: 0 } },
      workload: { rate: { kind: 'backlog' }, end: { bytes: 80e6 } },
      warmUpMs: 0,
    })
    expect(steady).toMatchObject({
      workload: { rate: { kind: 'fixed', bytesPerSecond: 4e6 }, end: { seconds: 6 } },
      warmUpMs: 1_000,
    })
    const own = planOf({ ...common, destination: { url: 'http://e:9200' } }, { backlogBytes: 1, seconds: 90 }, {})
    expect([backlog.drainMsMax, own.drainMsMax]).toEqual([40_000, 120_000])
    expect(own.destination).toEqual({ kind: 'elasticsearch', url: 'http://e:9200' })
  })

  test.each([
    ['rate', backlog, 20e6],
    ['cpu', steady, 7],
    ['latency', steady, 42],
  ] as const)('for %s', (goal, plan, value) => {
    const kept = { moments: plan === steady ? lagging(4e6) : result().moments }
    const outcome = outcomeOf(goal, plan, result(kept))
    expect(outcome.kind).toBe('measured')
    expect(outcome.kind === 'measured' ? outcome.value / value : 0).toBeCloseTo(1, 1)
  })

  test('beside it is what was counted, and nothing that was not', () => {
    expect(outcomeOf('cpu', steady, result({ moments: lagging(4e6) }))).toMatchObject({
      beside: { bytesPerSecond: undefined, cpuSecondsPerGB: 7, p99Ms: 42, peakBytes: 40e6, sentPerLogByte: 2 },
    })
    expect(outcomeOf('rate', backlog, result({ bodyBytes: 0, latency: undefined }))).toMatchObject({
      beside: { p99Ms: undefined, sentPerLogByte: undefined },
    })
  })

  test.each([
    ['3 of 9 lines lost', 'failed'],
    ['2 lines stored twice', 'failed'],
    ['killed for lack of memory, 1 times; the agent ended by itself: signal SIGKILL', 'failed'],
    [`${behindText} 80 % of its rate only: this machine cannot give more`, 'void'],
  ])('%s: %s', (failure, kind) => {
    expect(outcomeOf('rate', backlog, result({ failure }))).toEqual({ kind, reason: failure })
  })

  test('a try that does not keep up is out, after one run in a search and at once where it counts', async () => {
    for (const behindMax of [0, 1]) {
      let runs = 0
      const effect = { batchBytes: 1, concurrency: 1, slots: 1, compression: 'none' } as Effect
      const tried = (name: string): Try => ({ name, values: {}, effect })
      const [, other] = await inRounds([tried('a'), tried('b')], 6, {
        behindMax,
        measure: ({ name }: Try): Promise<Outcome> => {
          if (name === 'b' && ++runs > 0) return Promise.resolve({ kind: 'behind', reason: 'late' })
          return Promise.resolve({ kind: 'void', reason: '' })
        },
        goesOn: () => true,
        drops: () => false,
      })
      expect([other!.failure, runs]).toEqual(['late', behindMax + 1])
    }
  })

  test('CPU and latency of an agent that falls behind are no figures', () => {
    expect(outcomeOf('cpu', steady, result({ moments: lagging(2e6) })).kind).toBe('behind')
    expect(outcomeOf('latency', steady, result({ moments: lagging(4e6), latency: undefined })).kind).toBe('void')
  })
})

/** A server that ships at this speed. */
const at = (bytesPerSecond: number) => (bytes: number) => {
  const ran = bytes
  const waveBytes = bytesPerSecond / 100
  return Promise.resolve({
    ...result({ moments: moments(Math.ceil(ran / waveBytes) * waveBytes, waveBytes, 10), bytesPerSecond }),
    account: { ...result().account, writtenBytes: bytes },
    bodyBytes: bytes * 2,
  })
}

/** One that carries so much. */
const runAt = (most: number, tried: number[]) => (bytesPerSecond: number) => {
  tried.push(bytesPerSecond)
  const plan = planOf(common, { bytesPerSecond, seconds: 6 }, {})
  const shipped = Math.min(most, bytesPerSecond)
  const looks = Array.from({ length: 26 }, (_, n) => ({
    atMs: n * 250,
    usedBytes: 1,
    lagBytes: ((bytesPerSecond - shipped) * n) / 4,
    storedBytes: 1,
    cpuUs: 1,
  }))
  return Promise.resolve({ plan, result: result({ moments: looks }) })
}

const backlog4 = { seconds: 4, windowBytes: 1e6, serverBytesPerSecond: undefined }
const window16 = { seconds: 1, windowBytes: 16e6, serverBytesPerSecond: undefined }

describe('getting ready', () => {
  test('a server that is narrow is not asked for more than it takes in the time', async () => {
    const asked: number[] = []
    const { bytes } = await backlogFor({ seconds: 4, windowBytes: 1e6, serverBytesPerSecond: 200e3 }, (wanted) => {
      asked.push(wanted)
      return at(100e3)(wanted)
    })
    expect(Math.max(bytes, ...asked)).toBeLessThanOrEqual(1e6)
  })

  test.each([
    [20e6, 80e6],
    [1e6, 4e6],
    [1e9, 512e6],
  ])('at %i bytes/s a backlog of four seconds is %i bytes', async (speed, wanted) => {
    const { bytes, sentPerLogByte } = await backlogFor(backlog4, at(speed))
    expect(bytes / wanted).toBeCloseTo(1, 1)
    expect(sentPerLogByte).toBeCloseTo(2)
  })

  test('all that may be on its way goes through several times, unless that takes too long', async () => {
    expect((await backlogFor(window16, at(20e6))).bytes / 48e6).toBeCloseTo(1, 1)
    expect((await backlogFor(window16, at(4e6))).bytes / 10e6).toBeCloseTo(1, 1)
  })

  test('it ends, and a run that fails ends it at once', async () => {
    let runs = 0
    const odd = (bytes: number) => at(++runs * 1e8)(bytes)
    await backlogFor(backlog4, odd)
    expect(runs).toBeLessThanOrEqual(5)
    await expect(backlogFor(backlog4, () => Promise.resolve(result({ failure: 'nothing arrived' })))).rejects.toThrow(
      'nothing arrived',
    )
  })

  test.each([
    [{ asked: undefined, cpus: 0.2, serverBytesPerSecond: undefined }, 1e9, [4e6]],
    [{ asked: undefined, cpus: undefined, serverBytesPerSecond: undefined }, 1e9, [20e6]],
    [{ asked: undefined, cpus: 1, serverBytesPerSecond: 20e6 }, 1e9, [5e6]],
    [{ asked: undefined, cpus: 0.2, serverBytesPerSecond: undefined }, 1.5e6, [4e6, 2e6, 1e6]],
    [{ asked: 3e6, cpus: 0.2, serverBytesPerSecond: undefined }, 1e9, [3e6]],
  ])('%j', async (facts, most, expected) => {
    const tried: number[] = []
    expect(await rateFor(facts, runAt(most, tried))).toBe(expected.at(-1))
    expect(tried).toEqual(expected)
  })

  test('a rate that was asked for is not made smaller', async () => {
    const facts = { asked: 3e6, cpus: 0.2, serverBytesPerSecond: undefined }
    await expect(rateFor(facts, runAt(1e6, []))).rejects.toThrow('does not keep up with 3.00 MB/s')
  })
})

test('time: what runs take is learned, and the bound kept', () => {
  let now = 0
  const times = new RunTimes(100, () => now)
  expect(times.hasTime(1)).toBe(true)
  times.took(5)
  times.begin(5)
  expect(times.secondsFor(3)).toBe(30)
  expect(times.hasTime(10)).toBe(true)
  expect(times.hasTime(11)).toBe(false)
  now = 95
  expect(times.hasTime(1)).toBe(false)
  expect(times.secondsLeft(10)).toBe(5)
  for (let n = 0; n < 12; n++) times.took(2)
  expect(times.secondsFor(1)).toBe(2)
})
