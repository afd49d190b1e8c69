import { formatBytes, formatDurationMs } from '../../base/units.ts'
import type { Fit } from './fits.ts'
import type { Dimension, Space } from './search.ts'
import type { Effect, GoalName, Try, Untried, Values } from './types.ts'

const names = {
  linger: 'REMORA_BATCH_LINGER',
  concurrency: 'REMORA_CONCURRENCY',
  batch: 'REMORA_BATCH_BYTES',
  compression: 'REMORA_COMPRESSION',
  level: 'REMORA_COMPRESSION_LEVEL',
} as const

/** All settings that are tuned. */
export const tunedSettings = [names.concurrency, names.batch, names.linger, names.compression, names.level] as const

export function isTuned(name: string): boolean {
  return tunedSettings.some((each) => each === name)
}

interface Setting {
  readonly settings: readonly string[]
  /** What may be set instead, nearest first. @param best  what the agent makes of the best so far */
  readonly near: (best: Effect, tried: Tried) => readonly Values[]
}

/** As in the table of settings. */
const bounds = { concurrency: { min: 1, max: 64 }, batchBytes: { min: 128 * 1024, max: 64 * 2 ** 20 } }

/** How far the search looks, nearest first. */
export interface Tried {
  /** Of what the agent makes of the settings as they are. */
  readonly concurrency: readonly number[]
  readonly batch: readonly number[]
  /** Of gzip, from the fastest to the smallest. */
  readonly levels: readonly number[]
  /** Of the time that a batch may wait. */
  readonly linger: readonly number[]
}

const roundBytes = 4096

const concurrency: Setting = {
  settings: [names.concurrency],
  near: (best, { concurrency: factors }) =>
    factors
      .map((factor) => Math.round(best.concurrency * factor))
      .filter((value) => value >= bounds.concurrency.min && value <= bounds.concurrency.max)
      .filter((value) => value !== best.concurrency)
      .map((value) => ({ [names.concurrency]: String(value) })),
}

const batch: Setting = {
  settings: [names.batch],
  near: (best, { batch: factors }) =>
    factors
      .map((factor) => Math.round((best.batchBytes * factor) / roundBytes) * roundBytes)
      .filter((value) => value >= bounds.batchBytes.min && value <= bounds.batchBytes.max)
      .map((value) => ({ [names.batch]: formatBytes(value) })),
}

/** Without compression a level is an error, so it goes with it. */
const compression: Setting = {
  settings: [names.compression, names.level],
  near: (best, { levels }) => {
    if (best.compression === 'none') return [packed(levels[0] ?? 1)]
    const others = levels.filter((level) => best.compression !== `gzip ${level}`)
    return [{ [names.compression]: 'none' }, ...others.map(packed)]
  },
}

function packed(level: number): Values {
  return { [names.compression]: 'gzip', [names.level]: String(level) }
}

const lingerFromNoneMs = [50, 200]

const linger: Setting = {
  settings: [names.linger],
  near: ({ lingerMs }, { linger: factors }) =>
    (lingerMs === 0 ? lingerFromNoneMs : factors.map((factor) => Math.round(lingerMs * factor))).map((value) => ({
      [names.linger]: formatDurationMs(value),
    })),
}

/** What decides whether a setting can matter. */
export interface SpaceFacts {
  readonly goal: GoalName
  readonly tried: Tried
  /** Empty: all that matter. */
  readonly only: readonly string[]
  /** How long a backlog takes to fill a batch, ms; undefined: there is no backlog. */
  readonly fillMs: number | undefined
}

/** A batch that is filled in this part of the time that it may wait never waits so long. */
const fillShare = 0.8

function settingsFor(
  { goal, fillMs }: SpaceFacts,
  start: Effect,
): { settings: readonly Setting[]; untried: readonly Untried[] } {
  if (goal === 'latency') return { settings: [linger, concurrency, batch, compression], untried: [] }
  if (goal === 'cpu') {
    const isPacked = start.compression !== 'none'
    const reason = 'packing takes CPU and gives none back: 2.3 s for each GB of bodies, and more with higher levels'
    const untried = isPacked ? [] : [{ name: names.compression, reason }]
    return { settings: [linger, batch, concurrency, ...(isPacked ? [compression] : [])], untried }
  }
  const settings = [concurrency, batch, compression]
  if (fillMs === undefined || fillMs > start.lingerMs * fillShare)
    return { settings: [...settings, linger], untried: [] }
  const reason = `it does not matter for a backlog, which fills a batch in about ${Math.max(1, Math.round(fillMs))} ms: none waits for ${formatDurationMs(start.lingerMs)}`
  return { settings, untried: [{ name: names.linger, reason }] }
}

/** What is searched. @param fit  what the agent says of settings @param given  those of them that are set already */
export function spaceOf(
  facts: SpaceFacts,
  start: Try,
  fit: (values: Values) => Fit,
): { readonly space: Space; readonly untried: readonly Untried[] } {
  const { only } = facts
  const isAsked = (name: string) => only.length === 0 || only.includes(name)
  const all = settingsFor(facts, start.effect)
  const settings = all.settings.filter((setting) => setting.settings.some(isAsked))
  const untried = all.untried.filter(({ name }) => isAsked(name))
  const tryOf = (values: Values) => {
    const found = fit(values)
    return found.ok ? { name: nameOf(values), values, effect: found.effect } : undefined
  }
  const dimensions = settings.map((setting): Dimension => ({
    settings: setting.settings,
    near: (best) => nearOf(setting, best, facts.tried, fit),
  }))
  return { space: { start, dimensions, tryOf }, untried }
}

/** The most bytes of bodies that any of these has on its way at once: the start, and what may be tried first. */
export function windowBytesOf({ start, dimensions }: Space): number {
  const tries = [start, ...dimensions.flatMap(({ near }) => near(start).tries)]
  return Math.max(...tries.map(({ effect }) => effect.batchBytes * effect.concurrency))
}

function nearOf({ settings, near }: Setting, best: Try, tried: Tried, fit: (values: Values) => Fit) {
  const tries: Try[] = []
  const untried: Untried[] = []
  for (const change of near(best.effect, tried)) {
    const kept = Object.entries(best.values).filter(([name]) => !settings.includes(name))
    const values = { ...Object.fromEntries(kept), ...change }
    const found = fit(values)
    const name = nameOf(change)
    if (found.ok) tries.push({ name, values, effect: found.effect })
    else {
      // What has no room beside this may have had room without it.
      const beside = kept.length === 0 ? '' : ` (beside ${textOf(Object.fromEntries(kept))})`
      untried.push({ name: textOf(change) + beside, reason: found.reason })
    }
  }
  return { tries, untried }
}

/** `8`, `none`, `gzip, level 3`. */
export function nameOf(values: Values): string {
  const { [names.level]: level, ...others } = values
  return Object.values(others).join(', ') + (level === undefined ? '' : `, level ${level}`)
}

/** `REMORA_COMPRESSION=gzip REMORA_COMPRESSION_LEVEL=3`. */
export function textOf(values: Values): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}
