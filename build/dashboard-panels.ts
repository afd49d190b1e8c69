/** What the Grafana dashboard shows: `dashboard.ts` makes it of this. */

export interface Panel {
  readonly title: string
  /** Of Grafana: `bytes`, `Bps`, `s`, `short`, `percentunit`, `cps` … */
  readonly unit: string
  /** What a person has to know to read it. */
  readonly about: string
  /** PromQL, in which `$pods` stands for the chosen Pods, and what a line is called. */
  readonly lines: readonly (readonly [expression: string, legend: string])[]
  readonly kind?: 'timeseries' | 'stat' | 'state-timeline' | 'table'
  /** Of 24. */
  readonly width?: number
  /** From here on it is red. */
  readonly badFrom?: number
  readonly stacked?: boolean
}

const interval = '$__rate_interval'

const rate = (metric: string) => `sum(rate(${metric}{$pods}[${interval}]))`
const lostIn = (metric: string) => `sum(increase(${metric}{$pods}[$__range]))`
const quantile = (share: number, metric: string) =>
  `histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket{$pods}[${interval}])))`
const quantiles = (metric: string): Panel['lines'] =>
  [0.5, 0.95, 0.99].map((share) => [quantile(share, metric), `p${share * 100}`])

const stat = (title: string, unit: string, expression: string, about: string, badFrom?: number): Panel => ({
  title,
  unit,
  about,
  lines: [[expression, '']],
  kind: 'stat',
  width: 4,
  ...(badFrom !== undefined && { badFrom }),
})

export const rows: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'At a glance',
    [
      stat('Pods', 'short', 'count(remora_build_info{$pods})', 'Pods whose Remora answers.'),
      stat('Longest lag', 's', 'max(remora_lag_seconds{$pods})', 'Nothing readable has waited for longer.', 300),
      stat('Unread', 'bytes', 'sum(remora_unread_bytes{$pods})', 'In all files of all Pods.'),
      stat(
        'Lost lines and files',
        'short',
        `${lostIn('remora_lost_lines_total')} + ${lostIn('remora_gaps_total')} + ${lostIn('remora_dropped_files_total')}`,
        'Within the time shown: lines refused and not kept, files that vanished unread, files given up for the volume.',
        1,
      ),
      stat('Dead letters', 'short', 'sum(remora_dead_letters{$pods})', 'They wait for `remora replay`.', 1),
      stat(
        'Pods that cannot ship',
        'short',
        'sum(remora_elasticsearch_state{$pods,state=~"holding|unreachable"})',
        'Elasticsearch refuses the target, or does not answer.',
        1,
      ),
    ],
  ],
  [
    'Throughput',
    [
      {
        title: 'Bytes',
        unit: 'Bps',
        about: 'Read from files, answered for, and sent: a document is larger than its line.',
        lines: [
          [rate('remora_read_bytes_total'), 'read'],
          [rate('remora_acknowledged_bytes_total'), 'acknowledged'],
          [rate('remora_sent_bytes_total'), 'sent'],
        ],
      },
      {
        title: 'Lines',
        unit: 'cps',
        about: 'What became of the lines. Duplicates were there already.',
        lines: [
          [rate('remora_read_lines_total'), 'read'],
          [rate('remora_acknowledged_lines_total'), 'acknowledged'],
          [rate('remora_duplicate_lines_total'), 'of them there already'],
          [rate('remora_refused_lines_total'), 'refused'],
        ],
      },
      {
        title: 'Requests by outcome',
        unit: 'reqps',
        about:
          'ok: all taken; partial: some put off, held or refused; overloaded: 429 or 5xx; status: another; failed: no answer.',
        lines: [[`sum by (outcome) (rate(remora_bulk_request_seconds_count{$pods}[${interval}]))`, '{{outcome}}']],
        stacked: true,
      },
      {
        title: 'Time of a bulk request',
        unit: 's',
        about: 'From sending to the whole answer.',
        lines: quantiles('remora_bulk_request_seconds'),
      },
      {
        title: 'Time from line to verdict',
        unit: 's',
        about: 'From the first line read into a batch to the last verdict on it, retries included.',
        lines: quantiles('remora_delivery_seconds'),
      },
      {
        title: 'Requests at once',
        unit: 'short',
        about: 'Under way, and what the server takes at once as found out so far.',
        lines: [
          ['sum(remora_requests_under_way{$pods})', 'under way'],
          ['sum(remora_requests_max{$pods})', 'taken at once'],
        ],
      },
    ],
  ],
  [
    'Lag and backpressure',
    [
      {
        title: 'Lag by Pod',
        unit: 's',
        about: 'The ten that are furthest behind.',
        lines: [['topk(10, remora_lag_seconds{$pods})', '{{namespace}}/{{pod}}']],
      },
      {
        title: 'Unread bytes by Pod',
        unit: 'bytes',
        about: 'The ten with most.',
        lines: [['topk(10, remora_unread_bytes{$pods})', '{{namespace}}/{{pod}}']],
      },
      {
        title: 'Lag by file',
        unit: 's',
        about: 'The ten files that are furthest behind.',
        lines: [['topk(10, remora_file_lag_seconds{$pods})', '{{pod}} {{path}}']],
      },
      {
        title: 'What is in the way',
        unit: 'short',
        about: 'Pods by the cause of their backpressure; docs/operations.md says what to do about each.',
        lines: [['sum by (cause) (remora_backpressure_cause{$pods,cause!="none"})', '{{cause}}']],
        stacked: true,
      },
      {
        title: 'Time without a free batch slot',
        unit: 'percentunit',
        about: 'Share of the time in which something was readable and nothing could be read.',
        lines: [[`rate(remora_read_blocked_seconds_total{$pods}[${interval}])`, '{{namespace}}/{{pod}}']],
      },
      {
        title: 'Oldest batch without a verdict',
        unit: 's',
        about: 'Since it left.',
        lines: [['topk(10, remora_held_seconds{$pods})', '{{namespace}}/{{pod}}']],
      },
    ],
  ],
  [
    'Losses',
    [
      {
        title: 'Lines refused, kept and lost',
        unit: 'short',
        about: 'Within five minutes.',
        lines: [
          ['sum(increase(remora_dead_lettered_lines_total{$pods}[5m]))', 'dead-lettered'],
          ['sum(increase(remora_lost_lines_total{$pods}[5m]))', 'lost'],
          ['sum(increase(remora_failure_stored_lines_total{$pods}[5m]))', 'in the failure store'],
          ['sum(increase(remora_possibly_duplicated_lines_total{$pods}[5m]))', 'possibly twice'],
          ['sum(increase(remora_cut_lines_total{$pods}[5m]))', 'cut'],
        ],
      },
      {
        title: 'Bytes nobody read',
        unit: 'bytes',
        about: 'Within five minutes: of files that vanished, and of files given up for the volume.',
        lines: [
          ['sum(increase(remora_gap_bytes_total{$pods}[5m]))', 'vanished'],
          ['sum(increase(remora_dropped_bytes_total{$pods}[5m]))', 'dropped for the volume'],
        ],
      },
      {
        title: 'Dead letters against their bound',
        unit: 'percentunit',
        about: 'Of REMORA_DEAD_LETTER_BYTES; beyond it the oldest letters go.',
        lines: [
          [
            'topk(10, remora_dead_letters_bytes{$pods} / remora_dead_letters_limit_bytes{$pods})',
            '{{namespace}}/{{pod}}',
          ],
        ],
        badFrom: 0.8,
      },
    ],
  ],
  [
    'Files and volume',
    [
      {
        title: 'Files',
        unit: 'short',
        about: 'Generations that are known, and files held open.',
        lines: [
          ['sum(remora_files{$pods})', 'known'],
          ['sum(remora_open_files{$pods})', 'open'],
        ],
      },
      {
        title: 'Rotations',
        unit: 'short',
        about: 'Within five minutes, by what happened to the file.',
        lines: [['sum by (kind) (increase(remora_rotations_total{$pods}[5m]))', '{{kind}}']],
      },
      {
        title: 'What cannot be read',
        unit: 'short',
        about: 'Files by reason, and directories.',
        lines: [
          ['sum by (reason) (remora_unreadable_files{$pods})', 'files: {{reason}}'],
          ['sum(remora_unreadable_directories{$pods})', 'directories'],
        ],
        badFrom: 1,
      },
      {
        title: 'Log volume',
        unit: 'percentunit',
        about: 'Of REMORA_VOLUME_LIMIT; beyond it the kubelet evicts the Pod.',
        lines: [
          [
            'topk(10, remora_volume_used_bytes{$pods} / (remora_volume_limit_bytes{$pods} > 0))',
            '{{namespace}}/{{pod}}',
          ],
        ],
        badFrom: 0.9,
      },
      {
        title: 'Room made in the volume',
        unit: 'bytes',
        about: 'Within five minutes, by deleting what is shipped.',
        lines: [['sum(increase(remora_volume_freed_bytes_total{$pods}[5m]))', 'freed']],
      },
      {
        title: 'Checkpoints',
        unit: 's',
        about: 'Time that writing one takes, 99 of 100; and how many failed within five minutes.',
        lines: [
          [quantile(0.99, 'remora_checkpoint_write_seconds'), 'p99'],
          ['sum(increase(remora_checkpoint_failures_total{$pods}[5m]))', 'failed'],
        ],
      },
    ],
  ],
  [
    'Memory and CPU',
    [
      {
        title: 'Memory against the limit',
        unit: 'percentunit',
        about: 'Anonymous, kernel and socket memory; page cache gives way and does not count.',
        lines: [
          ['topk(10, remora_memory_in_use_bytes{$pods} / remora_memory_limit_bytes{$pods})', '{{namespace}}/{{pod}}'],
        ],
        badFrom: 0.95,
      },
      {
        title: 'Batch slots',
        unit: 'short',
        about: 'Taken, there now, and in the memory plan: fewer than planned is memory pressure.',
        lines: [
          ['sum(remora_arena_slots_taken{$pods})', 'taken'],
          ['sum(remora_arena_slots{$pods})', 'there'],
          ['sum(remora_arena_slots_planned{$pods})', 'planned'],
        ],
      },
      {
        title: 'Want of memory',
        unit: 'short',
        about: 'Within five minutes.',
        lines: [
          ['sum(increase(remora_memory_ooms_total{$pods}[5m]))', 'the kernel found none'],
          ['sum(increase(remora_arena_slots_given_back_total{$pods}[5m]))', 'slots given back'],
          ['sum(increase(remora_memory_stalled_seconds_total{$pods}[5m]))', 'seconds stalled'],
        ],
      },
      {
        title: 'CPU',
        unit: 'short',
        about: 'Cores in use, and the limit.',
        lines: [
          [
            `topk(10, rate(process_cpu_seconds_total{$pods}[${interval}]) and on (job, instance) remora_build_info)`,
            '{{namespace}}/{{pod}}',
          ],
          ['max(remora_cpu_quota_cores{$pods})', 'largest limit'],
        ],
      },
      {
        title: 'Periods in which the CPU limit was used up',
        unit: 'percentunit',
        about: 'A quarter or more slows shipping down.',
        lines: [
          [
            `topk(10, rate(remora_cpu_throttled_periods_total{$pods}[${interval}]) / rate(remora_cpu_periods_total{$pods}[${interval}]))`,
            '{{namespace}}/{{pod}}',
          ],
        ],
        badFrom: 0.25,
      },
      {
        title: 'Versions',
        unit: 'short',
        about: 'Pods by version of Remora and Node.',
        lines: [
          ['count by (version, node_version) (remora_build_info{$pods})', 'Remora {{version}}, Node {{node_version}}'],
        ],
      },
    ],
  ],
]
