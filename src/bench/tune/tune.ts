import { tmpdir } from 'node:os'
import { systemClock } from '../../base/clock.ts'
import { RemoraError } from '../../base/errors.ts'
import { Cost } from '../cost.ts'
import { settingsFor } from '../elasticsearch/connection.ts'
import { type Held, wantedLimits, type Wanted } from '../limits/choose.ts'
import { holdHere, programUnder } from '../limits/hold.ts'
import { removeLeft } from '../machine/temporary.ts'
import type { Program } from '../program.ts'
import { provenanceFrom } from '../report/provenance.ts'
import { roomFor } from '../room.ts'
import { type Parts, run } from '../run.ts'
import type { Watcher } from '../scenarios/perform-all.ts'
import type { Limits, RunPlan, RunResult } from '../types.ts'
import { backlogFor, rateFor } from './calibrate.ts'
import { type Effort, effortFor } from './effort.ts'
import { Fits } from './fits.ts'
import { type Common, figureOf, type Load, outcomeOf, planOf } from './goals.ts'
import { type Rules, search, type Stage } from './search.ts'
import { givenTuneOptions, type TuneOptions } from './options.ts'
import { isTuned, nameOf, spaceOf, tunedSettings, windowBytesOf } from './space.ts'
import { RunTimes } from './times.ts'
import { type Effect, tuneSchema, type TuneReport, tuneVersion, type Values } from './types.ts'

/** What is known before anything is measured. */
export interface TuneFacts {
  readonly wanted: Wanted
  readonly held: Held
  readonly effect: Effect
}

export interface TuneTools {
  readonly parts: Parts
  /** Has the credentials of the user's own server. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly watcher: Watcher
  readonly begins: (facts: TuneFacts) => void
  readonly signal: AbortSignal
  readonly program?: Program
  /** Else that of the form. */
  readonly effort?: Effort
}

/** Requests are small at first and become larger with each answer: about as many until all that may is on its way, and then some. */
const answersToOpen = 20
/** In a backlog for one that is much faster, that one lasts at least so much of what the first one did. */
const shortestShare = 0.5
/** But what is there must still get through it in time. */
const growthMax = 3

/** @throws RemoraError for options that cannot be, and where nothing arrives; the signal's reason when it is told to stop */
export async function tune(options: TuneOptions, tools: TuneTools): Promise<TuneReport> {
  const { signal } = tools
  removeLeft()
  const startedAtMs = systemClock.nowMs()
  const beganMs = systemClock.monotonicMs()
  const wanted = wantedLimits(options)
  const { held } = await holdHere(wanted.limits, options)
  const program = tools.program ?? programUnder(held.enforcement)
  const { form, goal, leastEffect, seed, url } = options
  const { effort = effortFor(form, goal) } = tools
  const memory = memoryFor(wanted.limits, held)
  const credentials = url === undefined ? {} : settingsFor(tools.env, url, 'remora-bench')
  const given = { ...credentials, ...wanted.settings, ...memory.settings }
  const fits = new Fits(given, url ?? 'http://127.0.0.1:9200', { ...held.limits, memoryBytes: memory.bytes })
  const start = startOf(given, fits)
  tools.begins({ wanted, held, effect: start.effect })
  const common: Common = {
    limits: held.limits,
    seed,
    mix: options.sample === undefined ? { kind: 'mixed' } : { kind: 'sample', path: options.sample },
    destination: url === undefined ? 'null' : { url },
    shape: { latencyMs: options.latencyMs, bytesPerSecond: options.bytesPerSecond },
    settings: { ...without(wanted.settings, tunedSettings), ...memory.settings },
  }
  const times = new RunTimes(effort.budgetSeconds, () => (systemClock.monotonicMs() - beganMs) / 1_000)
  const cost = new Cost()
  const measureOnce = async (plan: RunPlan): Promise<RunResult> => {
    const fromSeconds = times.seconds()
    const result = await run(plan, { program, parts: tools.parts, enforcement: held.enforcement, signal })
    times.took(times.seconds() - fromSeconds)
    return cost.add(result)
  }
  const asked = { seed, options: givenTuneOptions(options), startedAtMs }
  const provenance = provenanceFrom(await program.version(), { wanted, held }, asked)
  tools.watcher.begin(Math.round(effort.budgetSeconds / (effort.runSeconds + runOverheadSeconds)))
  const before = (about: string) => tools.watcher.step('getting ready', about, effort.budgetSeconds - times.seconds())
  const spaceFor = (filledMs: number | undefined) =>
    spaceOf({ goal, tried: effort.tried, only: options.only, fillMs: filledMs }, start, (values) => fits.of(values))
  // The way to a distant server opens by one answer after the other.
  const runSeconds = effort.runSeconds + (options.latencyMs / 1_000) * answersToOpen
  let load: Load
  let [fillMs, moreSeconds]: [number | undefined, number] = [undefined, 0]
  if (goal === 'rate') {
    const serverBytesPerSecond = options.bytesPerSecond
    const windowBytes = windowBytesOf(spaceFor(undefined).space)
    const found = await backlogFor({ seconds: runSeconds, windowBytes, serverBytesPerSecond }, (backlogBytes) => {
      before('how much is a backlog of a few seconds')
      return measureOnce(planOf(common, { backlogBytes, seconds: runSeconds }, start.values))
    })
    load = { backlogBytes: found.bytes, seconds: found.bytes / found.bytesPerSecond }
    moreSeconds = found.moreBytes / found.bytesPerSecond
    fillMs = start.effect.batchBytes / found.sentPerLogByte / (found.bytesPerSecond / 1e3)
  } else {
    const bytesPerSecond = await rateFor(
      { asked: options.rateBytesPerSecond, cpus: held.limits.cpus, serverBytesPerSecond: options.bytesPerSecond },
      (bytes) => {
        before('whether the rate is kept up with')
        const plan = planOf(common, { bytesPerSecond: bytes, seconds: effort.runSeconds }, start.values)
        return measureOnce(plan).then((result) => ({ plan, result }))
      },
    )
    load = { bytesPerSecond, seconds: effort.runSeconds }
  }
  const first = load
  times.begin(moreSeconds)
  const { space, untried } = spaceFor(fillMs)
  const stage: Stage = {
    async measure(tried, about, runsLeft) {
      tools.watcher.step(figureOf(goal).label, about, times.secondsLeft(runsLeft))
      const plan = planOf(common, load, tried.values)
      return outcomeOf(goal, plan, await measureOnce(plan))
    },
    hasTime: (runs) => times.hasTime(runs),
    bestIs(figure) {
      if (!('backlogBytes' in load) || !('backlogBytes' in first)) return
      const larger = Math.min(
        backlogBytesMax,
        roomFor(tmpdir()),
        first.backlogBytes * growthMax,
        figure * runSeconds * shortestShare,
      )
      const grown = Math.max(1, larger / load.backlogBytes)
      load = { backlogBytes: Math.round(load.backlogBytes * grown), seconds: load.seconds * grown }
    },
  }
  const rules: Rules = { ...effort.rules, better: figureOf(goal).better, leastEffect }
  const found = await search(space, rules, stage)
  return {
    schema: tuneSchema,
    version: tuneVersion,
    ...(await provenance.end()),
    goal,
    leastEffect,
    server: url === undefined ? { kind: 'null', ...common.shape } : { kind: 'elasticsearch', url },
    load: 'backlogBytes' in first ? { backlogBytes: first.backlogBytes } : { bytesPerSecond: first.bytesPerSecond },
    ...found,
    untried: [...untried, ...found.untried],
    runs: cost.runs,
    measuring: cost.sum,
  }
}

/** To start the agent and to end it all. */
const runOverheadSeconds = 4
/** Of what is written to the directory for temporary files. */
const backlogBytesMax = 512e6

/** What is there, and what the agent makes of it. @throws RemoraError when it cannot be */
function startOf(given: Values, fits: Fits) {
  const values = Object.fromEntries(Object.entries(given).filter(([name]) => isTuned(name)))
  const fit = fits.of(values)
  if (!fit.ok)
    throw new RemoraError(
      'SETTINGS',
      `nothing can be tuned, for the agent does not start as it is: ${fit.reason}`,
      fit.wayOut,
    )
  return { name: nameOf(values), values, effect: fit.effect }
}

function without(values: Values, names: readonly string[]): Values {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)))
}

/**
 * The memory that the sidecar will have, where a smaller limit is wanted than holds here: settings for more would be told to
 * be better, and the Pod that they are for would not start with them.
 */
export function memoryFor(
  wanted: Limits,
  { enforcement, limits }: Held,
): { readonly bytes: number | undefined; readonly settings: Readonly<Record<string, string>> } {
  const isHeld = enforcement.kind === 'cgroup' || enforcement.kind === 'container'
  const least = Math.min(wanted.memoryBytes ?? Infinity, limits.memoryBytes ?? Infinity)
  if (isHeld || least === Infinity) return { bytes: limits.memoryBytes, settings: {} }
  return { bytes: least, settings: { REMORA_MEMORY_LIMIT: String(Math.floor(least)) } }
}
