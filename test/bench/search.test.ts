import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bracketRatio, highestHeld } from '../../src/bench/scenarios/search.ts'

const rate = fc.double({ min: 1e5, max: 5e8, noNaN: true })
const bounds = { min: 5e4, max: 2e9 }

test('any threshold is found within the bracket, from any guess, with a probe that is a little wrong each time', async () => {
  const noise = 0.02
  await fc.assert(
    fc.asyncProperty(
      rate,
      rate,
      fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })),
      async (truth, guess, luck) => {
        const probe = (at: number): Promise<boolean> => Promise.resolve(at * (1 + noise * luck.next().value!) <= truth)
        const found = await highestHeld(probe, { guess, step: 1.21, ratioMax: bracketRatio, ...bounds, probesMax: 40 })
        expect(found.held).toBeLessThanOrEqual(truth / (1 - noise))
        expect(found.failed).toBeGreaterThanOrEqual(truth / (1 + noise))
        expect(found.failed! / found.held!).toBeLessThanOrEqual(bracketRatio * 1.0001)
      },
    ),
  )
})

test('few probes do it when the guess is near', async () => {
  const near = fc.double({ min: 0.83, max: 1.2, noNaN: true })
  await fc.assert(
    fc.asyncProperty(rate, near, async (truth, off) => {
      const probe = (at: number) => Promise.resolve(at <= truth)
      const options = { guess: truth * off, step: 1.21, ratioMax: bracketRatio, ...bounds, probesMax: 40 }
      expect((await highestHeld(probe, options)).probes).toBeLessThanOrEqual(3)
    }),
  )
})

test.each([
  ['all hold: it ends at the highest', (): boolean => true, { held: 2e9, failed: undefined }],
  ['none holds: it ends at the lowest', (): boolean => false, { held: undefined, failed: 5e4 }],
] as const)('%s', async (_, answer, ends) => {
  const options = { guess: 1e6, step: 1.21, ratioMax: bracketRatio, ...bounds, probesMax: 40 }
  expect(await highestHeld(() => Promise.resolve(answer()), options)).toMatchObject(ends)
})

test('no more probes than allowed', async () => {
  let probes: number = 0
  const probe = (at: number) => Promise.resolve(++probes > 0 && at <= 1e8)
  const options = { guess: 1e5, step: 1.01, ratioMax: bracketRatio, ...bounds, probesMax: 3 }
  expect(await highestHeld(probe, options)).toMatchObject({ probes: 3, failed: undefined })
  expect(probes).toBe(3)
})
