import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readAlertGroups } from '../../../build/alerts.ts'
import { causes } from '../../../src/admin/backpressure-words.ts'
import type { Figures } from '../../../src/admin/figures.ts'
import { wordsOf } from '../../../src/admin/page/words.ts'
import { well } from './well.ts'

const words = (given: Partial<Figures>) => wordsOf({ ...well, ...given })

const slowed = (given: Partial<Figures['backpressure']>): Partial<Figures> => ({
  backpressure: { ...well.backpressure, state: 'filling', ...given },
})

test('nothing is wrong: healthy, and nothing else', () => {
  expect(words({})).toMatchObject({ tone: 'well', mark: '✓', headline: 'Healthy', troubles: [] })
})

const denied = { files: 1, path: '/logs/a.log', why: 'owner 1:1, mode 0600', wayOut: 'Add a group.' }

const cases: readonly (readonly [given: Partial<Figures>, tone: string, alert: string, told: string])[] = [
  [
    { denied: [denied], unreadableFiles: [{ reason: 'EACCES', count: 1 }] },
    'bad',
    'RemoraFilesUnreadable',
    '/logs/a.log: owner 1:1, mode 0600',
  ],
  [
    { denied: [{ ...denied, files: 1_201 }] },
    'bad',
    'RemoraFilesUnreadable',
    '/logs/a.log: owner 1:1, mode 0600, and 1,200 more with the same owner and mode',
  ],
  [
    {
      unreadableFiles: [
        { reason: 'READ_FAILED', count: 2 },
        { reason: 'EMFILE', count: 1 },
      ],
    },
    'bad',
    'RemoraFilesUnreadable',
    '2 files (READ_FAILED), 1 file (EMFILE)',
  ],
  [{ unreadableDirectories: 1 }, 'bad', 'RemoraDirectoriesUnreadable', '1 directory'],
  [{ volumeUsedBytes: 91 }, 'bad', 'RemoraVolumeNearlyFull', '91 %'],
  [{ memoryInUseBytes: 96 }, 'bad', 'RemoraMemoryNearLimit', '96 % of 100 B'],
  [{ letterBytes: 81, letterBytesMax: 100 }, 'bad', 'RemoraDeadLettersNearlyFull', '81 % of REMORA_DEAD_LETTER_BYTES'],
  [{ readLines: 101 }, 'bad', '', ''],
  [{ checkpointFailing: true }, 'busy', 'RemoraCheckpointFailing', ''],
  [{ slots: 3 }, 'busy', 'RemoraMemoryPressure', '3 of 4 are left'],
  [{ volumesInDoubt: 1 }, 'busy', 'RemoraVolumeUnmeasured', ''],
  [{ files: 0 }, 'busy', 'RemoraNoFiles', ''],
  [{ letters: 2, letterBytes: 9 }, 'busy', 'RemoraDeadLettersWaiting', '2, 9 B'],
  [{ acknowledgedLines: 92, lostLines: 1 }, 'busy', 'RemoraLinesLost', '1 line'],
  [{ gaps: 2, gapBytes: 3 }, 'busy', 'RemoraGap', '2 files, 3 B'],
  [{ droppedFiles: 1, droppedBytes: 4 }, 'busy', 'RemoraFilesDropped', '1 file, 4 B'],
  [{ memoryOoms: 1 }, 'busy', 'RemoraOutOfMemory', '1 time'],
]

test.each(cases)('%o is %s: %s', (given, tone, alert, told) => {
  const { troubles, tone: whole } = words(given)
  expect(troubles).toEqual([
    { tone, title: expect.any(String), detail: told, wayOut: expect.stringMatching(/[.?]$/), alert },
  ])
  expect(whole).toBe(tone)
})

test.each([
  { volumeUsedBytes: 90 },
  { volumeLimitBytes: 0 },
  { memoryInUseBytes: 95 },
  { memoryLimitBytes: Infinity },
  { letterBytes: 80, letterBytesMax: 100 },
  // What the process before has left is yet to be opened, and the first look is not over.
  { phase: 'starting', files: 0, unreadableFiles: [{ reason: 'NOT_REOPENED', count: 9 }] },
] as const)('%o is none', (given) => expect(words(given)).toMatchObject({ tone: 'well', troubles: [] }))

describe('what keeps lines from flowing', () => {
  test.each([
    [{ cause: 'server_unreachable' }, 'bad'],
    [{ cause: 'target' }, 'bad'],
    [{ cause: 'state_disk' }, 'bad'],
    // They may pass by themselves: in the way of all reading, or for long, they are more than that.
    [{ cause: 'server_slow' }, 'busy'],
    [{ cause: 'server_refusing', forSeconds: 299 }, 'busy'],
    [{ cause: 'server_refusing', forSeconds: 300 }, 'bad'],
    [{ cause: 'stalled', state: 'full' }, 'bad'],
    // A backlog is worked off.
    [{ cause: 'one_core', state: 'full', forSeconds: 9_000 }, 'busy'],
  ] as const)('%o is %s', (given, tone) => expect(words(slowed(given))).toMatchObject({ tone }))

  test('a server that is away is trouble before anything waits for it, and one trouble when it does', () => {
    const { troubles, isHealthBad } = words({ health: 'unreachable' })
    expect(troubles).toMatchObject([
      { tone: 'bad', title: 'Elasticsearch cannot be reached', alert: 'RemoraUnreachable' },
    ])
    expect(isHealthBad).toBe(true)
    const told = words({ health: 'unreachable', healthDetail: 'ECONNREFUSED' }).troubles[0]
    expect(told).toMatchObject({ detail: 'ECONNREFUSED', wayOut: expect.stringContaining('nothing is given up') })
    expect(words({ health: 'unreachable', ...slowed({ cause: 'server_unreachable' }) }).troubles).toHaveLength(1)
    expect(words({ health: 'holding' })).toMatchObject({ tone: 'bad', troubles: [{ alert: 'RemoraHolding' }] })
  })

  test('that a request is put off now and then is how its capacity is found', () => {
    expect(words({ health: 'overloaded' })).toMatchObject({ tone: 'well', isHealthBad: false })
    expect(words({ health: 'overloaded', ...slowed({ cause: 'server_refusing' }) }).isHealthBad).toBe(true)
  })
})

test('the worst comes first, and what memory pressure is told as is told once', () => {
  const { troubles, tone } = words({ letters: 1, gaps: 1, denied: [denied], ...slowed({ cause: 'server_slow' }) })
  expect(tone).toBe('bad')
  expect(troubles.map((each) => each.tone)).toEqual(['bad', 'busy', 'busy', 'busy'])
  expect(words({ slots: 3, ...slowed({ cause: 'memory_pressure' }) }).troubles).toHaveLength(1)
})

test('each names an alert that there is, and that operations.md explains', () => {
  const alerts = new Set(readAlertGroups().flatMap(({ rules }) => rules.map(({ alert }) => alert)))
  const operations = fs.readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
  const ofCauses = causes
    .filter((cause) => cause !== 'none')
    .map((cause) => words(slowed({ cause })).troubles[0]!.alert)
  const named = [...ofCauses, ...cases.map(([, , alert]) => alert)].filter((alert) => alert !== '')
  for (const alert of named) {
    expect(alerts).toContain(alert)
    expect(operations).toContain(`### ${alert}\n`)
  }
  expect(new Set(ofCauses).size).toBe(causes.length - 1)
})
