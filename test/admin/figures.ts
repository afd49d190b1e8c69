import type { Figures } from '../../src/admin/figures.ts'

/** Each figure another, so that none can be taken for another. */
export const figures: Figures = {
  readLines: 101,
  readBytes: 102,
  acknowledgedLines: 103,
  duplicateLines: 104,
  deadLetteredLines: 105,
  lostLines: 106,
  heldLines: 107,
  cutLines: 108,
  skippedBytes: 127,
  gapBytes: 109,
  gaps: 110,
  unreadBytes: 111,
  files: 112,
  openFiles: 113,
  directories: 114,
  slots: 115,
  slotsTaken: 116,
  requestsUnderWay: 117,
  memoryInUseBytes: 118,
  memoryLimitBytes: 119,
  arenaBytes: 120,
  checkpointAgeSeconds: 121.5,
  checkpointFailures: 122,
  possiblyDuplicatedLines: 125,
  filteredLines: 126,
  letters: 128,
  letterBytes: 129,
  expiredLetters: 130,
  expiredEarlierLetters: 131,
  movedLetters: 132,
  phase: 'shipping',
  health: 'holding',
  healthDetail: 'the server answers 403',
  events: [
    { kind: 'renamed', why: 'a', count: 123 },
    { kind: 'truncated', why: 'b', count: 124 },
  ],
  byFile: [],
}

/** A file with figures of its own. */
export function fileFigures(path: string | undefined, first = 0): Figures['byFile'][number] {
  return {
    path,
    readLines: first + 1,
    readBytes: first + 2,
    acknowledgedLines: first + 3,
    duplicateLines: first + 4,
    possiblyDuplicatedLines: first + 5,
    filteredLines: first + 6,
    deadLetteredLines: first + 7,
    lostLines: first + 8,
    heldLines: first + 9,
    cutLines: first + 10,
    skippedBytes: first + 14,
    gapBytes: first + 11,
    gaps: first + 12,
    unreadBytes: first + 13,
  }
}
