import { describe, expect, test } from 'vitest'
import type { FileRow } from '../../src/admin/page/file-row.ts'
import { fileList, worst, type FileSources } from '../../src/agent/file-list.ts'
import { limits } from '../../src/base/limits.ts'
import { Account } from '../../src/settle/ledger.ts'
import { fileRow } from '../admin/page/status.ts'

interface Known {
  readonly path: string
  readonly offset?: number
  readonly sizeBytes?: number
  readonly finished?: boolean
  readonly caughtUpAtMs?: number
  readonly shipped?: number
  readonly failed?: boolean
}

const nowMs = 60_000

const account = (given: Partial<Account>) => Object.assign(new Account(), given)

/** What a registry and a ledger say of some files. */
function sourcesOf({
  lives = [],
  accounts = {},
  others = {},
  unopened = [],
  waiting = [],
}: {
  lives?: readonly Known[]
  accounts?: Readonly<Record<string, Partial<Account>>>
  others?: Partial<Account>
  unopened?: readonly { path: string; bytes: number; reason: string }[]
  waiting?: readonly { path: string; offset: number; sizeBytes: number; finished: boolean }[]
}): FileSources {
  const generations = lives.map(
    ({ path, offset = 0, sizeBytes = offset, finished = false, caughtUpAtMs = nowMs, shipped, failed = false }) => ({
      path,
      offset,
      sizeBytes,
      finished,
      caughtUpAtMs,
      shipped,
      failed,
      unreadBytes: sizeBytes - offset,
      unsearched: !finished && sizeBytes > offset,
    }),
  )
  return {
    registry: { generations: new Set(generations), waiting, unopened },
    ledger: {
      files: new Map(Object.entries(accounts).map(([path, given]) => [path, account(given)])),
      others: account(others),
    },
    frontiers: { markOf: ({ shipped }: Known) => (shipped === undefined ? undefined : { offset: shipped }) },
  } as unknown as FileSources
}

const listOf = (given: Parameters<typeof sourcesOf>[0], find = '') => fileList(sourcesOf(given), nowMs, find)

describe('what is told of a file', () => {
  test('how far it is read and shipped, what is left, and since when', () => {
    const lives = [{ path: '/a.log', offset: 70, sizeBytes: 100, shipped: 50, caughtUpAtMs: 48_000 }]
    const { rows } = listOf({ lives, accounts: { '/a.log': { readLines: 7, heldLines: 2, acknowledgedLines: 5 } } })
    expect(rows).toEqual([
      expect.objectContaining({
        path: '/a.log',
        lives: 1,
        offsetBytes: 70,
        shippedBytes: 50,
        sizeBytes: 100,
        unreadBytes: 30,
        lagSeconds: 12,
        readLines: 7,
        heldLines: 2,
        acknowledgedLines: 5,
      }),
    ])
  })

  test('several lives of one name: what is left of all, and the place of the newest', () => {
    const lives = [
      { path: '/a.log', offset: 10, sizeBytes: 40, caughtUpAtMs: 50_000 },
      { path: '/a.log', offset: 500, sizeBytes: 500, finished: true },
      { path: '/a.log', offset: 5, sizeBytes: 7, caughtUpAtMs: 59_000 },
    ]
    expect(listOf({ lives }).rows).toEqual([
      expect.objectContaining({
        lives: 2,
        unreadBytes: 32,
        lagSeconds: 10,
        offsetBytes: 5,
        shippedBytes: 5,
        sizeBytes: 7,
      }),
    ])
  })

  test('one that could not be opened, and one that is gone, are told of', () => {
    const given = {
      unopened: [{ path: '/x', bytes: 9, reason: '' }],
      accounts: { '/gone': { readLines: 3 } },
      others: { readLines: 4 },
    }
    expect(listOf(given).rows.map(({ path, unreadBytes, readLines }) => [path, unreadBytes, readLines])).toEqual([
      ['/x', 9, 0],
      [undefined, 0, 4],
      ['/gone', 0, 3],
    ])
  })
})

test('one that cannot be read says why, as long as something is left of it', () => {
  const given = {
    lives: [
      { path: '/bad', sizeBytes: 5, failed: true },
      { path: '/done', finished: true, failed: true },
      { path: '/good', sizeBytes: 4 },
    ],
    unopened: [
      { path: '/secret', bytes: 9, reason: 'EACCES' },
      { path: '/gone', bytes: 8, reason: '' },
    ],
    waiting: [
      { path: '/later', offset: 1, sizeBytes: 2, finished: false },
      { path: '/over', offset: 1, sizeBytes: 1, finished: true },
    ],
  }
  expect(Object.fromEntries(listOf(given).rows.map(({ path, unreadable }) => [path, unreadable]))).toEqual({
    '/bad': 'READ_FAILED',
    '/done': '',
    '/good': '',
    '/secret': 'EACCES',
    '/gone': '',
    '/later': 'NOT_REOPENED',
    '/over': '',
  })
})

describe('what is looked for', () => {
  const lives = ['/var/Orders.log', '/var/billing.log', '/var/a\nb.log'].map((path) => ({ path }))

  test.each([
    ['orders', ['/var/Orders.log']],
    ['.LOG', lives.map(({ path }) => path)],
    // As it is shown.
    ['a\\u{a}b', ['/var/a\nb.log']],
    ['.*', []],
    ['nothing', []],
  ])('%j', (find, paths) => {
    const found = listOf({ lives, others: { readLines: 1 } }, find)
    expect(found.rows.map(({ path }) => path)).toEqual(paths)
    expect(found).toMatchObject({ find, matching: paths.length, known: 4 })
  })
})

const row = (given: Partial<FileRow>): FileRow => ({
  ...fileRow('/x'),
  unreadBytes: 0,
  heldLines: 0,
  readLines: 0,
  lostLines: 0,
  deadLetteredLines: 0,
  gapBytes: 0,
  droppedBytes: 0,
  ...given,
})
const pathsOf = (rows: readonly FileRow[]) => rows.map(({ path }) => path)

describe('the worst first', () => {
  test('unread bytes, what went wrong, what is held, what was read', () => {
    const rows = [row({ path: '/quiet' }), row({ path: '/read', readLines: 1 }), row({ path: '/held', heldLines: 1 })]
    const worse = [row({ path: '/lost', lostLines: 1 }), row({ path: '/lags', unreadBytes: 1 })]
    expect(pathsOf(worst([...rows, ...worse], 10))).toEqual(['/lags', '/lost', '/held', '/read', '/quiet'])
  })

  test('no more than a bound; and where all of them lag, the worst of those that went wrong still have a place', () => {
    const lagging = Array.from({ length: 50 }, (_, at) => row({ path: `/${at}`, unreadBytes: 1_000 - at }))
    const wrong = Array.from({ length: 9 }, (_, at) => row({ path: `/wrong${at}`, deadLetteredLines: at + 1 }))
    const shown = pathsOf(worst([...wrong, ...lagging], 8))
    expect(shown).toEqual(['/0', '/1', '/2', '/3', '/4', '/5', '/wrong8', '/wrong7'])
  })

  test('however many there are, the list is bounded', () => {
    const lives = Array.from({ length: 3_000 }, (_, at) => ({ path: `/${at}.log`, sizeBytes: at }))
    const { rows, matching } = listOf({ lives })
    expect([rows.length, matching, rows[0]!.path]).toEqual([limits.statusFilesMax, 3_000, '/2999.log'])
  })
})
