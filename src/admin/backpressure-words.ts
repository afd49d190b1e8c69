/** The words for backpressure, in log, metrics, probes and on the status page, and what they mean for a person. */

/**
 * How what is written and what is shipped go together.
 *
 *   flowing   all that is known has been read a moment ago, and is answered for soon
 *   filling   more is there to read than has been read, or batches wait for long; slots are left
 *   full      reading stops for want of a slot, for most of the time: what is written stays in its files
 *   holding   the target takes nothing: someone has to mend it
 */
export const states = ['flowing', 'filling', 'full', 'holding'] as const
export type State = (typeof states)[number]

/**
 * Why it does not flow: what would have to change. Exclusive; `none` while it flows.
 *
 *   target              credentials, privileges, the index or its pipeline
 *   server_unreachable  no answer
 *   server_refusing     429 or 5xx
 *   server_slow         it takes what it is sent, and Remora waits for its answers
 *   state_disk          batches wait for a checkpoint that the disk of the state does not take
 *   memory_pressure     slots were given back, and those left are fewer than the requests that the server takes
 *   cpu_throttled       the quota of the cgroup (`cpu.max`) is used up
 *   stalled             Remora is ready to go on and does not: others have the CPU, or the volume does not answer
 *   one_core            more is there than one core encodes and sends
 */
export const causes = [
  'none',
  'target',
  'server_unreachable',
  'server_refusing',
  'server_slow',
  'state_disk',
  'memory_pressure',
  'cpu_throttled',
  'stalled',
  'one_core',
] as const
export type Cause = (typeof causes)[number]

export const stateTexts: Readonly<Record<State, string>> = {
  flowing: 'what is written is shipped at once',
  filling: 'more is there to ship than goes out',
  full: 'every batch slot is taken, and reading waits for one',
  holding: 'the target takes nothing, and lines wait for it',
}

/** What it is, and the way out. */
export const causeTexts: Readonly<Record<Exclude<Cause, 'none'>, readonly [what: string, wayOut: string]>> = {
  target: ['Elasticsearch refuses the target', 'Mend what it refuses: `remora check` tells.'],
  server_unreachable: ['Elasticsearch cannot be reached', '`remora check` tells more.'],
  server_refusing: [
    'Elasticsearch asks for time (429 or 5xx)',
    'Its write load is more than it can take: look at its write thread pool, disks and shards.',
  ],
  server_slow: [
    'Remora waits for the answers of Elasticsearch, or for the network',
    'See remora_bulk_request_seconds; more at once helps only if the cluster has room: REMORA_CONCURRENCY, and memory for it.',
  ],
  state_disk: [
    'the disk of REMORA_STATE_DIR does not take the checkpoint',
    'New files wait for it. Look at the volume; if it is full, make room.',
  ],
  memory_pressure: [
    'the container is short of memory, and batch slots were given back',
    'Raise the memory limit of the container; see remora_memory_in_use_bytes.',
  ],
  cpu_throttled: [
    'the CPU limit of the container is used up',
    'Raise resources.limits.cpu, or leave it out: Remora takes little more than one core at its fastest.',
  ],
  stalled: [
    'Remora is ready to go on and does not: others have the CPU, or the log volume does not answer reads',
    'Raise resources.requests.cpu; look at the load and the disks of the node.',
  ],
  one_core: [
    'more is there than one core encodes and sends: a backlog is worked off, or the application writes faster than that',
    'If remora_unread_bytes does not fall, have less logged, or leave files out with REMORA_EXCLUDE.',
  ],
}
