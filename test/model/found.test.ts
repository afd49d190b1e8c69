import { expect, test } from 'vitest'
import { runFound, type Found } from './found.ts'
import type { Action } from './schedule.ts'

const line = (file = 0): Action => ({ do: 'append', file, lines: 1, bytes: 8 })
const wait = (ms: number): Action => ({ do: 'wait', ms })
const copyTruncate = (keep = 2, during?: number): Action => ({
  do: 'copytruncate',
  file: 0,
  keep,
  gap: 0,
  ...(during !== undefined && { during }),
})
const rotate = (keep: number, create: boolean, during?: number): Action => ({
  do: 'rotate',
  file: 0,
  keep,
  create,
  ...(during !== undefined && { during }),
})

/** Schedules that random search has found, and shrunk: each broke a promise once. */
test.each<Found>([
  ['the listing that shows the truncation forgot what was replaced', {}, [line(), wait(1_000), copyTruncate()]],
  [
    'a crash before the first checkpoint, copied and truncated before the next start',
    {},
    [line(), { do: 'crash', during: 30 }, wait(1_000), copyTruncate()],
  ],
  [
    'the copy was looked at before the file that it is of',
    {},
    [line(), wait(1_000), { do: 'stop' }, copyTruncate(), { do: 'start' }, copyTruncate()],
  ],
  [
    'half a line, emptied, and refilled with less than was searched',
    { seed: 84 },
    [{ do: 'piece', file: 0, bytes: 1_200 }, wait(400), { do: 'truncate', file: 0 }, line()],
  ],
  ['refilled to the same size', { seed: 28 }, [line(), wait(1_000), copyTruncate(3), line()]],
  [
    'refilled to the same size, half a line at the end',
    { banner: true, hints: 'none', seed: 401_524 },
    [
      line(),
      { do: 'piece', file: 0, bytes: 8 },
      wait(1_000),
      { do: 'truncate', file: 0 },
      line(),
      { do: 'piece', file: 0, bytes: 8 },
    ],
  ],
  [
    'a life without a line was not remembered, and the next got its ids',
    { banner: true, seed: 194, travelMs: 300 },
    [line(), wait(1_000), copyTruncate(), wait(400), { do: 'stop' }, line()],
  ],
  [
    'renamed while the first look after a restart was taken',
    { seed: 495, slots: 1, hints: 'none' },
    [line(), line(2), wait(1_000), rotate(3, true, 39), copyTruncate(3), { do: 'stop' }, { do: 'start' }],
  ],
  [
    'renamed while a finished file was looked for',
    { seed: 1_917, hints: 'none' },
    [
      { do: 'piece', file: 0, bytes: 8 },
      rotate(1, false),
      { do: 'late', file: 0, lines: 3 },
      wait(105_000),
      copyTruncate(3, 4),
      wait(3_000),
      line(),
      wait(3_000),
    ],
  ],
  [
    'two copies with the beginning of one lost life',
    { banner: true, seed: 2_364 },
    [{ do: 'server', mode: 'lost' }, line(), { do: 'stop' }, copyTruncate(3), line(), copyTruncate()],
  ],
  [
    'a copy while it is made, beside a file without a fingerprint yet',
    { seed: 67, hints: 'all' },
    [
      { do: 'append', file: 0, lines: 80, bytes: 8 },
      { do: 'copy', file: 0, keep: 2 },
    ],
  ],
  [
    'copied, and the file deleted: the copy was forgotten with it',
    { seed: 115 },
    [
      line(),
      line(),
      wait(1_000),
      { do: 'copy', file: 0, keep: 1 },
      wait(1_000),
      { do: 'delete', file: 0, create: false },
    ],
  ],
  [
    'copied, and the inode given to another file',
    { seed: 51_157 },
    [line(), { do: 'copy', file: 0, keep: 3 }, wait(35_000), rotate(2, true), line(1), rotate(1, true)],
  ],
  [
    'truncated while the copy was compared',
    { seed: 20_806, hints: 'all' },
    [
      { do: 'copytruncate', file: 2, keep: 3, gap: 0, during: 39 },
      { do: 'append', file: 0, lines: 3, bytes: 8 },
      wait(400),
      { do: 'copy', file: 0, keep: 3 },
      wait(100),
    ],
  ],
  [
    'what was taken for a copy is written to again',
    { seed: 23_148, hints: 'all' },
    [
      line(),
      { do: 'copy', file: 0, keep: 3 },
      rotate(2, true),
      wait(1_000),
      { do: 'copied', gap: 2 },
      { do: 'late', file: 0, lines: 2 },
    ],
  ],
  [
    'a copy of what was never read, with the beginning of what came next',
    { banner: true, seed: 301_089, slots: 1 },
    [
      { do: 'server', mode: 'failed' },
      rotate(3, true),
      { do: 'append', file: 0, lines: 3, bytes: 40 },
      { do: 'copy', file: 0, keep: 3 },
      wait(1_000),
      copyTruncate(1),
      { do: 'append', file: 0, lines: 1, bytes: 4_000 },
    ],
  ],
  [
    'nothing can be read for a while after a restart',
    { seed: 139, hints: 'none', travelMs: 300 },
    [line(), wait(35_000), { do: 'disk', mode: 'reads' }, { do: 'crash' }, { do: 'start' }, wait(35_000)],
  ],
  [
    'deleted and held with no descriptor left to list by, at the stop',
    { seed: 31_500, hints: 'none' },
    [
      { do: 'piece', file: 0, bytes: 1_200 },
      { do: 'disk', mode: 'opens' },
      wait(8_000),
      line(),
      { do: 'delete', file: 0, create: false },
      { do: 'stop' },
    ],
  ],
  [
    'truncated before all was read, noticed by the turn: no gap was reported',
    { banner: true, hints: 'some', births: 'coarse', scanIntervalMs: 30_000, travelMs: 300, slots: 1, seed: 141 },
    [
      { do: 'powerCut' },
      { do: 'append', file: 0, lines: 80, bytes: 1_500 },
      { do: 'start' },
      { do: 'truncate', file: 0 },
    ],
  ],
  [
    'truncated while its lines waited for an answer: forgotten after five seconds, and lost at the stop',
    { seed: 537, births: 'coarse', scanIntervalMs: 30_000, travelMs: 0, slots: 3, concurrency: 3 },
    [
      { do: 'append', file: 0, lines: 20, bytes: 8 },
      { do: 'server', mode: 'half' },
      { do: 'truncate', file: 0, during: 24 },
      { do: 'stop' },
    ],
  ],
  [
    'cut shorter, behind what was read: no gap was reported',
    { seed: 455, banner: true, hints: 'none', scanIntervalMs: 30_000, concurrency: 1 },
    [
      { do: 'append', file: 1, lines: 80, bytes: 1_490 },
      { do: 'powerCut' },
      { do: 'start' },
      { do: 'truncate', file: 1, share: 0.9 },
    ],
  ],
  [
    'refilled past the offset: a gap was reported, and nothing was missing',
    { seed: 625, hints: 'none', births: 'coarse', scanIntervalMs: 30_000, concurrency: 3 },
    [line(), wait(1_000), { do: 'truncate', file: 0, share: 0.9 }, line()],
  ],
  [
    'emptied behind its copy and refilled a little: a gap was reported, and nothing was missing',
    { seed: 166, births: 'coarse', travelMs: 0, batchBytes: 40_000, slots: 3, concurrency: 1 },
    [
      { do: 'stop' },
      line(),
      { do: 'start' },
      { do: 'piece', file: 0, bytes: 1_200 },
      wait(100),
      { do: 'copytruncate', file: 0, keep: 3, gap: 5 },
      { do: 'append', file: 0, lines: 1, bytes: 300 },
    ],
  ],
  [
    'births are not known, and the number of a file that is gone was given to another one while Remora was down',
    { seed: 18, hints: 'none', births: 'none', scanIntervalMs: 30_000, travelMs: 0, batchBytes: 40_000, slots: 3 },
    [line(), { do: 'stop' }, { do: 'atomic', file: 0, lines: 2 }, { do: 'atomic', file: 1, lines: 2 }],
  ],
  [
    'births are not known, and the number of an empty file that is gone was given to another one',
    { seed: 89, crlf: true, hints: 'all', births: 'none', travelMs: 0, batchBytes: 40_000, slots: 3, concurrency: 3 },
    [
      { do: 'delete', file: 1, create: true },
      wait(1_100),
      { do: 'delete', file: 1, create: true },
      { do: 'crash' },
      { do: 'piece', file: 0, bytes: 1_200 },
    ],
  ],
  [
    'births are not known, and the number of a finished file was given to another one while nobody held it open',
    { seed: 2_949, hints: 'all', births: 'none', scanIntervalMs: 30_000, travelMs: 300, batchBytes: 40_000 },
    [
      wait(8_000),
      line(),
      { do: 'rotate', file: 0, keep: 3, create: true, times: 3 },
      { do: 'piece', file: 2, bytes: 2_500 },
      { do: 'rotate', file: 0, keep: 2, create: true, times: 2 },
      wait(35_000),
      { do: 'rotate', file: 0, keep: 3, create: true, times: 2 },
      { do: 'rotate', file: 2, keep: 2, create: false, times: 3 },
    ],
  ],
  [
    'a read brought less than the bytes before the offset: taken for another content',
    { seed: 177, births: 'coarse', slots: 4, concurrency: 1 },
    [
      { do: 'disk', mode: 'short' },
      { do: 'append', file: 1, lines: 80, bytes: 4_000 },
      { do: 'rotate', file: 1, keep: 3, create: false, times: 3 },
      wait(1_000),
    ],
  ],
  [
    'sent, then a crash, a truncation behind a copy, and a rollover: stored in two indices',
    { seed: 862, hints: 'wild', births: 'none', slots: 1, concurrency: 3 },
    [
      { do: 'stop' },
      { do: 'append', file: 2, lines: 1, bytes: 4_000 },
      { do: 'start' },
      wait(10),
      { do: 'copytruncate', file: 2, keep: 2, gap: 0 },
      { do: 'crash' },
      { do: 'rollover' },
    ],
  ],
  [
    'rotated away before anybody looked, and read before an older one that had lost its name',
    { seed: 3, travelMs: 0, batchBytes: 40_000, slots: 4 },
    [
      { do: 'crash', during: 42 },
      { do: 'append', file: 0, lines: 80, bytes: 8 },
      { do: 'append', file: 1, lines: 80, bytes: 1_500, during: 29 },
      { do: 'server', mode: 'mixed' },
      { do: 'stop' },
      { do: 'start' },
      { do: 'rotate', file: 1, keep: 1, create: false, times: 2 },
      { do: 'stop' },
    ],
  ],
])('%s', async (_what, conditions, actions) => {
  expect(await runFound(conditions, actions)).toEqual([])
})
