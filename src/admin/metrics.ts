import type { Counter as CounterType, Gauge as GaugeType, Registry } from 'prom-client'
import { limits } from '../base/limits.ts'
import { causes, states } from './backpressure-words.ts'
import type { Figures, FileFigures } from './figures.ts'
import { Timings } from './timings.ts'

const healthStates = ['unknown', 'ok', 'unreachable', 'overloaded', 'holding']

/** name, help, how it is read; a name in `_total` is a counter. */
const table: readonly (readonly [string, string, (figures: Figures) => number | undefined])[] = [
  ['remora_read_lines_total', 'Lines read from files.', (f) => f.readLines],
  ['remora_read_bytes_total', 'Bytes read from files.', (f) => f.readBytes],
  ['remora_acknowledged_lines_total', 'Lines that Elasticsearch answered for.', (f) => f.acknowledgedLines],
  ['remora_duplicate_lines_total', 'Of these, lines that were there already.', (f) => f.duplicateLines],
  [
    'remora_possibly_duplicated_lines_total',
    'Of these, lines that were sent again although nobody could tell whether they were there.',
    (f) => f.possiblyDuplicatedLines,
  ],
  [
    'remora_failure_stored_lines_total',
    'Of the acknowledged, lines that went to the failure store of the data stream.',
    (f) => f.failureStoredLines,
  ],
  ['remora_filtered_lines_total', 'Lines that were left out on purpose.', (f) => f.filteredLines],
  [
    'remora_dead_lettered_lines_total',
    'Lines that Elasticsearch refused for good, kept on disk.',
    (f) => f.deadLetteredLines,
  ],
  [
    'remora_lost_lines_total',
    'Lines that were refused and could not be kept, or not for long enough.',
    (f) => f.lostLines,
  ],
  ['remora_dead_letters', 'Dead letters in their directory, those of earlier processes too.', (f) => f.letters],
  ['remora_dead_letters_bytes', 'Bytes that they take.', (f) => f.letterBytes],
  [
    'remora_dead_letters_expired_total',
    'Dead letters that went because REMORA_DEAD_LETTER_BYTES was reached.',
    (f) => f.expiredLetters,
  ],
  [
    'remora_dead_letters_expired_earlier_total',
    'Of these, the ones of earlier processes: their lines are not among the lost ones here.',
    (f) => f.expiredEarlierLetters,
  ],
  ['remora_dead_letters_moved_total', 'Dead letters that REMORA_DEAD_LETTER_INDEX has taken.', (f) => f.movedLetters],
  ['remora_held_lines', 'Lines in a batch, without a final verdict.', (f) => f.heldLines],
  ['remora_cut_lines_total', 'Lines longer than REMORA_MAX_LINE_BYTES, which were cut.', (f) => f.cutLines],
  ['remora_skipped_bytes_total', 'NUL bytes of holes in files: no line had them.', (f) => f.skippedBytes],
  ['remora_gap_bytes_total', 'Bytes of files that vanished before they were read.', (f) => f.gapBytes],
  ['remora_gaps_total', 'Files that vanished before they were read.', (f) => f.gaps],
  ['remora_dropped_bytes_total', 'Bytes that nobody had read of files deleted for the volume.', (f) => f.droppedBytes],
  ['remora_dropped_files_total', 'Files deleted for the volume before they were shipped.', (f) => f.droppedFiles],
  ['remora_volume_freed_bytes_total', 'Room made by deleting files that were wholly shipped.', (f) => f.freedBytes],
  ['remora_volume_freed_files_total', 'Files deleted for the volume after they were shipped.', (f) => f.freedFiles],
  [
    'remora_volume_used_bytes',
    'Bytes in the log volume, as du counts them; 0: not measured.',
    (f) => f.volumeUsedBytes,
  ],
  [
    'remora_volume_doubts',
    'Log volumes that cannot be measured, or not wholly: they hold more than remora_volume_used_bytes says.',
    (f) => f.volumesInDoubt,
  ],
  ['remora_volume_limit_bytes', 'REMORA_VOLUME_LIMIT; 0: none.', (f) => f.volumeLimitBytes],
  [
    'remora_volume_held_bytes',
    'Bytes in deleted files that are held open until they are read; du does not see them.',
    (f) => f.volumeHeldBytes,
  ],
  ['remora_unread_bytes', 'Bytes in files that were not read yet.', (f) => f.unreadBytes],
  [
    'remora_lag_seconds',
    'Time since all that was known had been read: no readable byte is known for longer.',
    (f) => f.backpressure.lagSeconds,
  ],
  [
    'remora_held_seconds',
    'Age of the oldest batch without a final verdict, since it left.',
    (f) => f.backpressure.heldSeconds,
  ],
  [
    'remora_read_blocked_seconds_total',
    'Time during which something was readable and no batch slot was free.',
    (f) => f.backpressure.blockedSeconds,
  ],
  ['remora_cpu_quota_cores', 'Quota on CPU time of the cgroup; 0: none.', (f) => f.backpressure.throttle?.quotaCores],
  [
    'remora_cpu_periods_total',
    'Periods of that quota in which something ran.',
    (f) => f.backpressure.throttle?.periods,
  ],
  [
    'remora_cpu_throttled_periods_total',
    'Of these, periods in which it was used up.',
    (f) => f.backpressure.throttle?.throttledPeriods,
  ],
  [
    'remora_cpu_throttled_seconds_total',
    'Time for which the kernel let nothing of the cgroup run; of several cores, each counted.',
    (f) => (f.backpressure.throttle?.throttledMs ?? 0) / 1000,
  ],
  ['remora_files', 'Generations of files that are known.', (f) => f.files],
  ['remora_open_files', 'Files held open.', (f) => f.openFiles],
  ['remora_directories', 'Directories looked at.', (f) => f.directories],
  ['remora_arena_slots', 'Batch slots that there may be now.', (f) => f.slots],
  ['remora_arena_slots_planned', 'Batch slots of the memory plan.', (f) => f.slotsPlanned],
  ['remora_arena_slots_given_back_total', 'Batch slots given back for want of memory.', (f) => f.slotsGivenBack],
  ['remora_arena_slots_taken_again_total', 'Batch slots taken again when there was room.', (f) => f.slotsTakenAgain],
  ['remora_arena_slots_taken', 'Batch slots in use.', (f) => f.slotsTaken],
  ['remora_arena_bytes', 'Memory of the batch slots that there may be now.', (f) => f.arenaBytes],
  ['remora_requests_under_way', 'Batches under way or being retried.', (f) => f.requestsUnderWay],
  ['remora_requests_max', 'Bulk requests at once that the server takes, as found out so far.', (f) => f.requestsMax],
  ['remora_request_bytes_max', 'Largest body of one bulk request that it takes, likewise.', (f) => f.requestBytesMax],
  [
    'remora_memory_in_use_bytes',
    'Anonymous, kernel and socket memory; page cache is not counted.',
    (f) => f.memoryInUseBytes,
  ],
  ['remora_memory_limit_bytes', 'Memory limit, as of now.', (f) => f.memoryLimitBytes],
  ['remora_memory_resizes_total', 'Times that the limit was another one than before.', (f) => f.memoryResizes],
  ['remora_memory_collections_total', 'Collections of garbage for want of memory.', (f) => f.memoryCollections],
  ['remora_memory_ooms_total', 'Times that the kernel found no memory for the container.', (f) => f.memoryOoms],
  [
    'remora_memory_stalled_seconds_total',
    'Time in which nothing in the container could go on for want of memory.',
    (f) => f.memoryStalledSeconds,
  ],
  [
    'remora_messages_unsaid_total',
    'Own messages left out of the log: too many with one code in a minute.',
    (f) => f.unsaidMessages,
  ],
  ['remora_checkpoint_age_seconds', 'Time since the last checkpoint.', (f) => f.checkpointAgeSeconds],
  ['remora_checkpoint_failures_total', 'Checkpoints that could not be written.', (f) => f.checkpointFailures],
]

/** What a line of a file is counted as in `remora_file_lines_total`; those held are a gauge, for they leave again. */
const accounts: readonly (readonly [string, (file: FileFigures) => number])[] = [
  ['read', (file) => file.readLines],
  ['acknowledged', (file) => file.acknowledgedLines],
  ['filtered', (file) => file.filteredLines],
  ['dead_lettered', (file) => file.deadLetteredLines],
  ['lost', (file) => file.lostLines],
]

/** About one file: name, help, how it is read. */
const fileTable: readonly (readonly [string, string, (file: FileFigures) => number])[] = [
  ['remora_file_held_lines', 'Lines of a file in a batch, without a final verdict.', (file) => file.heldLines],
  ['remora_file_unread_bytes', 'Bytes of a file that were not read yet.', (file) => file.unreadBytes],
  ['remora_file_dropped_bytes_total', 'Bytes of a file deleted unshipped for the volume.', (file) => file.droppedBytes],
  ['remora_file_gap_bytes_total', 'Bytes of a file that vanished before they were read.', (file) => file.gapBytes],
]

/** Stands for all files without a series of their own; no path, for those are absolute. */
const otherFiles = 'other'

export interface Metrics {
  text(): Promise<{ readonly contentType: string; readonly text: string }>
  request(outcome: string, durationMs: number, bytes: number): void
}

/** About the process itself, by the names that Prometheus' own clients use. */
const processTable: readonly (readonly [string, string, () => number])[] = [
  ['process_cpu_user_seconds_total', 'User CPU time.', () => process.cpuUsage().user / 1e6],
  ['process_cpu_system_seconds_total', 'System CPU time.', () => process.cpuUsage().system / 1e6],
  [
    'process_resident_memory_bytes',
    'Resident memory, page cache of mapped files included.',
    () => process.memoryUsage.rss(),
  ],
  ['process_start_time_seconds', 'Start, since the epoch.', () => (Date.now() - process.uptime() * 1000) / 1000],
  ['nodejs_heap_size_used_bytes', 'Heap in use.', () => process.memoryUsage().heapUsed],
]

/** The library is loaded when somebody asks for the first time: it costs 40 ms of CPU and 5 MiB, and not every Pod is scraped. */
export function makeMetrics(version: string, figures: () => Figures): Metrics {
  const timings = new Timings()
  let made: Promise<{ registry: Registry; update: (now: Figures) => void }> | undefined
  return {
    async text() {
      made ??= makeRegistry(version, timings)
      const { registry, update } = await made
      update(figures())
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
    request: (outcome, durationMs, bytes) => timings.observe(outcome, durationMs, bytes),
  }
}

type Put = (value: number, labels?: Record<string, string>) => void

async function makeRegistry(
  version: string,
  timings: Timings,
): Promise<{ registry: Registry; update: (now: Figures) => void }> {
  const { Counter, Gauge, Registry: PromRegistry } = await import('prom-client')
  const registry = new PromRegistry()
  const registers = [registry]
  /** Series that come and go: what is not put at this scrape is not there. */
  const passing: (CounterType | GaugeType)[] = []
  const row = (name: string, help: string, labelNames: string[] = []): Put => {
    if (!name.endsWith('_total')) {
      const gauge = new Gauge({ name, help, labelNames, registers })
      passing.push(gauge)
      return (value, labels = {}) => gauge.inc(labels, value)
    }
    const counter = new Counter({ name, help, labelNames, registers })
    passing.push(counter)
    return (value, labels = {}) => counter.inc(labels, value)
  }
  const putBuild = row('remora_build_info', 'Version of Remora.', ['version'])
  const rows = table.map(([name, help, read]) => ({ read, put: row(name, help) }))
  const processRows = processTable.map(([name, help, read]) => ({ read, put: row(name, help) }))
  const fileRows = fileTable.map(([name, help, read]) => ({ read, put: row(name, help, ['path']) }))
  const putFileLines = row('remora_file_lines_total', 'Lines of a file by what became of them.', ['path', 'account'])
  const putHealth = row(
    'remora_elasticsearch_state',
    '1 for the state that Elasticsearch is in as far as the last request tells.',
    ['state'],
  )
  const putState = row('remora_backpressure_state', '1 for the state: see README, "Backpressure".', ['state'])
  const putCause = row('remora_backpressure_cause', '1 for what is in the way, `none` while it flows.', ['cause'])
  const putEvent = row('remora_file_events_total', 'What happened to files, and the fact that told.', ['kind', 'why'])
  const putSentBytes = row('remora_sent_bytes_total', 'Bytes of bulk bodies sent.')
  timings.register(registry)
  return {
    registry,
    update(now) {
      for (const series of passing) series.reset()
      putBuild(1, { version })
      for (const { read, put } of rows) put(read(now) ?? 0)
      for (const { read, put } of processRows) put(read())
      putSentBytes(timings.sentBytes)
      for (const state of healthStates) putHealth(state === now.health ? 1 : 0, { state })
      for (const state of states) putState(state === now.backpressure.state ? 1 : 0, { state })
      for (const cause of causes) putCause(cause === now.backpressure.cause ? 1 : 0, { cause })
      for (const { kind, why, count } of now.events) putEvent(count, { kind, why })
      for (const [at, file] of now.byFile.entries()) {
        // What is put twice under one name adds up, gauges too.
        const path = at < limits.metricFilesMax ? (file.path ?? otherFiles) : otherFiles
        for (const { read, put } of fileRows) put(read(file), { path })
        for (const [account, read] of accounts) putFileLines(read(file), { path, account })
      }
    },
  }
}
