import { describe, expect, test } from 'vitest'
import { causes, states } from '../../src/admin/backpressure-words.ts'
import type { Figures } from '../../src/admin/figures.ts'
import { makeMetrics } from '../../src/admin/metrics.ts'
import { limits } from '../../src/base/limits.ts'
import { parseExposition, type Sample } from './exposition.ts'
import { parseOpenMetrics } from './openmetrics.ts'
import { figures, fileFigures } from './figures.ts'

async function scrape(metrics = makeMetrics('1.2.3', () => figures)) {
  const { text, contentType } = await metrics.text()
  return { ...parseExposition(text), contentType, text }
}

const valueOf = (samples: readonly Sample[], name: string, labels: Record<string, string> = {}) =>
  samples.find((sample) => sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels))?.value

/** Shown with labels, or not in the metrics. */
type Other =
  | 'phase'
  | 'health'
  | 'healthDetail'
  | 'events'
  | 'byFile'
  | 'backpressure'
  | 'unreadableFiles'
  | 'denied'
  | 'checkpointFailing'

/** Of the dead-lettered, and shown with them. */
type Joined = 'deadLetteredLines' | 'expiredLines'

/** By name in the text; every figure must be one of them. */
const names: Readonly<Record<Exclude<keyof Figures, Other | Joined>, string>> = {
  readLines: 'remora_read_lines_total',
  readBytes: 'remora_read_bytes_total',
  acknowledgedLines: 'remora_acknowledged_lines_total',
  duplicateLines: 'remora_duplicate_lines_total',
  possiblyDuplicatedLines: 'remora_possibly_duplicated_lines_total',
  failureStoredLines: 'remora_failure_stored_lines_total',
  filteredLines: 'remora_filtered_lines_total',
  refusedLines: 'remora_refused_lines_total',
  acknowledgedBytes: 'remora_acknowledged_bytes_total',
  refusedBytes: 'remora_refused_bytes_total',
  deadLetteredBytes: 'remora_dead_lettered_bytes_total',
  lostBytes: 'remora_lost_bytes_total',
  lostLines: 'remora_lost_lines_total',
  heldLines: 'remora_held_lines',
  cutLines: 'remora_cut_lines_total',
  skippedBytes: 'remora_skipped_bytes_total',
  gapBytes: 'remora_gap_bytes_total',
  gaps: 'remora_gaps_total',
  unreadBytes: 'remora_unread_bytes',
  files: 'remora_files',
  openFiles: 'remora_open_files',
  openFilesMax: 'remora_open_files_max',
  unreadableDirectories: 'remora_unreadable_directories',
  unwatchableDirectories: 'remora_unwatched_directories',
  directories: 'remora_directories',
  slots: 'remora_arena_slots',
  slotsTaken: 'remora_arena_slots_taken',
  requestsUnderWay: 'remora_requests_under_way',
  requestsMax: 'remora_requests_max',
  requestBytesMax: 'remora_request_max_bytes',
  memoryInUseBytes: 'remora_memory_in_use_bytes',
  memoryLimitBytes: 'remora_memory_limit_bytes',
  arenaBytes: 'remora_arena_bytes',
  slotsPlanned: 'remora_arena_slots_planned',
  slotsGivenBack: 'remora_arena_slots_given_back_total',
  slotsTakenAgain: 'remora_arena_slots_taken_again_total',
  memoryCollections: 'remora_memory_collections_total',
  memoryResizes: 'remora_memory_resizes_total',
  memoryOoms: 'remora_memory_ooms_total',
  memoryStalledSeconds: 'remora_memory_stalled_seconds_total',
  checkpointAgeSeconds: 'remora_checkpoint_age_seconds',
  checkpointFailures: 'remora_checkpoint_failures_total',
  letters: 'remora_dead_letters',
  letterBytes: 'remora_dead_letters_bytes',
  letterBytesMax: 'remora_dead_letters_limit_bytes',
  expiredLetters: 'remora_dead_letters_expired_total',
  expiredEarlierLetters: 'remora_dead_letters_expired_earlier_total',
  movedLetters: 'remora_dead_letters_moved_total',
  droppedFiles: 'remora_dropped_files_total',
  droppedBytes: 'remora_dropped_bytes_total',
  freedFiles: 'remora_volume_freed_files_total',
  freedBytes: 'remora_volume_freed_bytes_total',
  volumeUsedBytes: 'remora_volume_used_bytes',
  volumeLimitBytes: 'remora_volume_limit_bytes',
  volumeHeldBytes: 'remora_volume_held_bytes',
  volumesInDoubt: 'remora_volume_doubts',
  unsaidMessages: 'remora_messages_unsaid_total',
}

test('every figure is there under its name, and what only grows is a counter', async () => {
  const { samples, types, contentType } = await scrape()
  expect(contentType).toMatch(/^text\/plain/)
  for (const [figure, name] of Object.entries(names)) {
    expect(valueOf(samples, name), `value of ${name}`).toBe(figures[figure as keyof Figures])
    expect(types.get(name), `type of ${name}`).toBe(name.endsWith('_total') ? 'counter' : 'gauge')
  }
  expect(valueOf(samples, 'remora_build_info', { version: '1.2.3', node_version: process.versions.node })).toBe(1)
  expect(valueOf(samples, 'remora_file_events_total', { kind: 'renamed', why: 'a' })).toBe(123)
  expect(valueOf(samples, 'remora_file_events_total', { kind: 'truncated', why: 'b' })).toBe(124)
})

test('what was dead-lettered stays so when the letter has to go: a counter never falls', async () => {
  const { samples } = await scrape()
  expect(valueOf(samples, 'remora_dead_lettered_lines_total')).toBe(105 + 1000)
})

test('files that cannot be read by reason, and rotations by kind, those that have not happened as 0', async () => {
  const { samples } = await scrape()
  const by = (metric: string) =>
    samples.filter(({ name }) => name === metric).map(({ labels, value }) => [...Object.values(labels), value])
  expect(by('remora_unreadable_files')).toEqual([
    ['EACCES', 155],
    ['READ_FAILED', 156],
  ])
  expect(by('remora_rotations_total')).toEqual([
    ['renamed', 160],
    ['truncated', 161 + 162],
    ['deleted', 0],
    ['missed', 0],
  ])
})

test('all names are ours or those of every process', async () => {
  const { types } = await scrape()
  const others = [...types.keys()].filter((name) => !/^(remora|process|nodejs)_/.test(name))
  expect(others).toEqual([])
  expect(types.size).toBeGreaterThan(Object.keys(names).length)
})

describe('the state of Elasticsearch', () => {
  test.each(['unknown', 'ok', 'unreachable', 'overloaded', 'holding'])(
    '%s is 1 and all others are 0',
    async (health) => {
      const { samples } = await scrape(makeMetrics('1', () => ({ ...figures, health })))
      const series = samples.filter(({ name }) => name === 'remora_elasticsearch_state')
      expect(series).toHaveLength(5)
      for (const { labels, value } of series) expect(value).toBe(labels['state'] === health ? 1 : 0)
    },
  )
})

describe('backpressure', () => {
  test.each(states.flatMap((state) => causes.map((cause) => [state, cause] as const)))(
    '%s because of %s is 1 and all others are 0',
    async (state, cause) => {
      const backpressure = { ...figures.backpressure, state, cause }
      const { samples } = await scrape(makeMetrics('1', () => ({ ...figures, backpressure })))
      const ones = (name: string) => samples.filter((sample) => sample.name === name && sample.value === 1)
      expect(ones('remora_backpressure_state').map(({ labels }) => labels)).toEqual([{ state }])
      expect(ones('remora_backpressure_cause').map(({ labels }) => labels)).toEqual([{ cause }])
      expect(samples.filter(({ name }) => name === 'remora_backpressure_state')).toHaveLength(states.length)
    },
  )

  test('its figures', async () => {
    const { samples } = await scrape()
    expect(
      Object.fromEntries(
        samples.filter(({ name }) => /lag|held_s|blocked|cpu_[qpt]/.test(name)).map(({ name, value }) => [name, value]),
      ),
    ).toEqual({
      remora_read_blocked_seconds_total: 142,
      remora_lag_seconds: 143,
      remora_held_seconds: 144,
      remora_cpu_quota_cores: 145,
      remora_cpu_throttled_periods_total: 146,
      remora_cpu_periods_total: 147,
      remora_cpu_throttled_seconds_total: 148,
    })
  })

  test('without a quota nothing is throttled', async () => {
    const backpressure = { ...figures.backpressure, throttle: undefined }
    const { samples } = await scrape(makeMetrics('1', () => ({ ...figures, backpressure })))
    for (const name of ['remora_cpu_quota_cores', 'remora_cpu_periods_total', 'remora_cpu_throttled_seconds_total'])
      expect(valueOf(samples, name)).toBe(0)
  })
})

test('a scrape shows what is now, also when a figure went back', async () => {
  let now: Figures = figures
  const metrics = makeMetrics('1', () => now)
  await scrape(metrics)
  now = {
    ...figures,
    readLines: 7,
    heldLines: 0,
    events: [{ kind: 'renamed', why: 'a', count: 1 }],
    checkpointAgeSeconds: undefined,
  }
  const { samples } = await scrape(metrics)
  expect(valueOf(samples, 'remora_read_lines_total')).toBe(7)
  expect(valueOf(samples, 'remora_held_lines')).toBe(0)
  expect(valueOf(samples, 'remora_file_events_total', { kind: 'renamed', why: 'a' })).toBe(1)
  expect(valueOf(samples, 'remora_file_events_total', { kind: 'truncated', why: 'b' })).toBeUndefined()
})

const valuesOf = (samples: readonly Sample[], path: string) =>
  Object.fromEntries(
    samples
      .filter(({ labels }) => labels['path'] === path)
      .map(({ name, labels, value }) => [labels['account'] ?? name, value]),
  )

describe('by file', () => {
  test('lines by account, held lines, unread bytes and gaps', async () => {
    const byFile = [fileFigures('/var/log/a "b"\\.log'), fileFigures(undefined, 100)]
    const { samples } = await scrape(makeMetrics('1', () => ({ ...figures, byFile })))
    // As the text writes it: Prometheus documentation, "Exposition formats".
    expect(valuesOf(samples, '/var/log/a \\"b\\"\\\\.log')).toEqual({
      read: 1,
      acknowledged: 3,
      filtered: 6,
      dead_lettered: 7,
      lost: 8,
      remora_file_held_lines: 9,
      remora_file_unread_bytes: 13,
      remora_file_lag_seconds: 25,
      remora_file_read_bytes_total: 2,
      remora_file_gap_bytes_total: 11,
      remora_file_dropped_bytes_total: 17,
    })
    expect(valuesOf(samples, 'other')).toMatchObject({ read: 101, remora_file_held_lines: 109 })
  })

  test('no more than a bound; all others are one, and what is gone is gone', async () => {
    const files = Array.from({ length: limits.metricFilesMax + 7 }, (_, file) => fileFigures(`/${file}.log`))
    let byFile = [...files, fileFigures(undefined)]
    const metrics = makeMetrics('1', () => ({ ...figures, byFile }))
    for (let round = 0; round < 2; round++) {
      const { samples } = await scrape(metrics)
      const paths = new Set(samples.flatMap(({ labels }) => labels['path'] ?? []))
      expect(paths.size).toBe(limits.metricFilesMax + 1)
      expect(valuesOf(samples, 'other')).toMatchObject({ read: 8, remora_file_unread_bytes: 8 * 13 })
    }
    byFile = files.slice(1, 2)
    const { samples } = await scrape(metrics)
    expect(new Set(samples.flatMap(({ labels }) => labels['path'] ?? []))).toEqual(new Set(['/1.log', 'other']))
  })
})

test('two that scrape at once both get all of it', async () => {
  const metrics = makeMetrics('1', () => figures)
  const [one, other] = await Promise.all([scrape(metrics), scrape(metrics)])
  expect(valueOf(one.samples, 'remora_read_lines_total')).toBe(101)
  expect(other.samples.map(({ name }) => name)).toEqual(one.samples.map(({ name }) => name))
})

test('requests are timed by their outcome, before and after the first scrape', async () => {
  const metrics = makeMetrics('1', () => figures)
  for (const ms of [0.5, 3, 3, 70_000]) metrics.request('ok', ms, 1000)
  metrics.request('failed', 40, 500)
  await scrape(metrics)
  metrics.request('ok', 1, 24)
  const { samples, types } = await scrape(metrics)
  expect(types.get('remora_bulk_request_seconds')).toBe('histogram')
  expect(valueOf(samples, 'remora_sent_bytes_total')).toBe(4524)
  expect(valueOf(samples, 'remora_bulk_request_seconds_count', { outcome: 'ok' })).toBe(5)
  expect(valueOf(samples, 'remora_bulk_request_seconds_sum', { outcome: 'ok' })).toBeCloseTo(70.0075)
  const buckets = samples.filter(({ name, labels }) => name.endsWith('_bucket') && labels['outcome'] === 'ok')
  const counts = Object.fromEntries(buckets.map(({ labels, value }) => [labels['le'], value]))
  expect(counts).toMatchObject({ '0.001': 2, '0.0025': 2, '0.005': 4, '60.0': 4, '+Inf': 5 })
  const values = buckets.map(({ value }) => value)
  expect(values, 'each holds those before it').toEqual(values.toSorted((a, b) => a - b))
  expect(valueOf(samples, 'remora_bulk_request_seconds_count', { outcome: 'failed' })).toBe(1)
})

test('what else takes time: batches and checkpoints, from the start and without labels', async () => {
  const metrics = makeMetrics('1', () => figures)
  const before = await scrape(metrics)
  expect(valueOf(before.samples, 'remora_delivery_seconds_count')).toBe(0)
  metrics.timed('delivery', 250)
  metrics.timed('checkpoint', 3)
  const { samples, types } = await scrape(metrics)
  for (const [name, seconds] of [
    ['remora_delivery_seconds', 0.25],
    ['remora_checkpoint_write_seconds', 0.003],
  ] as const) {
    expect(types.get(name)).toBe('histogram')
    expect([valueOf(samples, `${name}_count`), valueOf(samples, `${name}_sum`)]).toEqual([1, seconds])
  }
  expect(valueOf(samples, 'remora_delivery_seconds_bucket', { le: '0.1' })).toBe(0)
  expect(valueOf(samples, 'remora_delivery_seconds_bucket', { le: '0.25' })).toBe(1)
})

const busy = () => {
  const byFile = [fileFigures('/var/log/a "b"\\ü\n.log'), fileFigures('/app.log'), fileFigures(undefined, 100)]
  const metrics = makeMetrics('1.2.3', () => ({ ...figures, byFile }))
  metrics.request('ok', 3, 10)
  metrics.timed('delivery', 40)
  return metrics
}

describe('as OpenMetrics', () => {
  const wanted = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5'
  test('each sample of the older format is there under the same name, with the same labels and value', async () => {
    const metrics = busy()
    const { contentType, text } = await metrics.text(wanted)
    expect(contentType).toMatch(/^application\/openmetrics-text; version=1\.0\.0/)
    const moving = /^(process_|nodejs_)/
    const asText = ({ samples }: { samples: readonly Sample[] }) =>
      samples.filter(({ name }) => !moving.test(name)).map((sample) => JSON.stringify(sample))
    const open = parseOpenMetrics(text)
    const older = await scrape(metrics)
    expect(asText(open).toSorted()).toEqual(asText(older).toSorted())
    expect(open.types.size).toBe(older.types.size)
  })

  test('in turns with the older one, and both at once', async () => {
    const metrics = busy()
    const texts = await Promise.all([metrics.text(wanted), metrics.text(), metrics.text(wanted), metrics.text('*/*')])
    for (const [at, { text }] of texts.entries()) {
      const { samples } = at % 2 === 0 ? parseOpenMetrics(text) : parseExposition(text)
      expect(valueOf(samples, 'remora_read_lines_total')).toBe(101)
    }
  })
})

test('at the most so many series and bytes, whatever the application names its files', async () => {
  const byFile = Array.from({ length: limits.ledgerFilesMax }, (_, at) =>
    fileFigures(`/logs/${at}"\\\n\u202e${'"\\'.repeat(2_000)}.log`),
  )
  const events = Array.from({ length: limits.reasonsMax }, (_, at) => ({ kind: 'found', why: `why ${at}`, count: 1 }))
  const unreadableFiles = Array.from({ length: 16 }, (_, at) => ({ reason: `E${at}`, count: 1 }))
  const metrics = makeMetrics('1', () => ({ ...figures, byFile, events, unreadableFiles }))
  for (const outcome of ['ok', 'partial', 'overloaded', 'status', 'failed']) metrics.request(outcome, 1, 1)
  const { samples, text } = await scrape(metrics)
  // As docs/metrics.md has it.
  expect(samples.length).toBeLessThanOrEqual(1_500)
  expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024)
})
