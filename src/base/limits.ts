import { assert } from './errors.ts'

/**
 * A limit on everything, in one place. What a user may choose is a setting (`config/`); these are the rest, and the
 * relations between them are asserted when the program starts.
 */
export const limits = {
  /** One turn of one file: read and encoded without looking at anything else. Fits a core's second-level cache. */
  quantumBytes: 256 * 1024,
  /** Bytes before the read position that are compared at each read: other bytes there mean another content. */
  guardBytes: 256,
  /** A fingerprint is the hash of the first complete line, of this many bytes at most. */
  fingerprintBytesMax: 1024,
  /** What a document may cost beyond its message: action, id, fixed fields, and a path of 4,096 bytes that JSON makes six times as long. */
  documentOverheadBytesMax: 96 * 1024,
  /** Documents of one bulk request: bounds its answer. */
  batchDocumentsMax: 16_384,
  /** Bytes of one bulk answer, for each document and in all; what is longer is not an answer to this request. */
  answerBytesPerDocument: 512,
  answerBytesBase: 64 * 1024,
  /** Directories below the roots, and entries looked at in one of them. */
  directoryDepthMax: 32,
  directoriesMax: 10_000,
  directoryEntriesMax: 100_000,
  /** With more entries, those whose name tells nothing are not looked at. */
  directoryCrowd: 1_000,
  /** Directories under a watch at once, at 60 KiB each; further ones are looked at on a timer. */
  watchesMax: 128,
  /** Descriptors that tailing may hold; idle files give theirs back first. */
  openFilesMax: 512,
  /** Modification times are as coarse as the kernel's tick: a change in the same tick as the look does not show. */
  tickMs: 20,
  /** A busy file is looked at in this interval; doubled while nothing comes, up to the second one. */
  pollIntervalMinMs: 20,
  pollIntervalMaxMs: 320,
  /** A directory without a change for so long is left to the watch. */
  directoryQuietMs: 2_000,
  /** A quiet directory that cannot be watched is looked at in this interval. */
  unwatchedIntervalMs: 1_000,
  /** A file that could not be read is tried again after this time. */
  readRetryMs: 1_000,
  /** A rotated or deleted file without a new byte for so long has ended: its last line needs no newline. */
  endedQuietMs: 5_000,
  /** A deleted file without a new byte for so long is closed, which frees its space. */
  deletedHoldMs: 30_000,
  /** A file that was moved out of sight is held for so long without a new byte. */
  unseenHoldMs: 600_000,
  /** A file with the bytes of a live one is no copy unless the live one is truncated within this time. */
  copyDoubtMs: 10_000,
  /** Bytes read in one go before the loop turns: probes, signals and answers get their turn. */
  fillBytesMax: 8 * 1024 * 1024,
  /** Times that a drain which has shipped everything looks for what was written meanwhile. */
  drainLooksMax: 20,
  /** An idle connection takes a batch that is this old. */
  idleLingerMs: 10,
  checkpointIntervalMs: 1_000,
  /** Left of the shutdown grace for the last checkpoint and message. */
  shutdownReserveMs: 1_000,
  retryBaseMs: 250,
  /** No answer: a connection attempt in ten seconds from each of two hundred sidecars is no load. */
  retryCapMs: 10_000,
  /** 429 and 5xx: the server has said that it has too much to do. */
  overloadCapMs: 30_000,
  /** Between two looks at whether a target that holds everything has been mended. */
  holdBaseMs: 1_000,
  holdCapMs: 15_000,
  /** Own messages that wait for somebody to read stdout. */
  logBytesMax: 1024 * 1024,
  /** Distinct warnings that are remembered as said. */
  warningsMax: 4_096,
} as const

assert(limits.pollIntervalMinMs <= limits.pollIntervalMaxMs, 'poll intervals')
assert(limits.pollIntervalMaxMs < limits.directoryQuietMs, 'a directory is polled before it counts as quiet')
assert(limits.fingerprintBytesMax + limits.guardBytes < limits.quantumBytes, 'a read holds guard and fingerprint')
assert(limits.endedQuietMs <= limits.deletedHoldMs, 'a last line is shipped before its file is closed')
assert(
  limits.retryBaseMs <= limits.retryCapMs &&
    limits.retryCapMs <= limits.overloadCapMs &&
    limits.holdBaseMs <= limits.holdCapMs,
  'back-off grows',
)
