import { parseArgs } from 'node:util'
import { messageOf } from '../../base/errors.ts'
import type { LimitOptions } from '../limits/choose.ts'
import type { HoldOptions } from '../limits/hold.ts'
import { durationOf, oneOf, percentOf, perSecondOf, wrong } from '../option-values.ts'
import { holdingOf, seedOf, urlOf } from '../options.ts'
import type { Form } from '../scenarios/scenario.ts'
import { leastEffectDefault } from './judge.ts'
import { tunedSettings } from './space.ts'
import type { GoalName } from './types.ts'

export type BlockFormat = 'kubernetes' | 'env'

export interface TuneOptions extends LimitOptions, HoldOptions {
  readonly goal: GoalName
  readonly form: Form
  /** Settings that are tuned; empty: all that matter for the goal. */
  readonly only: readonly string[]
  readonly seed: number
  /** The user's own Elasticsearch; undefined: the bench's own server. */
  readonly url: string | undefined
  /** Of the bench's own server. */
  readonly latencyMs: number
  readonly bytesPerSecond: number | undefined
  /** At which lines are written; undefined: one that the limits carry easily. */
  readonly rateBytesPerSecond: number | undefined
  readonly sample: string | undefined
  readonly leastEffect: number
  readonly format: BlockFormat
  readonly out: string | undefined
}

export const tuneUsage = `remora bench tune [options]

Which REMORA_BATCH_BYTES, REMORA_BATCH_LINGER, REMORA_CONCURRENCY and REMORA_COMPRESSION are best inside my limits, for this
server? Each is tried against what is there, in turn, several times; what looks better is measured once more against what was
there, and only that counts. The last thing printed is the block to paste, or that there is nothing to set.

  --goal rate         log bytes per second out of a backlog (the default)
         cpu          CPU per GB at a steady rate
         latency      from the write of a line to its acknowledgement, p99, at a steady rate
  --rate 4MB          per second, of log, for the last two; else one that the limits carry easily
  --url URL           your own Elasticsearch: a throw-away index for each run, deleted afterwards; credentials are taken from
                      the REMORA_… settings in the environment. Without it the bench's own server, which answers at once,
  --latency 20ms      or so late, as a distant one would
  --bandwidth 20MB    and takes no more than so much per second
  --cpu 200m          limits, as for remora bench
  --memory 64Mi
  --manifest FILE     the sidecar's limits and settings from a manifest: what is there is what has to be beaten
  --enforce HOW       how they are held, and from which image in a container, as for remora bench
  --image NAME
  --only REMORA_…     tune this setting alone (may be repeated)
  --short             in about three minutes: fewer tries, shorter runs; else in about ten
  --least-effect PCT  a gain below this is none (${leastEffectDefault * 100})
  --format kubernetes the block as a container's env (the default)
           env        as KEY=value
  --sample FILE       lines of your own instead of generated ones
  --seed N            other lines (1)
  --out DIR           where tune.json goes, with every measured value (remora-bench)
  --help
`

const goals = ['rate', 'cpu', 'latency'] as const
const formats = ['kubernetes', 'env'] as const
const latencyMsMax = 10_000
const percentMax = 100

/** @throws RemoraError naming the option that is wrong */
export function parseTuneOptions(argv: readonly string[]): TuneOptions | 'help' {
  const values = parsed(argv)
  if (values.help) return 'help'
  const goal = oneOf('--goal', values.goal, goals)
  const { url, latency, bandwidth, rate } = values
  const own = [latency === undefined ? [] : ['--latency'], bandwidth === undefined ? [] : ['--bandwidth']].flat()
  if (url !== undefined && own.length > 0) {
    throw wrong(
      `${own.join(' and ')} cannot slow your own server down`,
      'leave --url out, and the bench has a server of its own that is like a distant one',
    )
  }
  if (url !== undefined && goal === 'latency') {
    throw wrong(
      'your own server keeps no time of its answers, so there is no latency to tune by',
      'leave --url out and give the time that it takes with --latency, or tune --goal rate or cpu',
    )
  }
  if (rate !== undefined && goal === 'rate') {
    throw wrong(
      '--rate is for lines at a steady rate, and --goal rate ships a backlog',
      'leave it out, or choose --goal cpu or latency',
    )
  }
  return {
    cpu: values.cpu,
    memory: values.memory,
    manifest: values.manifest,
    ...holdingOf(values),
    goal,
    form: values.short ? 'short' : 'long',
    only: [...new Set((values.only ?? []).map((name) => oneOf('--only', name, tunedSettings)))],
    seed: seedOf(values.seed),
    url: url === undefined ? undefined : urlOf(url),
    latencyMs: latency === undefined ? 0 : durationOf('--latency', latency, 0, latencyMsMax),
    bytesPerSecond: bandwidth === undefined ? undefined : perSecondOf('--bandwidth', bandwidth),
    rateBytesPerSecond: rate === undefined ? undefined : perSecondOf('--rate', rate),
    sample: values.sample,
    leastEffect: percentOf('--least-effect', values['least-effect'], percentMax),
    format: oneOf('--format', values.format, formats),
    out: values.out,
  }
}

function parsed(argv: readonly string[]) {
  try {
    const text = { type: 'string' } as const
    const options = {
      goal: { ...text, default: 'rate' },
      rate: text,
      url: text,
      latency: text,
      bandwidth: text,
      cpu: text,
      memory: text,
      manifest: text,
      enforce: text,
      image: text,
      only: { ...text, multiple: true },
      short: { type: 'boolean', default: false },
      'least-effect': { ...text, default: String(leastEffectDefault * 100) },
      format: { ...text, default: 'kubernetes' },
      sample: text,
      seed: { ...text, default: '1' },
      out: text,
      help: { type: 'boolean', default: false },
    } as const
    return parseArgs({ args: [...argv], options }).values
  } catch (error) {
    throw wrong(messageOf(error), 'remora bench tune --help lists the options')
  }
}

/** As they were given, by name, for the report. */
export function givenTuneOptions(options: TuneOptions): Record<string, string> {
  const { seed: _seed, goal: _goal, leastEffect: _effect, format: _format, only, ...rest } = options
  const given: Record<string, string> = only.length === 0 ? {} : { only: only.join(', ') }
  for (const [name, value] of Object.entries(rest)) {
    if (value !== undefined && value !== 0) given[name] = String(value)
  }
  return given
}
