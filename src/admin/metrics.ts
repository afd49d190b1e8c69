import type { Registry } from 'prom-client'
import { Timings } from './timings.ts'

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

async function makeRegistry(
  version: string,
  timings: Timings,
): Promise<{ registry: Registry; update: (now: Figures) => void }> {
  const { Counter, Gauge, Registry: PromRegistry } = await import('prom-client')
  const registry = new PromRegistry()
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
  const row = (name: string, help: string): ((value: number) => void) => {
    if (!name.endsWith('_total')) {
      const gauge = new Gauge({ name, help, registers })
      return (value) => gauge.set(value)
    }
    const counter = new Counter({ name, help, registers })
    return (value) => {
      counter.reset()
      counter.inc(value)
    }
  }
  const rows = table.map(([name, help, read]) => ({ read, put: row(name, help) }))
  const processRows = processTable.map(([name, help, read]) => ({ read, put: row(name, help) }))
  const putSentBytes = row('remora_sent_bytes_total', 'Bytes of bulk bodies sent.')
  timings.register(registry)
  return {
    registry,
    update(now) {
      for (const { read, put } of rows) put(read(now) ?? 0)
      for (const { read, put } of processRows) put(read())
      putSentBytes(timings.sentBytes)
      for (const state of healthStates) health.set({ state }, state === now.health ? 1 : 0)
      rotations.reset()
      for (const [kind, count] of Object.entries(now.rotations)) rotations.inc({ kind }, count)
    },
  }
}
