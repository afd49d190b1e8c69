import { expect, test } from 'vitest'
import { runFound, type Found } from './found.ts'

/** Schedules in which one content was taken for another, or for the same as before. Random search has found them, and shrunk them. */
test.each<Found>([
  [
    'a rotated file was packed and kept, and written to late',
    { seed: 500019, hints: 'all', births: 'none', travelMs: 300, slots: 3, concurrency: 3, archives: true },
    [
      { do: 'append', file: 1, lines: 1, bytes: 8 },
      { do: 'rotate', file: 1, keep: 3, create: false },
      { do: 'compress', file: 1, number: 1, keep: true },
      { do: 'late', file: 1, lines: 3 },
    ],
  ],
  [
    'cut to a part while nobody looked, and copied: shorter than what was read, and not the same',
    { seed: 532254, crlf: true, scanIntervalMs: 30000, travelMs: 300, concurrency: 1 },
    [
      { do: 'append', file: 0, lines: 80, bytes: 8 },
      { do: 'append', file: 0, lines: 1, bytes: 1499 },
      { do: 'wait', ms: 35000 },
      { do: 'append', file: 1, lines: 80, bytes: 1499 },
      { do: 'truncate', file: 0, share: 0.1, during: 49 },
      { do: 'crash' },
      { do: 'start' },
      { do: 'append', file: 0, lines: 1, bytes: 1500 },
      { do: 'copytruncate', file: 0, keep: 1, gap: 0 },
    ],
  ],
  [
    'all files begin with the same line, which has a number in it: none is a copy for that',
    {
      seed: 600157,
      banner: true,
      scanIntervalMs: 30000,
      travelMs: 0,
      batchBytes: 40000,
      slots: 3,
      concurrency: 3,
      wide: true,
      numbered: true,
      lossy: true,
    },
    [
      { do: 'append', file: 0, lines: 1, bytes: 1501 },
      { do: 'wait', ms: 3000 },
      { do: 'rotate', file: 0, keep: 3, create: false },
      { do: 'wait', ms: 8000 },
      { do: 'delete', file: 0, create: true },
      { do: 'rotate', file: 0, keep: 2, create: false, times: 3 },
    ],
  ],
  [
    'a power cut before the line was sent that a file is named after, refilled with the same banner, and copied',
    { seed: 510069, banner: true, hints: 'wild', batchBytes: 40000, slots: 3, concurrency: 1, archives: true },
    [
      { do: 'append', file: 1, lines: 1, bytes: 8, during: 7 },
      { do: 'stop' },
      { do: 'rollover' },
      { do: 'start' },
      { do: 'truncate', file: 1 },
      { do: 'append', file: 1, lines: 1, bytes: 8 },
      { do: 'wait', ms: 100 },
      { do: 'powerCut' },
      { do: 'start' },
      { do: 'copytruncate', file: 1, keep: 3, gap: 0 },
    ],
  ],
  [
    'a banner, a line that is longer than what is looked at for a name, and rotated: another name after the restart',
    { seed: 610592, banner: true, hints: 'all', batchBytes: 40000, slots: 3, concurrency: 3 },
    [
      { do: 'stop' },
      { do: 'piece', file: 0, bytes: 300 },
      { do: 'append', file: 0, lines: 80, bytes: 4000 },
      { do: 'start' },
      { do: 'powerCut', during: 38 },
      { do: 'wait', ms: 10 },
      { do: 'rotate', file: 0, keep: 3, create: true },
      { do: 'disk', mode: 'slow' },
      { do: 'start' },
    ],
  ],
  [
    'refilled with the same banner behind a copy, when nothing but the banner was shipped',
    { seed: 620104, banner: true, travelMs: 0, slots: 3, concurrency: 3 },
    [
      { do: 'append', file: 1, lines: 1, bytes: 8 },
      { do: 'append', file: 0, lines: 1, bytes: 8 },
      { do: 'rotate', file: 0, keep: 2, create: true },
      { do: 'server', mode: 'hold' },
      { do: 'wait', ms: 400 },
      { do: 'copytruncate', file: 1, keep: 1, gap: 0 },
      { do: 'append', file: 1, lines: 1, bytes: 8 },
    ],
  ],
  [
    'refilled past the offset without a newline behind it, before the rest had a name',
    { seed: 630040, hints: 'none', batchBytes: 40000, slots: 3, concurrency: 1, archives: true, lossy: true },
    [
      { do: 'append', file: 1, lines: 1, bytes: 1490 },
      { do: 'wait', ms: 35000 },
      { do: 'append', file: 1, lines: 1, bytes: 8 },
      { do: 'refill', file: 1, bytes: 40, same: true },
    ],
  ],
  [
    'a copy that was still being made, of a file whose first line is long, was finished just when the file was refilled',
    { seed: 641186, hints: 'all', travelMs: 0, concurrency: 3, archives: true, numbered: true },
    [
      { do: 'append', file: 0, lines: 80, bytes: 4000 },
      { do: 'copy', file: 0, keep: 1 },
      { do: 'wait', ms: 400 },
      { do: 'refill', file: 0, bytes: 300, same: false },
    ],
  ],
])('%s', async (_what, conditions, actions) => {
  expect(await runFound(conditions, actions)).toEqual([])
})
