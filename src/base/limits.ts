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
  /** NUL bytes at a line's start from which on they are a hole, not text: the smallest block of a disk. In the kernel too. */
  holeBytesMin: 512,
  /** Places behind the read position whose guards are remembered, for a copy that ends between them. */
  marksMax: 8,
  /** A fingerprint is the hash of the first complete line, of this many bytes at most. */
  fingerprintBytesMax: 1024,
  /** Of this many first bytes the line is looked for that tells a content from others. */
  headBytesMax: 4096,
  /** A first line that may count waits so long for the second one: only both tell. Emptied meanwhile, it would be gone. */
  countPatienceMs: 100,
  /** Names that are tried for a generation; when all seem to be taken, the last is used. */
  nameTriesMax: 1_000,
  /** What a document may cost beyond its message: action, id, fixed fields, and a path of 4,096 bytes that JSON makes six times as long. */
  documentOverheadBytesMax: 96 * 1024,
  /** Documents of one bulk request: bounds its answer. */
  batchDocumentsMax: 16_384,
  /** Turns of different files in one batch: what is remembered of each until its verdict is half a KiB, beside the arena. */
  batchSpansMax: 1_024,
  /** Bytes of one bulk answer, for each document and in all; what is longer is not an answer to this request. */
  answerBytesPerDocument: 512,
  answerBytesBase: 64 * 1024,
  /** Refused documents of one request that are asked for their reason, each by itself; of an answer what is read, and of a reason what is kept. */
  refusalReasonsMax: 32,
  reasonAnswerBytesMax: 64 * 1024,
  reasonCharactersMax: 1024,
  /** A document that is too large (413) by itself is given up at once from this size on; a smaller one when it was told so often. */
  tooLargeBytesMin: 64 * 1024,
  tooLargeTimes: 3,
  /** A document that is put off by itself while so many others pass, so many times and for so long, never passes. */
  overtakenMin: 10,
  overtakenPatienceMs: 60_000,
  /** Directories below the roots, and entries looked at in one of them. */
  directoryDepthMax: 32,
  directoriesMax: 10_000,
  directoryEntriesMax: 100_000,
  /** Places in a file's name where rotation may have begun to append. A stranger names files as it likes. */
  suffixesMax: 12,
  /** With more entries, those whose name tells nothing are not looked at. */
  directoryCrowd: 1_000,
  /** The same for so many such files in all directories together. */
  strangersMax: 5_000,
  /** Directories under a watch at once, at 60 KiB each; further ones are looked at on a timer. */
  watchesMax: 128,
  /** Descriptors that tailing may hold, where the process may open so many; idle files give theirs back first. */
  openFilesMax: 2_048,
  /** Of what the process may open, kept for sockets, the state, probes, watches and Node itself; half of it where that is less. */
  descriptorsReserve: 64,
  /** Modification times are as coarse as the kernel's tick: a change in the same tick as the look does not show. */
  tickMs: 20,
  /**
   * A busy file is looked at in this interval; doubled while nothing comes, up to the second one. Each look that finds
   * something is a request: 25 in a second are 4 to 5 % of a core, and a line waits 40 ms at most.
   */
  pollIntervalMinMs: 40,
  pollIntervalMaxMs: 320,
  /**
   * Events of a directory that grows, or looks that find it grown without one, each worth half after the time, and as many
   * more for each so many entries: with more than this it is busy. Twenty a second are, ten are not.
   */
  growthBusy: 14,
  growthHalfLifeMs: 500,
  growthEntries: 32,
  /** A directory without a change for so long is left to the watch. */
  directoryQuietMs: 2_000,
  /** A quiet directory that is not watched is looked at in this interval at the shortest. */
  unwatchedIntervalMs: 1_000,
  /**
   * What is quiet and not watched is looked at after this share of the time that it was quiet, and all of it together so many
   * times a second; but each after the last of these at the latest.
   */
  idlePollShare: 8,
  idlePollsPerSecond: 1_000,
  idlePollMaxMs: 10_000,
  /** All files are gone through in this interval at the most; in between those only whose time comes before. */
  sweepIntervalMs: 1_000,
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
  /** Files that are remembered although they could not be opened: when one is gone, somebody is told. */
  unopenedFilesMax: 2_048,
  /** A file that has the name of another one is read after so many further looks: one listing may miss what is renamed. */
  elderLooks: 2,
  /** It waits no longer than this, whatever is looked at. */
  elderWaitMs: 1_000,
  /** Of files that were deleted to make room, archives are looked for everywhere so much later: once for all of that time. */
  removalsSearchMs: 2_000,
  /** An archive without a write for so long is complete. */
  archiveQuietMs: 2_000,
  /** One that ends in the middle may still be written, by a compressor that works in large pieces. */
  archiveCutQuietMs: 60_000,
  /** One that was not is looked at again after this time. */
  archiveRetryMs: 500,
  /** Of a compressed file: what is read of it at once, and what is unpacked at once. */
  unpackInputBytes: 64 * 1024,
  unpackChunkBytes: 64 * 1024,
  /** A power of two: what zstd may look back. `zstd -19` takes so much. */
  unpackWindowBytesMax: 8 * 1024 * 1024,
  /** Frames in a row without content: they are passed in one go. */
  unpackSkippedMax: 1_000,
  /** Bytes read in one go before the loop turns: probes, signals and answers get their turn. */
  fillBytesMax: 8 * 1024 * 1024,
  /** The same in time, for many small files: a tenth of a core has so much in 100 ms, and a probe is answered within a second. */
  fillMsMax: 10,
  /** Steps of a look at files, 5 to 80 µs each, between two looks at the clock. */
  stepsUntimed: 32,
  /** A drain that waits for no quiet still takes what comes within so long: the last lines of an application that ends. */
  drainFollowMs: 1_000,
  /** Of the shutdown grace so much is kept for shipping, when files are followed until they are quiet. */
  drainReserveMs: 3_000,
  /** In a Pod a process that cannot start stays so long: a kubelet looks at its containers once a second, or somewhat later. */
  refusalStayMs: 3_000,
  /** Memory is looked at in this interval while a slot is taken, and in the second one while none is. */
  memoryIntervalMs: 500,
  memoryIdleIntervalMs: 5_000,
  /** What is given back shows after so long; and garbage is collected for want of memory so often at most. */
  pressureSettleMs: 1_000,
  pressureCollectMs: 5_000,
  /** Room for so long, and a slot is taken again; doubled when that was too soon; forgotten after the last one. */
  pressureCalmMinMs: 10_000,
  pressureCalmMaxMs: 600_000,
  pressureForgetMs: 1_800_000,
  /** Stalled for this share of so long is want of memory. */
  pressureStallWindowMs: 4_000,
  pressureStallShare: 0.25,
  /** A slot that nobody has needed for so long is given back. */
  slotIdleMs: 15_000,
  /**
   * A process without work for so long is rid of its garbage, when that may be so much, and so often at most. It takes 35 ms of
   * CPU with 16 MiB: a larger heap would keep a probe waiting for more than a second of a tenth of a core.
   */
  tidyQuietMs: 5_000,
  tidyBytesMin: 1024 * 1024,
  tidyHeapBytesMax: 28 * 1024 * 1024,
  tidyIntervalMs: 60_000,
  checkpointIntervalMs: 1_000,
  /** A large checkpoint is written less often: so many bytes a second, and at the latest after the second one. */
  checkpointBytesPerSecond: 1024 * 1024,
  checkpointIntervalMaxMs: 10_000,
  /** A checkpoint of more bytes or entries is neither written nor read: 10,000 files take 5 MB. */
  stateBytesMax: 64 * 1024 * 1024,
  stateGenerationsMax: 150_000,
  stateIndicesMax: 10_000,
  /** Of each file of the state so many are kept that could not be read. */
  setAsideMax: 20,
  /** The last millisecond of the year 9999, epoch milliseconds: no later time is taken for one. */
  wallMsMax: 253_402_300_799_999,
  /** Characters of a path in the state: the kernel knows no path of more bytes. */
  pathMax: 4_096,
  /** Another Remora that has written into the same state directory is gone when it was silent for so long. */
  stateYieldMs: 600_000,
  /** Left of the shutdown grace for the last checkpoint and message. */
  shutdownReserveMs: 1_000,
  /** Left of it for the last message alone: a checkpoint that a hanging disk does not take is given up. */
  shutdownMessageMs: 250,
  /** Files that the last message names. */
  leftFilesMax: 20,
  /** Files with an account of their own in the ledger, and of these the ones with metrics of their own. */
  ledgerFilesMax: 512,
  metricFilesMax: 100,
  /** One more name of a file may come to the metrics in this time, and in the place of one that was quiet for the second one. */
  metricFileIntervalMs: 864_000,
  metricFileQuietMs: 3_600_000,
  /** Files whose series have ended, and that go on from there when they come back. */
  metricFilesEndedMax: 400,
  /** Characters of a file's name in the metrics. */
  metricPathMax: 256,
  /** The status page: files in its table, characters of a path that it shows, and of a name that is looked for. */
  statusFilesMax: 100,
  statusPathMax: 256,
  statusFindMax: 200,
  /** It asks again so often, or less: its answers take one part in so many of the time at most. And it waits no longer for one. */
  statusPollMs: 2_000,
  statusPollMaxMs: 60_000,
  statusPollRest: 20,
  statusAnswerMaxMs: 15_000,
  /** What it keeps for its charts: half an hour, in the browser. */
  statusSamplesMax: 900,
  /** Warnings that it shows, and characters of each. */
  recentMax: 40,
  recentCharactersMax: 600,
  /** Reasons for which files may not be read that it shows, each with the way out. */
  deniedReasonsMax: 3,
  /** Kinds of events with their reasons that are counted apart. */
  reasonsMax: 64,
  /** Ids in one question whether documents are there already, and bytes of any answer about them. */
  lookupIdsMax: 2_048,
  lookupAnswerBytesMax: 4 * 1024 * 1024,
  /** A request that was not answered may still arrive for so long. */
  lookupArrivalMs: 5_000,
  /** Indices that are asked for one batch, the newest first. */
  lookupIndicesMax: 16,
  /** After a restart so many documents are looked for although no index was rolled over meanwhile. */
  lookupThoroughDocuments: 16_384,
  /** Questions that fail although documents get through, before they are given up, and after how long; that a shard fails; any. */
  lookupTriesMax: 3,
  lookupPatienceMs: 60_000,
  lookupTriesUnready: 30,
  lookupTriesLast: 1_000,
  /** The indices behind the target are asked for again in this interval, when documents get through. */
  indicesIntervalMs: 300_000,
  indicesRetryMs: 30_000,
  /** The same while there is no target. */
  indicesWantedMs: 1_000,
  /** Until a socket can carry a request: name, proxy and TLS included. */
  connectTimeoutMs: 10_000,
  /** An idle connection is closed after this time: load balancers forget theirs after 60 s or more, without a word. */
  idleSocketMs: 30_000,
  /** A node that failed is asked for a sign of life after this time; doubled up to the second one, while others serve. */
  nodeProbeBaseMs: 1_000,
  nodeProbeCapMs: 30_000,
  nodeProbeTimeoutMs: 5_000,
  /** Files with credentials and certificates are compared in this interval, and after a refusal, but not more often than the second one. */
  credentialsIntervalMs: 10_000,
  credentialsRetryMs: 1_000,
  /** What is encrypted of a body at once. */
  encryptBytes: 64 * 1024,
  /** What encrypting one body takes beside its slot: a slice, what has come of it, and OpenSSL's own. */
  encryptionBytes: 512 * 1024,
  /** What is copied out of a body at once in order to be compressed. */
  compressBytes: 64 * 1024,
  /** What compressing one body takes beside its slot: zlib's state (256 KiB), a slice in, and what has come out and is not sent or collected yet. */
  compressionBytes: 1024 * 1024,
  /** Bytes of one answer about a template, and failed attempts to put templates in place before documents are sent all the same. */
  setupAnswerBytesMax: 1024 * 1024,
  setupTriesMax: 10,
  retryBaseMs: 250,
  /** The server has taken a part of a request: the rest may follow soon. */
  progressBaseMs: 50,
  /** No answer: a connection attempt in ten seconds from each of two hundred sidecars is no load. */
  retryCapMs: 10_000,
  /** 429 and 5xx: the server has said that it has too much to do. */
  overloadCapMs: 30_000,
  /** Between two looks at whether a target that holds everything has been mended. */
  holdBaseMs: 1_000,
  holdCapMs: 15_000,
  /** Between two messages about the server's health; and how long it may ask for time before that is worth one. */
  troubleIntervalMs: 60_000,
  overloadUnsaidMs: 5_000,
  /** What backpressure is decided from: looked at in this interval while there is something to do, over this time. */
  backpressureIntervalMs: 1_000,
  backpressureWindowMs: 10_000,
  /** Another state or cause is believed when it was seen for so long. */
  backpressureBelieveMs: 3_000,
  /** A batch without a verdict for so long waits too long. */
  heldLongMs: 10_000,
  /** Of a dead letter: its reason, and all of its line. */
  letterReasonMax: 1024,
  letterBytesMax: 32 * 1024 * 1024,
  /** Dead letters lie in segments of this many bytes at most, which go as a whole; a larger letter has one of its own. */
  letterSegmentBytesMax: 8 * 1024 * 1024,
  letterSegmentsMax: 4_096,
  /** Of `REMORA_DEAD_LETTER_BYTES` so many segments are made at least. */
  letterSegmentsMin: 8,
  /** Of what an inspection counts, the values by name; and letters that it shows. */
  tallyMax: 50,
  letterExamplesMax: 10,
  /** Read of a segment at once; and read of all of them for one look at the metrics. */
  letterPieceBytes: 64 * 1024,
  letterCountBytesMax: 32 * 1024 * 1024,
  /** A letter that cannot be put down because its segment is taken away each time. */
  letterTriesMax: 8,
  /** What a replay that was killed has left half-written is removed after this time. */
  letterDraftMs: 600_000,
  /** One request of a replay. */
  replayBatchBytes: 1024 * 1024,
  replayBatchDocuments: 1_000,
  /** What it takes of memory beside what it has when it begins: the client, a batch and its text. Measured: 27 to 52 MiB. */
  replayMemoryBytes: 48 * 1024 * 1024,
  /** What `check` and `inspect` have in all: so much, and so often the bytes of the checkpoint. Measured: 13 to 17 MiB with one file, 16 to 20 with 1,000, 29 to 37 with 4,000 of long names (3 MiB of checkpoint). */
  lookMemoryBytes: 20 * 1024 * 1024,
  lookMemoryShare: 6,
  /** Segments with no more left than this are put together. */
  replayMergeBytes: 64 * 1024,
  /** Attempts in a row that bring a replay no further, before it gives up. */
  replayTriesMax: 6,
  /** Targets that one replay sends to. */
  replayTargetsMax: 64,
  /** A request with letters on their way to an index: smaller, for it is beside the arena. */
  letterMoveBatchBytes: 256 * 1024,
  /** Letters on their way to an index wait so long for others; and, while that takes none, so long to be tried again. */
  letterMoveDelayMs: 1_000,
  letterMoveRetryMs: 5_000,
  letterMoveRetryMaxMs: 300_000,
  /** At the end the index has so long to take what is there. */
  letterLastMs: 2_000,
  /** What the index has refused is tried again after this time. */
  letterRefusedRetryMs: 3_600_000,
  /**
   * Use of the volume, in hundredths of its limit. Above `High` shipped files go, the oldest first, until it is below `Low`;
   * above `Urgent` also those that were written to a short while ago, and unshipped ones where that is asked for, until it is
   * below `High`.
   */
  volumeLowPercent: 70,
  volumeHighPercent: 80,
  volumeUrgentPercent: 90,
  /** What the volume will grow by in this time counts as used: the kubelet may look at any moment. */
  volumeAheadMs: 2_000,
  /** How fast it grows is averaged over about so long. */
  volumeTrendMs: 4_000,
  /** No line is given up for that growth alone: so much must be used, in hundredths. */
  volumeDropPercentMin: 50,
  /** The sizes of known files are added up in this interval. */
  volumeTickMs: 500,
  /** All of the volume is measured in an interval between these, so long that it takes one part in so many of the time; less when it is pressing. */
  volumeWalkMinMs: 1_000,
  /** The same below the low mark: only files that nobody knows could fill it meanwhile. */
  volumeWalkCalmMs: 10_000,
  volumeWalkMaxMs: 60_000,
  volumeWalkRest: 200,
  volumeWalkRestPressing: 50,
  /** Entries looked at in one go, before the loop turns; and of one measurement. */
  volumeSliceEntries: 256,
  volumeEntriesMax: 200_000,
  /** Of files with several names so many are remembered during one measurement. */
  volumeLinksMax: 10_000,
  /** Files that are asked what they take up before some are removed, of those that are shipped and of the others. */
  volumeCandidatesMax: 256,
  /** Files removed in one go. */
  volumeRemovalsMax: 64,
  /** A shipped one that is not where it was is waited for so many times before an unshipped one is given up. */
  volumeTriesMax: 5,
  /** One that could not be removed is tried again after this time. */
  volumeRetryMs: 60_000,
  /** For so long nothing is given up instead of a file that is shipped, while no checkpoint says so. */
  volumeAwaitMs: 30_000,
  /** Own messages that wait for somebody to read stdout. */
  logBytesMax: 1024 * 1024,
  /** Own messages of one code that are said in so long; others are counted. */
  messagesMax: 60,
  messagesWindowMs: 60_000,
  /** Who may be connected to the admin port at once, for how long each, and until its request must be there. */
  adminConnectionsMax: 32,
  adminConnectionMs: 20_000,
  adminRequestMs: 5_000,
  adminHeaderBytesMax: 8 * 1024,
  /** Metrics and status page serve all who ask within this time; so many of them are made in a second, and so many kept. */
  adminFreshMs: 500,
  adminMakesMax: 8,
  /** Each kind of answer takes one part in so many of the time; and the longest rest: what took a second on a starved processor is asked for again. */
  adminRest: 20,
  adminRestMaxMs: 5_000,
  adminKeptMax: 4,
  /** Memory that there must be for making one of them, beside the margin; and how often garbage is collected for it. */
  adminMakeBytes: 1024 * 1024,
  adminCollectMs: 500,
  /** A port that is taken is tried again in this interval. */
  adminRetryMs: 5_000,
  /** Distinct warnings that are remembered as said. */
  warningsMax: 4_096,
} as const

assert(limits.pollIntervalMinMs <= limits.pollIntervalMaxMs, 'poll intervals')
assert(limits.pollIntervalMaxMs <= limits.idlePollMaxMs, 'what is quiet is looked at less often, not more')
assert(limits.unwatchedIntervalMs <= limits.idlePollMaxMs, 'so are directories')
assert(limits.pollIntervalMaxMs < limits.directoryQuietMs, 'a directory is polled before it counts as quiet')
assert(limits.fingerprintBytesMax + limits.guardBytes < limits.quantumBytes, 'a read holds guard and fingerprint')
assert(limits.guardBytes < limits.holeBytesMin, 'the bytes before an offset in a hole are NUL')
assert(
  limits.shutdownMessageMs < limits.shutdownReserveMs && limits.shutdownReserveMs < limits.drainReserveMs,
  'a drain ends, then its checkpoint, then its message',
)
assert(
  limits.memoryIntervalMs < limits.pressureSettleMs && limits.pressureSettleMs < limits.pressureCollectMs,
  'what a collection has brought is seen before the next one',
)
assert(
  limits.pressureCollectMs < limits.pressureCalmMinMs &&
    limits.pressureCalmMinMs < limits.pressureCalmMaxMs &&
    limits.pressureCalmMaxMs < limits.pressureForgetMs,
  'slots are taken again more slowly than they are given back',
)
assert(limits.memoryIdleIntervalMs <= limits.tidyQuietMs, 'a quiet process is seen to be quiet before it is tidied')
assert(limits.tidyQuietMs < limits.tidyIntervalMs, 'a collection is worth more quiet than it disturbs')
assert(limits.checkpointIntervalMs <= limits.checkpointIntervalMaxMs, 'checkpoints are written in the end')
assert(limits.checkpointIntervalMaxMs < limits.stateYieldMs, 'who writes is not silent')
assert(limits.adminRequestMs < limits.adminConnectionMs, 'a request has time to be answered')
assert(limits.statusAnswerMaxMs <= limits.adminConnectionMs, 'nobody is cut off who is still waited for')
assert(
  limits.statusPollMs <= limits.statusPollMaxMs && limits.statusAnswerMaxMs <= limits.statusPollMaxMs,
  'the status page asks no sooner for being kept waiting',
)
assert(limits.metricFilesMax <= limits.ledgerFilesMax, 'metrics come out of the ledger')
assert(limits.metricFilesMax <= limits.metricFilesEndedMax, 'all that have ended at once may come back')
assert(limits.elderLooks * limits.pollIntervalMaxMs < limits.elderWaitMs, 'who waits for looks gets them in time')
assert(
  limits.countPatienceMs < limits.elderWaitMs && limits.elderWaitMs < limits.endedQuietMs,
  'what waits is read before its file counts as ended',
)
assert(limits.endedQuietMs <= limits.deletedHoldMs, 'a last line is shipped before its file is closed')
assert(
  limits.nodeProbeBaseMs <= limits.nodeProbeCapMs && limits.nodeProbeTimeoutMs <= limits.nodeProbeCapMs,
  'a probe is over before the next one',
)
assert(limits.credentialsRetryMs <= limits.credentialsIntervalMs, 'after a refusal files are compared sooner')
assert(
  limits.retryBaseMs <= limits.retryCapMs &&
    limits.retryCapMs <= limits.overloadCapMs &&
    limits.holdBaseMs <= limits.holdCapMs,
  'back-off grows',
)
assert(
  limits.backpressureIntervalMs * 2 <= limits.backpressureBelieveMs &&
    limits.backpressureBelieveMs <= limits.backpressureWindowMs,
  'a change of backpressure is seen more than once before it is believed',
)
assert(
  limits.backpressureBelieveMs + limits.backpressureWindowMs < limits.troubleIntervalMs,
  'what is said of backpressure has been true meanwhile',
)
assert(
  16 * 2 ** 30 <= limits.letterSegmentBytesMax * limits.letterSegmentsMax,
  'the largest REMORA_DEAD_LETTER_BYTES fits into its segments',
)
assert(
  limits.volumeDropPercentMin < limits.volumeLowPercent &&
    limits.volumeLowPercent < limits.volumeHighPercent &&
    limits.volumeHighPercent < limits.volumeUrgentPercent &&
    limits.volumeUrgentPercent < 100,
  'the marks of the volume',
)
assert(
  limits.volumeTickMs <= limits.volumeWalkMinMs &&
    limits.volumeWalkMinMs <= limits.volumeAheadMs &&
    limits.volumeAheadMs <= limits.volumeWalkCalmMs &&
    limits.volumeWalkCalmMs <= limits.volumeWalkMaxMs,
  'the volume is looked at sooner than it is looked ahead',
)
assert(limits.removalsSearchMs < limits.endedQuietMs, 'what is looked for is not given up before')
assert(limits.endedQuietMs <= limits.deletedHoldMs, 'what may go when it presses is what has ended')
assert(2 * limits.encryptBytes < limits.encryptionBytes, 'a slice and what it becomes are in the memory plan')
assert(limits.replayMergeBytes <= limits.letterSegmentBytesMax, 'what is put together is a segment')
