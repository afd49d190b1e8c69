import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { measureWay } from '../../bench/micro/way.ts'

/**
 * What allocates nothing for a line still allocates for each turn and each batch: 100 KB for 16,000 lines of this kind. The
 * smallest string that is made for a line takes 24 bytes: V8 has 16 in front of its characters.
 */
const bytesPerLineMax = 12
const lines = 1_000_000
/** What is compiled meanwhile is allocated too, and by the sixth time little is: a string for each line is in all of them. */
const timesMax = 16

const line = (at: number) => `2026-11-26 04:30:00,123 INFO  [main] : order ${at} accepted\n`

let directory: string
let path: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'remora-hot-path-'))
  path = join(directory, 'app.log')
  writeFileSync(path, Array.from({ length: lines }, (_, at) => line(at)).join(''))
})
afterAll(() => rmSync(directory, { recursive: true }))

test('nothing is allocated for a line on its way from the file to its verdict', async () => {
  const allocated: number[] = []
  do {
    const cost = await measureWay(path, lines)
    expect(cost.lines).toBeGreaterThan(lines / 2)
    allocated.push(cost.allocatedBytes / cost.lines)
  } while (allocated.length < timesMax && allocated.at(-1)! >= bytesPerLineMax)
  expect(Math.min(...allocated), `bytes for each line: ${allocated.join(', ')}`).toBeLessThan(bytesPerLineMax)
})
