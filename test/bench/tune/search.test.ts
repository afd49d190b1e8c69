import { describe, expect, test } from 'vitest'
import { search, type Rules } from '../../../src/bench/tune/search.ts'
import type { Search } from '../../../src/bench/tune/types.ts'
import { dimension, dimensions, rules, spaceOf, type Surface, SyntheticStage } from './surface.ts'

/** 100, by what these settings bring: `A4` when A is 4, `BxA8` when both are so. */
function raised(factors: Readonly<Record<string, number>>): Surface['truth'] {
  return (values) => {
    const set = new Set(Object.entries(values).map(([name, value]) => name + value))
    const holds = (key: string) => key.match(/[A-Z][a-z0-9]*/g)?.every((each) => set.has(each)) === true
    return Object.entries(factors).reduce((value, [key, factor]) => (holds(key) ? value * factor : value), 100)
  }
}

/** From a run on, with this setting; an empty one: with none of A. */
function failing(key: string, reason: string, from = 1): NonNullable<Surface['fails']> {
  return ({ A = '' }, run) => (run >= from && (key === '' ? A === '' : `A${A}` === key) ? reason : '')
}

const seeds = Array.from({ length: 300 }, (_, seed) => seed + 1)

async function searched(
  surface: Surface,
  seed: number,
  over: Partial<Rules> = {},
  runsMax = Infinity,
  space = spaceOf(),
) {
  const stage = new SyntheticStage(surface, seed, runsMax)
  return { found: await search(space, { ...rules, ...over }, stage), stage }
}

async function shareOf(surface: Surface, isSo: (found: Search) => boolean, over: Partial<Rules> = {}): Promise<number> {
  let count = 0
  for (const seed of seeds) if (isSo((await searched(surface, seed, over)).found)) count += 1
  return count / seeds.length
}

const isOnlyA4 = ({ block }: Search) => block['A'] === '4' && Object.keys(block).length === 1
const isNothing = ({ block, remove }: Search) => Object.keys(block).length === 0 && remove.length === 0

describe('on a surface that is flat', () => {
  test.each([
    ['quiet', { noise: 0.005 }],
    ['usual', { noise: 0.04 }],
    ['wild', { noise: 0.2 }],
    ['disturbed', { noise: 0.03, spikes: 0.4 }],
    ['slower and slower', { noise: 0.04, drift: 0.3 }],
  ])('nothing is changed, for 95 of 100 seeds and more: %s', async (_, surface) => {
    expect(await shareOf({ truth: () => 100, ...surface }, isNothing)).toBeGreaterThanOrEqual(0.95)
  })

  test('in the short form, and for a figure that is better when it is less', async () => {
    const short = { roundsMax: 7, confirmRounds: { least: 5, most: 8 }, passes: 1, better: 'less' } as const
    expect(await shareOf({ truth: () => 100, noise: 0.1 }, isNothing, short)).toBeGreaterThanOrEqual(0.95)
  })

  test('an effect below the least is none, however certain', async () => {
    const truth = raised({ A4: 1.02 })
    expect(await shareOf({ truth, noise: 0.0005 }, isNothing)).toBe(1)
  })
})

describe('a real effect', () => {
  test.each([
    ['more', 112],
    ['less', 100 / 1.12],
  ] as const)('of 12 %% is found in noise of 2 %%: %s', async (better, value) => {
    const truth = raised({ A4: value / 100 })
    expect(await shareOf({ truth, noise: 0.02, drift: 0.2 }, isOnlyA4, { better })).toBeGreaterThanOrEqual(0.9)
  })

  test('of 30 % is found though one run of twenty is disturbed', async () => {
    const truth = raised({ A4: 1.3 })
    expect(await shareOf({ truth, noise: 0.02, spikes: 0.3 }, isOnlyA4)).toBeGreaterThanOrEqual(0.85)
  })

  test('and what it is confirmed by is of fresh runs, without a lean', async () => {
    const truth = raised({ A4: 1.2 })
    const ratios: number[] = []
    for (const seed of seeds) {
      const { found, stage } = await searched({ truth, noise: 0.04 }, seed)
      const { final, before } = found.confirmation ?? {}
      if (final === undefined || before === undefined) continue
      ratios.push(final.gain!.ratio)
      const confirming = stage.abouts.filter((about) => about.startsWith('confirming'))
      expect(confirming.length).toBeGreaterThanOrEqual(before.values.length + final.values.length)
    }
    expect(ratios.length).toBeGreaterThan(seeds.length * 0.8)
    const mean = ratios.reduce((sum, each) => sum + each, 0) / ratios.length
    expect(Math.abs(mean - 1.2)).toBeLessThan(0.01)
  })

  test('two of them are both found, and each is told for itself', async () => {
    const truth = raised({ A2: 1.3, By: 1.15 })
    const { found } = await searched({ truth, noise: 0.01 }, 1)
    expect(found.block).toEqual({ A: '2', B: 'y' })
    const [a, b] = found.confirmation!.parts
    expect([a!.values, b!.values]).toEqual([{ A: '2' }, { B: 'y' }])
    expect(a!.gain!.ratio).toBeCloseTo(1.3, 1)
    expect(b!.gain!.ratio).toBeCloseTo(1.15, 1)
  })

  test('one that is only there together with another is found in the second pass', async () => {
    const truth = raised({ Bx: 1.3, BxA8: 1.5 })
    expect((await searched({ truth, noise: 0.01 }, 1)).found.block).toEqual({ A: '8', B: 'x' })
    expect((await searched({ truth, noise: 0.01 }, 1, { passes: 1 })).found.block).toEqual({ B: 'x' })
  })

  test('what brings nothing beside the others is taken back', async () => {
    // The one is all that the other had brought.
    const truth = raised({ Bz: 2, A2: 1.3, BzA2: 1 / 1.3 })
    const { found } = await searched({ truth, noise: 0.01 }, 1)
    expect(found.confirmation!.chosen.tried.values).toEqual({ A: '2', B: 'z' })
    expect(found.block).toEqual({ B: 'z' })
  })

  test('of those that are as good as each other the nearest is taken', async () => {
    const truth = raised({ A2: 1.5, A4: 1.5, A8: 1.5 })
    expect((await searched({ truth, noise: 0.01 }, 1)).found.block).toEqual({ A: '2' })
  })

  test('what was set and is better without goes', async () => {
    const space = spaceOf(
      [
        {
          settings: ['C', 'L'],
          near: ({ values }) => ({ tries: values['C'] === 'on' ? [{ ...off }] : [], untried: [] }),
        },
      ],
      { C: 'on', L: '3' },
    )
    const truth = raised({ Coff: 2 })
    const { found } = await searched({ truth, noise: 0.01 }, 1, {}, Infinity, space)
    expect(found).toMatchObject({ block: { C: 'off' }, remove: ['L'] })
  })
  const off = { ...spaceOf().start, name: 'off', values: { C: 'off' } }
})

describe('what fails', () => {
  test('is never chosen, however fast it is and whenever it fails', async () => {
    const truth = raised({ A8: 10, A4: 1.3 })
    for (const seed of seeds.slice(0, 100)) {
      const at = 1 + (seed % 40)
      const fails = failing('A8', '3 of 9 lines lost', at)
      const { found, stage } = await searched({ truth, noise: 0.02, fails }, seed)
      const hasFailed = stage.ran.some(({ values }, run) => fails(values, run + 1) !== '')
      expect(hasFailed && found.block['A'] === '8').toBe(false)
    }
  })

  test('leaves at once, and is told', async () => {
    const fails = failing('A8', 'killed for lack of memory, 1 times')
    const { found, stage } = await searched({ truth: () => 100, noise: 0.01, fails }, 1)
    expect(stage.ran.filter(({ values }) => values['A'] === '8')).toHaveLength(1)
    const judged = found.contests[0]!.judged.find(({ tried }) => tried.name === '8')
    expect(judged).toMatchObject({ decision: 'failed', failure: 'killed for lack of memory, 1 times' })
  })

  test('when what is there fails, nothing is told', async () => {
    const fails = failing('', 'lines lost', 21)
    const { found } = await searched({ truth: () => 100, noise: 0.01, fails }, 1)
    expect(isNothing(found)).toBe(true)
    expect(found.contests.at(-1)!.best.failure).toBe('lines lost')
  })

  test('what the machine disturbs now and then is measured again', async () => {
    const truth = raised({ A4: 1.3 })
    expect((await searched({ truth, noise: 0.01, isVoid: (run) => run % 9 === 0 }, 1)).found.block).toEqual({ A: '4' })
  })

  test('always disturbed, it ends', async () => {
    const { found, stage } = await searched({ truth: () => 1, noise: 0, isVoid: () => true }, 1)
    expect(isNothing(found)).toBe(true)
    expect(stage.ran.length).toBeLessThan(20)
  })
})

describe('time', () => {
  test('a try that is far behind leaves early', async () => {
    const truth = raised({ Con: 0.2, A2: 0.8 })
    const { stage, found } = await searched({ truth, noise: 0.01 }, 1)
    expect(stage.ran.filter(({ values }) => values['C'] === 'on')).toHaveLength(1)
    expect(stage.ran.filter(({ values }) => values['A'] === '2')).toHaveLength(3)
    expect(found.contests[0]!.judged[0]!.decision).toBe('worse')
  })

  test('no more runs than there is time for, and always enough for the confirmation', async () => {
    const truth = raised({ A2: 1.5, By: 1.5 })
    for (const runsMax of [0, 10, 28, 29, 40, 60, 80, 100, 120]) {
      for (const noise of [0.01, 0.1]) {
        const { found, stage } = await searched({ truth, noise }, runsMax, {}, runsMax)
        expect(stage.ran.length).toBeLessThanOrEqual(runsMax)
        for (const { before, chosen } of [found.confirmation ?? []].flat()) {
          expect(Math.min(before.values.length, chosen.values.length)).toBeGreaterThanOrEqual(4)
        }
        // Nothing is passed over in silence.
        const looked = new Set(found.contests.map(({ setting }) => setting))
        const left = new Set(found.untried.map(({ name }) => name[0]))
        expect([...looked, ...left]).toEqual(expect.arrayContaining(['A', 'B', 'C']))
      }
    }
  })

  test('without limit there are no more runs than tries, rounds and passes make', async () => {
    const tries = 3 + 3 + 1
    const most =
      rules.passes * rules.roundsMax * (tries + dimensions.length) + rules.confirmRounds.most * (2 + dimensions.length)
    for (const seed of seeds.slice(0, 50)) {
      const { stage } = await searched({ truth: () => 100, noise: 0.3 }, seed)
      expect(stage.ran.length).toBeLessThanOrEqual(most)
    }
  })

  test('nothing is measured twice as a try, nor in a contest of nobody', async () => {
    const { found } = await searched(
      { truth: () => 100, noise: 0.001 },
      1,
      {},
      Infinity,
      spaceOf([dimension('A', '2', '2'), dimension('B')]),
    )
    expect(found.contests).toHaveLength(1)
    expect(found.contests[0]!.judged).toHaveLength(1)
  })
})

test('rounds are interleaved, and none is always first', async () => {
  const { stage } = await searched(
    { truth: () => 100, noise: 0.01 },
    1,
    {},
    Infinity,
    spaceOf([dimension('A', '2', '4')]),
  )
  const rounds = [0, 1, 2, 3].map((round) =>
    stage.ran.slice(round * 3, round * 3 + 3).map(({ values }) => values['A'] ?? '-'),
  )
  for (const round of rounds) expect(round.toSorted()).toEqual(['-', '2', '4'])
  expect(new Set(rounds.map(([first]) => first)).size).toBeGreaterThan(1)
})

const isBehind = (about: string) => /confirming: as chosen, round 3\b/.test(about)

test('what does not keep up once while it is confirmed is not told to be better', async () => {
  const truth = raised({ A4: 1.3 })
  const { found } = await searched({ truth, noise: 0.005, isBehind }, 1)
  expect(found.confirmation?.chosen.failure).toBe('it does not keep up')
  expect(isNothing(found)).toBe(true)
})
