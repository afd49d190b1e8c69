import { durationOf, oneOf, perSecondOf, shareOf, wholeOf, wrong } from './option-values.ts'
import type { Shape } from './types.ts'
import { filesMax } from './workload/head.ts'

/** What the scenario `custom` is made of; undefined: as the scenario has it. */
export interface Custom {
  readonly files: number
  readonly rotation: { readonly kind: 'none' } | { readonly kind: 'rename' | 'copytruncate'; readonly everyMs: number }
  /** `max`: all of it is there before the agent starts. */
  readonly bytesPerSecond: number | 'max' | undefined
  readonly burst: { readonly times: number; readonly periodMs: number } | undefined
  readonly seconds: number
  readonly shape: Shape
}

/** As they were given: the options of `customOptions`, by name. */
export interface CustomTexts {
  readonly files?: string | undefined
  readonly rotation?: string | undefined
  readonly 'rotate-every'?: string | undefined
  readonly rate?: string | undefined
  readonly burst?: string | undefined
  readonly seconds?: string | undefined
  readonly latency?: string | undefined
  readonly bandwidth?: string | undefined
  readonly refuse?: string | undefined
  readonly 'refuse-items'?: string | undefined
  readonly outage?: readonly string[] | undefined
}

const text = { type: 'string' } as const

/** For `parseArgs`. */
export const customOptions = {
  files: text,
  rotation: text,
  'rotate-every': text,
  rate: text,
  burst: text,
  seconds: text,
  latency: text,
  bandwidth: text,
  refuse: text,
  'refuse-items': text,
  outage: { ...text, multiple: true },
} as const

export const customUsage = `  --rate 4MB          per second, of log, all files together; max: all of it is there before the agent starts
  --burst 5x/2s       the same on average, but in bursts of five times the rate, each two seconds anew
  --files N           so many files are written to (1)
  --rotation KIND     rename, copytruncate or none (none); eight old ones are kept
  --rotate-every 500ms  each of the files, so often
  --seconds N         lines are written for so long (10); with --rate max, roughly
  --latency 20ms      the server answers so late,
  --bandwidth 20MB    reads no more per second,
  --refuse 2%         answers so many requests with 429,
  --refuse-items 2%   and so many with 429 for a third of their documents, as when one shard is full,
  --outage 3s-8s      and is away from the third to the eighth second (may be given more than once)
`

const secondsDefault = 10
const secondsMax = 600
/** After an outage, so that catching up is seen. */
const afterOutageSeconds = 5
const latencyMsMax = 10_000
const refusedPercentMax = 90
const rotateMs = { min: 50, usual: 500, max: 600_000 }
const burstPeriodMs = { min: 100, max: 60_000 }
const burstTimesMax = 1_000
const outagesMax = 20

/** Those that were given, by name, for the report. */
export function customTextsOf(texts: CustomTexts): Record<string, string> {
  const given: Record<string, string> = {}
  for (const name of Object.keys(customOptions) as (keyof CustomTexts)[]) {
    const value = texts[name]
    if (value !== undefined) given[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return given
}

/** @throws RemoraError `OPTION` naming the option that is wrong, or that does not go with another */
export function parseCustom(texts: CustomTexts, hasUrl: boolean): Custom {
  const shaping = (['latency', 'bandwidth', 'refuse', 'refuse-items', 'outage'] as const).filter(
    (name) => texts[name] !== undefined,
  )
  if (hasUrl && shaping.length > 0) {
    throw wrong(
      `${shaping.map((name) => `--${name}`).join(' and ')} cannot slow your own server down`,
      'leave --url out, and the bench has a server of its own that is like a distant one',
    )
  }
  const outages = outagesOf(texts.outage ?? [])
  const bytesPerSecond = texts.rate === undefined ? undefined : rateOf(texts.rate)
  const atOnce = (['burst', 'rotation', 'outage'] as const).filter((name) => texts[name] !== undefined)
  if (bytesPerSecond === 'max' && atOnce.length > 0) {
    throw wrong(
      `--${atOnce[0]} does not go with --rate max: all lines are there before the agent starts`,
      'give a rate, as in --rate 4MB',
    )
  }
  return {
    files: texts.files === undefined ? 1 : wholeOf('--files', texts.files, 1, filesMax),
    rotation: rotationOf(texts.rotation, texts['rotate-every']),
    bytesPerSecond,
    burst: texts.burst === undefined ? undefined : burstOf(texts.burst),
    seconds: secondsOf(texts.seconds, outages),
    shape: {
      latencyMs: texts.latency === undefined ? 0 : durationOf('--latency', texts.latency, 0, latencyMsMax),
      bytesPerSecond: texts.bandwidth === undefined ? undefined : perSecondOf('--bandwidth', texts.bandwidth),
      refusedShare: texts.refuse === undefined ? 0 : shareOf('--refuse', texts.refuse, refusedPercentMax),
      itemRefusedShare:
        texts['refuse-items'] === undefined ? 0 : shareOf('--refuse-items', texts['refuse-items'], refusedPercentMax),
      outages,
    },
  }
}

function rateOf(given: string): number | 'max' {
  return given === 'max' ? 'max' : perSecondOf('--rate', given)
}

function rotationOf(kind: string | undefined, every: string | undefined): Custom['rotation'] {
  const rotation = oneOf('--rotation', kind ?? 'none', ['rename', 'copytruncate', 'none'])
  if (rotation === 'none') {
    if (every === undefined) return { kind: 'none' }
    throw wrong('--rotate-every says how often, but not how', 'add --rotation rename or --rotation copytruncate')
  }
  const everyMs = every === undefined ? rotateMs.usual : durationOf('--rotate-every', every, rotateMs.min, rotateMs.max)
  return { kind: rotation, everyMs }
}

function burstOf(given: string): NonNullable<Custom['burst']> {
  const [, factor = '', period = ''] = /^(\d{1,4}(?:\.\d{1,3})?)x\/(.+)$/.exec(given) ?? []
  const times = Number(factor)
  if (period === '' || times <= 1 || times > burstTimesMax) {
    throw wrong(
      `--burst is not ${JSON.stringify(given)}`,
      `write how many times the rate (more than 1, at most ${burstTimesMax}), and how often: 5x/2s`,
    )
  }
  return { times, periodMs: durationOf('--burst', period, burstPeriodMs.min, burstPeriodMs.max) }
}

/** In order, and apart: what begins while another goes on would end it. */
function outagesOf(given: readonly string[]): Shape['outages'] {
  if (given.length > outagesMax) throw wrong('--outage is given too often', `${outagesMax} times at most`)
  const outages = given.map((each) => {
    const [, from = '', to = ''] = /^([^-]+)-([^-]+)$/.exec(each) ?? []
    if (to === '') throw wrong(`--outage is not ${JSON.stringify(each)}`, 'write from when to when: 3s-8s')
    const [fromMs, toMs] = [from, to].map((at) => durationOf('--outage', at, 0, secondsMax * 1_000)) as [number, number]
    if (fromMs >= toMs) throw wrong(`--outage ${each} ends before it begins`, 'write from when to when: 3s-8s')
    return { fromMs, toMs }
  })
  outages.sort((a, b) => a.fromMs - b.fromMs)
  if (outages.some(({ fromMs }, at) => at > 0 && fromMs <= outages[at - 1]!.toMs)) {
    throw wrong('two times of --outage overlap', 'make them one, or leave some time between them')
  }
  return outages
}

function secondsOf(given: string | undefined, outages: Shape['outages']): number {
  const lastSeconds = (outages.at(-1)?.toMs ?? 0) / 1_000
  if (given === undefined) {
    return Math.max(secondsDefault, lastSeconds === 0 ? 0 : Math.ceil(lastSeconds) + afterOutageSeconds)
  }
  const seconds = wholeOf('--seconds', given, 1, secondsMax)
  if (seconds > lastSeconds) return seconds
  throw wrong(
    `--outage ends after ${lastSeconds} s, when nothing is written any more`,
    `write more than that for --seconds, or leave it out`,
  )
}
