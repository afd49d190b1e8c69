import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** In a process that has just begun, as writer and sink are: nothing has been compiled there yet. */
const script = `
  const { monotonicUs } = await import(process.argv[1])
  const hrtimeUs = () => Number(process.hrtime.bigint()) / 1e3
  let [early, late] = [-Infinity, -Infinity]
  for (let look = 0; look < 200; look++) {
    const before = hrtimeUs()
    const now = monotonicUs()
    const after = hrtimeUs()
    early = Math.max(early, before - now)
    late = Math.max(late, now - after)
  }
  process.stdout.write(JSON.stringify({ early, late }))`

test('the clock of a run is CLOCK_MONOTONIC: between two other looks at that, in each process', () => {
  const clock = new URL('../../src/bench/workload/clock.ts', import.meta.url).href
  const args = ['--input-type=module', '--eval', script, clock]
  const { early, late } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 }))
  // Half a millisecond is more than reading two clocks takes where nothing comes between; one look of all is enough to tell.
  expect(early).toBeLessThan(500)
  expect(late).toBeLessThan(500)
})
