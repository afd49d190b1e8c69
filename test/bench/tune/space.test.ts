import { memoryFor } from '../../../src/bench/tune/tune.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { effortFor } from '../../../src/bench/tune/effort.ts'
import { Fits } from '../../../src/bench/tune/fits.ts'
import { spaceOf, textOf, tunedSettings, windowBytesOf, type SpaceFacts } from '../../../src/bench/tune/space.ts'
import type { Try, Values } from '../../../src/bench/tune/types.ts'

const mib = 2 ** 20
const machine = { bytes: 16 * 1024 * mib, origin: 'the machine' }
const limits = (mebibytes: number) => ({ cpus: 0.2, memoryBytes: mebibytes * mib })
const fitsAt = (mebibytes: number, given: Values = {}, url = 'http://e:9200') =>
  new Fits(given, url, limits(mebibytes), machine)

function spaceAt(mebibytes: number, values: Values = {}, over: Partial<SpaceFacts> = {}) {
  const fits = fitsAt(mebibytes)
  const facts: SpaceFacts = { goal: 'rate', tried: effortFor('long', 'rate').tried, only: [], fillMs: 20, ...over }
  return spaceOf(facts, startOf(fits, values), (each) => fits.of(each))
}

function startOf(fits: Fits, values: Values): Try {
  const fit = fits.of(values)
  if (!fit.ok) throw new Error(fit.reason)
  return { name: '', values, effect: fit.effect }
}

/** Each setting's tries, and what was left out. */
function nearStart(space: ReturnType<typeof spaceAt>) {
  const { start, dimensions } = space.space
  return dimensions.map(({ settings, near }) => {
    const { tries, untried } = near(start)
    return [settings[0], tries.map(({ name }) => name), untried.map(({ name }) => name)]
  })
}

describe('what the agent makes of settings', () => {
  test('is its own memory plan', () => {
    expect(fitsAt(64).of({})).toMatchObject({ ok: true, effect: { batchBytes: 2 * mib, concurrency: 2, slots: 4 } })
    expect(fitsAt(64).of({ REMORA_CONCURRENCY: '8' })).toMatchObject({ effect: { batchBytes: mib, concurrency: 8 } })
  })

  test.each([
    [
      64,
      { REMORA_CONCURRENCY: '4', REMORA_BATCH_BYTES: '4Mi' },
      /64 MiB \(the container's limit\) cannot hold 4 batches/,
    ],
    [64, { REMORA_BATCH_BYTES: '128Ki' }, /REMORA_BATCH_BYTES: 128Ki does not hold one line/],
    [64, { REMORA_BATCH_LINGER: '30s' }, /REMORA_BATCH_LINGER: 30s is not less than REMORA_SHUTDOWN_GRACE/],
    [64, { REMORA_CONCURRENCY: '65' }, /REMORA_CONCURRENCY: /],
    [64, { REMORA_COMPRESSION_LEVEL: '3' }, /REMORA_COMPRESSION_LEVEL: nothing is compressed/],
  ])('at %i MiB %j is refused as the agent refuses it', (mebibytes, values, reason) => {
    expect(fitsAt(mebibytes).of(values)).toMatchObject({ ok: false, reason: expect.stringMatching(reason) as unknown })
  })

  test('settings that are not tuned count, too', () => {
    expect(fitsAt(128, { REMORA_MEMORY_LIMIT: '64Mi' }).of({})).toEqual(fitsAt(64).of({}))
    expect(fitsAt(64, { REMORA_MAX_LINE_BYTES: '16Ki' }).of({ REMORA_BATCH_BYTES: '256Ki' }).ok).toBe(true)
    const slots = (url: string) => fitsAt(64, {}, url).of({ REMORA_CONCURRENCY: '4', REMORA_BATCH_BYTES: '2Mi' })
    expect(slots('http://e:9200')).toMatchObject({ effect: { slots: 6 } })
    expect(slots('https://e:9200')).not.toMatchObject({ effect: { slots: 6 } })
  })

  test('without a limit it is the machine that limits', () => {
    const unlimited = new Fits({}, 'http://e:9200', { cpus: undefined, memoryBytes: undefined }, machine)
    expect(unlimited.of({})).toMatchObject({ effect: { batchBytes: 4 * mib, concurrency: 2 } })
  })
})

describe('what is tried', () => {
  test('for a backlog in 64 MiB, and what memory has no room for', () => {
    expect(nearStart(spaceAt(64))).toEqual([
      ['REMORA_CONCURRENCY', ['4', '1', '8', '16'], []],
      ['REMORA_BATCH_BYTES', ['1Mi', '4Mi', '512Ki', '8Mi'], []],
      ['REMORA_COMPRESSION', ['gzip, level 1'], []],
    ])
    expect(nearStart(spaceAt(48))[0]).toEqual([
      'REMORA_CONCURRENCY',
      ['4', '1'],
      ['REMORA_CONCURRENCY=8', 'REMORA_CONCURRENCY=16'],
    ])
    expect(spaceAt(64).untried).toEqual([
      {
        name: 'REMORA_BATCH_LINGER',
        reason: 'it does not matter for a backlog, which fills a batch in about 20 ms: none waits for 200ms',
      },
    ])
  })

  test('linger too, where a batch takes longer to fill', () => {
    const names = nearStart(spaceAt(64, {}, { fillMs: 170 })).map(([name]) => name)
    expect(names).toContain('REMORA_BATCH_LINGER')
  })

  test('the short form looks less far', () => {
    expect(nearStart(spaceAt(64, {}, { tried: effortFor('short', 'rate').tried }))).toEqual([
      ['REMORA_CONCURRENCY', ['4', '8'], []],
      ['REMORA_BATCH_BYTES', ['1Mi', '4Mi'], []],
      ['REMORA_COMPRESSION', ['gzip, level 1'], []],
    ])
  })

  test('for CPU packing is no try, but to stop it is', () => {
    const facts = { goal: 'cpu', tried: effortFor('long', 'cpu').tried } as const
    expect(nearStart(spaceAt(64, {}, facts)).map(([name]) => name)).toEqual([
      'REMORA_BATCH_LINGER',
      'REMORA_BATCH_BYTES',
      'REMORA_CONCURRENCY',
    ])
    expect(spaceAt(64, {}, facts).untried[0]).toMatchObject({ name: 'REMORA_COMPRESSION' })
    const packed = { REMORA_COMPRESSION: 'gzip', REMORA_COMPRESSION_LEVEL: '6' }
    expect(nearStart(spaceAt(64, packed, facts)).at(-1)).toEqual(['REMORA_COMPRESSION', ['none', 'gzip, level 1'], []])
  })

  test('a level goes with its compression', () => {
    const { space } = spaceAt(64, { REMORA_COMPRESSION: 'gzip', REMORA_COMPRESSION_LEVEL: '3' })
    const tries = space.dimensions.at(-1)!.near(space.start).tries
    expect(tries.map(({ values }) => values)).toEqual([
      { REMORA_COMPRESSION: 'none' },
      { REMORA_COMPRESSION: 'gzip', REMORA_COMPRESSION_LEVEL: '1' },
      { REMORA_COMPRESSION: 'gzip', REMORA_COMPRESSION_LEVEL: '6' },
    ])
    expect(textOf(tries[1]!.values)).toBe('REMORA_COMPRESSION=gzip REMORA_COMPRESSION_LEVEL=1')
  })

  test('for latency a batch leaves sooner', () => {
    const space = spaceAt(64, {}, { goal: 'latency', tried: effortFor('long', 'latency').tried })
    expect(nearStart(space)[0]).toEqual(['REMORA_BATCH_LINGER', ['50ms', '10ms'], []])
    const none = spaceAt(
      64,
      { REMORA_BATCH_LINGER: '0ms' },
      { goal: 'latency', tried: effortFor('long', 'latency').tried },
    )
    expect(nearStart(none)[0]).toEqual(['REMORA_BATCH_LINGER', ['50ms', '200ms'], []])
  })

  test('one alone when it is asked for', () => {
    const space = spaceAt(64, {}, { only: ['REMORA_COMPRESSION_LEVEL'] })
    expect(nearStart(space).map(([name]) => name)).toEqual(['REMORA_COMPRESSION'])
    expect(space.untried).toEqual([])
  })

  test('whatever is set and whatever the limit: each try is one that the agent takes', () => {
    const some = fc.record(
      {
        REMORA_CONCURRENCY: fc.integer({ min: 1, max: 64 }).map(String),
        REMORA_BATCH_BYTES: fc.constantFrom('512Ki', '1Mi', '3Mi', '8Mi', '64Mi'),
        REMORA_BATCH_LINGER: fc.constantFrom('0ms', '1ms', '200ms', '5s', '24s'),
        REMORA_COMPRESSION: fc.constantFrom('gzip', 'none'),
      },
      { requiredKeys: [] },
    )
    const goals = fc.constantFrom('rate', 'cpu', 'latency')
    fc.assert(
      fc.property(fc.integer({ min: 44, max: 1024 }), some, goals, (mebibytes, values, goal) => {
        const fits = fitsAt(mebibytes)
        fc.pre(fits.of(values).ok)
        const { space } = spaceOf(
          { goal, tried: effortFor('long', goal).tried, only: [], fillMs: 1e3 },
          startOf(fits, values),
          (each) => fits.of(each),
        )
        for (const { settings, near } of space.dimensions) {
          const { tries, untried } = near(space.start)
          for (const { values: tried, effect } of tries) {
            expect(fits.of(tried)).toEqual({ ok: true, effect })
            expect(settings.every((name) => tunedSettings.some((each) => each === name))).toBe(true)
            // All but the one setting stays as it is.
            for (const [name, value] of Object.entries(values)) {
              expect(settings.includes(name) || tried[name] === value).toBe(true)
            }
          }
          for (const { reason } of untried) expect(reason).not.toBe('')
        }
        expect(windowBytesOf(space)).toBeGreaterThan(0)
      }),
      { numRuns: 200 },
    )
  })
})

test.each([
  ['a group of its own', { kind: 'cgroup', version: 2 }, 64, 64, undefined],
  ['a larger group that it shares', { kind: 'own', version: 2 }, 2_048, 64, 64],
  ['a smaller group that it shares', { kind: 'own', version: 2 }, 512, 512, 512],
  ['nothing', { kind: 'none', reason: '' }, undefined, 64, 64],
] as const)('with %s settings are for the memory that the sidecar will have', (_, enforcement, holds, plans, said) => {
  const bytes = (mebibytes: number | undefined) => (mebibytes === undefined ? undefined : mebibytes * mib)
  const held = { enforcement, limits: { cpus: 1, memoryBytes: bytes(holds) }, warning: '' }
  const wanted = { cpus: 1, memoryBytes: bytes(holds === 512 ? 1_024 : 64) }
  expect(memoryFor(wanted, held)).toEqual({
    bytes: bytes(plans),
    settings: said === undefined ? {} : { REMORA_MEMORY_LIMIT: String(said * mib) },
  })
})
