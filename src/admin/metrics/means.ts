import { oneOf, plain, type Group } from './table.ts'

const server: Group = {
  title: 'Elasticsearch',
  rows: [
    oneOf(
      'remora_elasticsearch_state',
      '1 for the state that Elasticsearch is in as far as the last request tells.',
      'state',
      ['unknown', 'ok', 'unreachable', 'overloaded', 'holding'],
      (f) => f.health,
    ),
    plain('remora_sent_bytes_total', 'Bytes of bulk bodies sent, before compression.', (f) => f.sentBytes),
    plain('remora_requests_under_way', 'Batches under way or being retried.', (f) => f.requestsUnderWay),
    plain(
      'remora_requests_max',
      'Bulk requests at once that the server takes, as found out so far.',
      (f) => f.requestsMax,
    ),
    plain(
      'remora_request_max_bytes',
      'Largest body of one bulk request that it takes, likewise.',
      (f) => f.requestBytesMax,
    ),
  ],
}

const letters: Group = {
  title: 'Dead letters',
  rows: [
    plain('remora_dead_letters', 'Dead letters in their directory, those of earlier processes too.', (f) => f.letters),
    plain('remora_dead_letters_bytes', 'Bytes that they take.', (f) => f.letterBytes),
    plain(
      'remora_dead_letters_limit_bytes',
      'REMORA_DEAD_LETTER_BYTES, beyond which the oldest go.',
      (f) => f.letterBytesMax,
    ),
    plain(
      'remora_dead_letters_expired_total',
      'Dead letters that went because REMORA_DEAD_LETTER_BYTES was reached.',
      (f) => f.expiredLetters,
    ),
    plain(
      'remora_dead_letters_expired_earlier_total',
      'Of these, the ones of earlier processes: their lines are not among the lost ones here.',
      (f) => f.expiredEarlierLetters,
    ),
    plain(
      'remora_dead_letters_moved_total',
      'Dead letters that REMORA_DEAD_LETTER_INDEX has taken.',
      (f) => f.movedLetters,
    ),
  ],
}

const volume: Group = {
  title: 'Log volume',
  rows: [
    plain(
      'remora_volume_used_bytes',
      'Bytes in the log volume, as du counts them; 0: not measured.',
      (f) => f.volumeUsedBytes,
    ),
    plain('remora_volume_limit_bytes', 'REMORA_VOLUME_LIMIT; 0: none.', (f) => f.volumeLimitBytes),
    plain(
      'remora_volume_held_bytes',
      'Bytes in deleted files that are held open until they are read; du does not see them.',
      (f) => f.volumeHeldBytes,
    ),
    plain(
      'remora_volume_doubts',
      'Log volumes that cannot be measured, or not wholly: they hold more than remora_volume_used_bytes says.',
      (f) => f.volumesInDoubt,
    ),
    plain(
      'remora_volume_freed_bytes_total',
      'Room made by deleting files that were wholly shipped.',
      (f) => f.freedBytes,
    ),
    plain(
      'remora_volume_freed_files_total',
      'Files deleted for the volume after they were shipped.',
      (f) => f.freedFiles,
    ),
    plain(
      'remora_dropped_bytes_total',
      'Bytes that nobody had read of files deleted for the volume.',
      (f) => f.droppedBytes,
    ),
    plain(
      'remora_dropped_files_total',
      'Files deleted for the volume before they were shipped.',
      (f) => f.droppedFiles,
    ),
  ],
}

const memory: Group = {
  title: 'Memory',
  rows: [
    plain('remora_arena_slots', 'Batch slots that there may be now.', (f) => f.slots),
    plain('remora_arena_slots_planned', 'Batch slots of the memory plan.', (f) => f.slotsPlanned),
    plain('remora_arena_slots_taken', 'Batch slots in use.', (f) => f.slotsTaken),
    plain('remora_arena_slots_given_back_total', 'Batch slots given back for want of memory.', (f) => f.slotsGivenBack),
    plain(
      'remora_arena_slots_taken_again_total',
      'Batch slots taken again when there was room.',
      (f) => f.slotsTakenAgain,
    ),
    plain('remora_arena_bytes', 'Memory of the batch slots that there may be now.', (f) => f.arenaBytes),
    plain(
      'remora_memory_in_use_bytes',
      'Anonymous, kernel and socket memory; page cache is not counted.',
      (f) => f.memoryInUseBytes,
    ),
    plain('remora_memory_limit_bytes', 'Memory limit, as of now.', (f) => f.memoryLimitBytes),
    plain('remora_memory_resizes_total', 'Times that the limit was another one than before.', (f) => f.memoryResizes),
    plain('remora_memory_collections_total', 'Collections of garbage for want of memory.', (f) => f.memoryCollections),
    plain('remora_memory_ooms_total', 'Times that the kernel found no memory for the container.', (f) => f.memoryOoms),
    plain(
      'remora_memory_stalled_seconds_total',
      'Time in which nothing in the container could go on for want of memory; 0 where the kernel does not say.',
      (f) => f.memoryStalledSeconds,
    ),
  ],
}

const cpu: Group = {
  title: 'CPU limit',
  rows: [
    plain(
      'remora_cpu_quota_cores',
      'Quota on CPU time of the cgroup; 0: none.',
      (f) => f.backpressure.throttle?.quotaCores,
    ),
    plain(
      'remora_cpu_periods_total',
      'Periods of that quota in which something ran.',
      (f) => f.backpressure.throttle?.periods,
    ),
    plain(
      'remora_cpu_throttled_periods_total',
      'Of these, periods in which it was used up.',
      (f) => f.backpressure.throttle?.throttledPeriods,
    ),
    plain(
      'remora_cpu_throttled_seconds_total',
      'Time for which the kernel let nothing of the cgroup run; of several cores, each counted.',
      (f) => (f.backpressure.throttle?.throttledMs ?? 0) / 1000,
    ),
  ],
}

const state: Group = {
  title: 'State',
  rows: [
    oneOf('remora_phase', '1 for what Remora is doing.', 'phase', ['starting', 'shipping', 'draining'], (f) => f.phase),
    plain(
      'remora_checkpoint_age_seconds',
      'Time since the last checkpoint; none is written while nothing changes. 0 before the first one.',
      (f) => f.checkpointAgeSeconds,
    ),
    plain(
      'remora_messages_unsaid_total',
      'Own messages left out of the log: too many with one code in a minute.',
      (f) => f.unsaidMessages,
    ),
    plain('remora_checkpoint_failures_total', 'Checkpoints that could not be written.', (f) => f.checkpointFailures),
  ],
}

/** About the process itself, by the names that Prometheus' own clients use. */
const own: Group = {
  title: 'Process',
  rows: [
    {
      name: 'remora_build_info',
      help: 'Always 1.',
      labels: { version: 'of Remora', node_version: 'of Node' },
      read: ({ version }) => [[1, { version, node_version: process.versions.node }]],
    },
    plain('process_cpu_seconds_total', 'CPU time, user and system.', () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    }),
    plain('process_cpu_user_seconds_total', 'User CPU time.', () => process.cpuUsage().user / 1e6),
    plain('process_cpu_system_seconds_total', 'System CPU time.', () => process.cpuUsage().system / 1e6),
    plain('process_resident_memory_bytes', 'Resident memory, page cache of mapped files included.', () =>
      process.memoryUsage.rss(),
    ),
    plain('process_start_time_seconds', 'Start, since the epoch.', () => startedAtSeconds),
    plain('nodejs_heap_size_used_bytes', 'Heap in use.', () => process.memoryUsage().heapUsed),
  ],
}

/** Once: asked anew it would move with each step of the wall clock, and look like a restart. */
const startedAtSeconds = performance.timeOrigin / 1000

/** What Remora needs for its work, and what it has of it. */
export const means: readonly Group[] = [server, letters, volume, memory, cpu, state, own]
