import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What the metrics are read from when somebody asks: nothing is counted twice, and nothing while nobody asks. */
export interface Figures {
  readonly readLines: number
  readonly readBytes: number
  readonly acknowledgedLines: number
  readonly duplicateLines: number
  readonly deadLetteredLines: number
  readonly lostLines: number
  readonly heldLines: number
  readonly cutLines: number
  readonly gapBytes: number
  readonly gaps: number
  readonly unreadBytes: number
  readonly files: number
  readonly openFiles: number
  readonly directories: number
  readonly slots: number
  readonly slotsTaken: number
  readonly requestsUnderWay: number
  readonly memoryInUseBytes: number
  readonly memoryLimitBytes: number
  readonly arenaBytes: number
  readonly checkpointAgeSeconds: number | undefined
  readonly checkpointFailures: number
  /** 1 for the state that holds. */
  readonly health: string
  readonly rotations: Readonly<Record<string, number>>
}

const healthStates = ['unknown', 'ok', 'unreachable', 'overloaded', 'holding']

/** name, help, how it is read; a name in `_total` is a counter. */
const table: readonly (readonly [string, string, (figures: Figures) => number | undefined])[] = [
  ['remora_read_lines_total', 'Lines read from files.', (f) => f.readLines],
  ['remora_read_bytes_total', 'Bytes read from files.', (f) => f.readBytes],
  ['remora_acknowledged_lines_total', 'Lines that Elasticsearch answered for.', (f) => f.acknowledgedLines],
  ['remora_duplicate_lines_total', 'Of these, lines that were there already.', (f) => f.duplicateLines],
  [
    'remora_dead_lettered_lines_total',
    'Lines that Elasticsearch refused for good, kept on disk.',
    (f) => f.deadLetteredLines,
  ],
  ['remora_lost_lines_total', 'Lines that were refused and could not be kept.', (f) => f.lostLines],
  ['remora_held_lines', 'Lines in a batch, without a final verdict.', (f) => f.heldLines],
  ['remora_cut_lines_total', 'Lines longer than REMORA_MAX_LINE_BYTES, which were cut.', (f) => f.cutLines],
  ['remora_gap_bytes_total', 'Bytes of files that vanished before they were read.', (f) => f.gapBytes],
  ['remora_gaps_total', 'Files that vanished before they were read.', (f) => f.gaps],
  ['remora_unread_bytes', 'Bytes in files that were not read yet.', (f) => f.unreadBytes],
  ['remora_files', 'Generations of files that are known.', (f) => f.files],
  ['remora_open_files', 'Files held open.', (f) => f.openFiles],
  ['remora_directories', 'Directories looked at.', (f) => f.directories],
  ['remora_arena_slots', 'Batch slots that the memory plan allows.', (f) => f.slots],
  ['remora_arena_slots_taken', 'Batch slots in use.', (f) => f.slotsTaken],
  ['remora_arena_bytes', 'Memory of the batch slots that the plan allows.', (f) => f.arenaBytes],
  ['remora_requests_under_way', 'Bulk requests under way or being retried.', (f) => f.requestsUnderWay],
  [
    'remora_memory_in_use_bytes',
    'Anonymous, kernel and socket memory; page cache is not counted.',
    (f) => f.memoryInUseBytes,
  ],
  ['remora_memory_limit_bytes', 'Memory limit that the plan was made for.', (f) => f.memoryLimitBytes],
  ['remora_checkpoint_age_seconds', 'Time since the last checkpoint.', (f) => f.checkpointAgeSeconds],
  ['remora_checkpoint_failures_total', 'Checkpoints that could not be written.', (f) => f.checkpointFailures],
]

export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
  request(outcome: string, durationMs: number, bytes: number): void
}

export function makeMetrics(version: string, figures: () => Figures): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  new Gauge({ name: 'remora_build_info', help: 'Version of Remora.', labelNames: ['version'], registers }).set(
    { version },
    1,
  )
  const health = new Gauge({
    name: 'remora_elasticsearch_state',
    help: '1 for the state that Elasticsearch is in as far as the last request tells.',
    labelNames: ['state'],
    registers,
  })
  const rotations = new Counter({
    name: 'remora_file_events_total',
    help: 'What happened to files.',
    labelNames: ['kind'],
    registers,
  })
  const requests = new Histogram({
    name: 'remora_bulk_request_seconds',
    help: 'Time from sending a bulk request to its whole answer.',
    labelNames: ['outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  })
  const sentBytes = new Counter({ name: 'remora_sent_bytes_total', help: 'Bytes of bulk bodies sent.', registers })

  const updates = table.map(([name, help, read]) => {
    if (!name.endsWith('_total')) {
      const gauge = new Gauge({ name, help, registers })
      return (now: Figures) => gauge.set(read(now) ?? 0)
    }
    const counter = new Counter({ name, help, registers })
    return (now: Figures) => {
      counter.reset()
      counter.inc(read(now) ?? 0)
    }
  })

  return {
    contentType: registry.contentType,
    async text() {
      const now = figures()
      for (const update of updates) update(now)
      for (const state of healthStates) health.set({ state }, state === now.health ? 1 : 0)
      rotations.reset()
      for (const [kind, count] of Object.entries(now.rotations)) rotations.inc({ kind }, count)
      return registry.metrics()
    },
    request(outcome, durationMs, bytes) {
      requests.observe({ outcome }, durationMs / 1000)
      sentBytes.inc(bytes)
    },
  }
}
