import type { Figures } from '../../src/admin/metrics.ts'

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
  health: 'holding',
  rotations: { renamed: 123, truncated: 124 },
}
