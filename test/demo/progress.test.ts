import { expect, test } from 'vitest'
import { type AgentFigures, parseFigures } from '../../src/demo/agent-figures.ts'
import { type Progress, progressLine, progressText } from '../../src/demo/progress.ts'
import { Rate } from '../../src/demo/rate.ts'
import { bytesText } from '../../src/demo/text.ts'
import { makeMetrics } from '../../src/admin/metrics.ts'

const mib = 2 ** 20
const figures: AgentFigures = {
  readLines: 60_200,
  acknowledgedLines: 60_012,
  duplicateLines: 0,
  deadLetteredLines: 0,
  lostLines: 0,
  heldLines: 188,
  unreadBytes: 1234,
  requestsUnderWay: 1,
  memoryInUseBytes: 50.2 * mib,
  arenaBytes: 18 * mib,
  rotations: 3,
}
const progress: Progress = {
  stage: undefined,
  elapsedMs: 10_000,
  writeMs: 20_000,
  figures,
  linesPerSecond: 5003.4,
  budgetBytes: 62 * mib,
}
const largest: Progress = {
  ...progress,
  elapsedMs: 20_000,
  linesPerSecond: 123_456,
  budgetBytes: 512 * mib,
  figures: {
    ...figures,
    memoryInUseBytes: 500 * mib,
    unreadBytes: 999 * 1024,
    requestsUnderWay: 2,
    acknowledgedLines: 100_000,
    rotations: 10,
  },
}

test('80 columns have every figure', () => {
  const line = progressLine(progress, 80)
  expect(line).toMatch(/^━{5}─{5} 10 s {2}5,003 lines\/s {2}lag 1.2 KiB {3}memory 51\/62 MiB {2}1 in flight$/)
})

test('120 columns have it in words', () => {
  const line = progressLine(progress, 120)
  expect(line).toMatch(
    /5,003 lines\/s {2}lag 1.2 KiB {3}memory 51 of 62 MiB {2}1 batch in flight {4}60,012 shipped {2}3 rotations$/,
  )
})

test.each([20, 40, 79, 80, 100, 119, 120, 200])('%i columns: it never wraps', (columns) => {
  for (const each of [progress, largest, { ...progress, stage: 'draining' }, { ...progress, figures: undefined }]) {
    const line = progressLine(each, columns)
    expect(line.length).toBeLessThan(columns)
  }
})

test.each([80, 100, 119, 120, 200])('%i columns: nothing is cut', (columns) => {
  for (const each of [progress, largest]) expect(progressLine(each, columns)).toMatch(/ (?:in flight|rotations)$/)
})

test('a log file gets text', () => {
  expect(progressText({ ...progress, stage: 'draining' })).toMatch(/^10 s {2}draining {2}5,003 lines\/s/)
  expect(progressText({ ...progress, figures: undefined })).toBe('10 s  waiting for the agent')
})

test('the figures are read from what the agent really prints', async () => {
  const counts = { readBytes: 1, cutLines: 0, skippedBytes: 0, gapBytes: 0, gaps: 0, files: 2, openFiles: 2 }
  const others = { ...counts, directories: 1, possiblyDuplicatedLines: 0, filteredLines: 0, byFile: [] }
  const pace = { failureStoredLines: 0, requestsMax: 1, requestBytesMax: 1 }
  const state = { slots: 4, slotsTaken: 1, checkpointAgeSeconds: undefined, checkpointFailures: 0, health: 'ok' }
  const volume = { volumeUsedBytes: 0, volumeLimitBytes: 0, volumeHeldBytes: 0 }
  const deleted = { droppedFiles: 0, droppedBytes: 0, freedFiles: 0, freedBytes: 0 }
  const letters = { letters: 0, letterBytes: 0, expiredLetters: 0, expiredEarlierLetters: 0, movedLetters: 0 }
  const events = [
    { kind: 'found', why: 'a', count: 4 },
    { kind: 'rotated', why: 'b', count: 1 },
    { kind: 'rotated', why: 'c', count: 1 },
    { kind: 'replaced', why: 'd', count: 1 },
  ]
  const metrics = makeMetrics('1.2.3', () => ({
    ...figures,
    ...others,
    ...pace,
    ...state,
    ...letters,
    ...volume,
    ...deleted,
    memoryLimitBytes: 2 ** 34,
    phase: 'shipping',
    healthDetail: '',
    events,
  }))
  const printed = await metrics.text()
  expect(parseFigures(typeof printed === 'string' ? printed : printed.text)).toEqual(figures)
  expect(parseFigures('<html>')).toBeUndefined()
})

test('the rate is that of the last two seconds', () => {
  const rate = new Rate()
  expect(rate.perSecond()).toBe(0)
  for (let second = 0; second <= 10; second++) rate.add(second * 1000, second < 5 ? 0 : (second - 5) * 100)
  expect(rate.perSecond()).toBe(100)
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 KiB'],
  [1024 * 9.96, '10 KiB'],
  [1024 * 1023, '1.0 MiB'],
  [48.2 * mib, '48 MiB'],
])('%d bytes are %s', (bytes, expected) => expect(bytesText(bytes)).toBe(expected))
