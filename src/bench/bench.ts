import { tmpdir } from 'node:os'
import { systemClock } from '../base/clock.ts'
import { RemoraError } from '../base/errors.ts'
import { Cost } from './cost.ts'
import { type Sent, startFloor } from './floor/floor-beside.ts'
import { makeFloor } from './floor/floor.ts'
import { type Held, wantedLimits, type Wanted } from './limits/choose.ts'
import { holdHere, programUnder } from './limits/hold.ts'
import { removeLeft } from './machine/temporary.ts'
import { type BenchOptions, givenOptions } from './options.ts'
import type { Program } from './program.ts'
import { provenanceFrom } from './report/provenance.ts'
import { type Report, reportSchema, reportVersion } from './report/report.ts'
import { mustHaveRoom, neededBytes } from './room.ts'
import { type Parts, run, type RunOptions } from './run.ts'
import { choose, type Left } from './scenarios/choose.ts'
import { performAll, type Watcher } from './scenarios/perform-all.ts'
import { type Form, planOf, type Setting } from './scenarios/scenario.ts'
import { type Mix, plainShape, type RunPlan } from './types.ts'

/** What is known before anything is measured. */
export interface Facts {
  readonly wanted: Wanted
  readonly held: Held
  readonly floor: string
  readonly left: readonly Left[]
}

export interface BenchTools {
  readonly parts: Parts
  /** Bytes of a line of a mix, on average. @throws RemoraError for a sample that cannot be taken */
  readonly lineBytesOf: (mix: Mix, seed: number) => number
  readonly watcher: Watcher
  readonly begins: (facts: Facts) => void
  readonly signal: AbortSignal
  /** Remora itself, where nothing else is measured. */
  readonly program?: Program
}

/** Under three minutes, and under thirty, with what it takes to begin and to end. */
const budgetSeconds: Readonly<Record<Form, number>> = { short: 160, long: 27 * 60 }
const floorBytes: Readonly<Record<Form, number>> = { short: 96e6, long: 256e6 }
/** Enough for how much the agent sends of a line. */
const firstLookBytes = 8e6
/** Where nobody counts what is sent. Source: DESIGN, the copy floor. */
const usuallySent: Sent = { perLogByte: 2, isMeasured: false }

/**
 * When it is told to stop, or something breaks, the scenarios that are done are still told: the report says what was cut short.
 * @throws RemoraError for options that cannot be; the signal's reason, or what broke, when there is nothing to tell yet
 */
export async function bench(options: BenchOptions, tools: BenchTools): Promise<Report> {
  const { signal, parts } = tools
  removeLeft()
  const startedAtMs = systemClock.nowMs()
  const beganMs = systemClock.monotonicMs()
  const wanted = wantedLimits(options)
  const { held, ability } = await holdHere(wanted.limits, options)
  const program = tools.program ?? programUnder(held.enforcement)
  const mix: Mix =
    options.sample === undefined ? { kind: options.mix ?? 'mixed' } : { kind: 'sample', path: options.sample }
  const setting: Setting = {
    form: options.form,
    limits: held.limits,
    enforcement: held.enforcement,
    own: ability.own,
    seed: options.seed,
    mix,
    lineBytes: tools.lineBytesOf(mix, options.seed),
    destination: options.url === undefined ? 'null' : { url: options.url },
    settings: wanted.settings,
    custom: options.custom,
  }
  const { chosen, left } = choose(options, setting)
  mustHaveRoom(Math.max(...chosen.flatMap(({ rows }) => rows.map((row) => neededBytes(planOf(row))))), tmpdir())
  const cost = new Cost()
  const runOptions: RunOptions = { program, parts, enforcement: held.enforcement, signal }
  const given = { seed: options.seed, options: givenOptions(options), startedAtMs }
  const provenance = provenanceFrom(await program.version(), { wanted, held }, given)
  const tool = await makeFloor('auto')
  const sent = await firstLook(setting, runOptions)
  const lines = { mix, seed: options.seed, bytes: floorBytes[options.form] }
  const floor = await startFloor(tool, lines, sent, (workload, logs) => parts.writer(workload, logs))
  try {
    tools.begins({ wanted, held, floor: floor.explain, left })
    // Whoever names scenarios or rounds has as much time as these take.
    const isFree = options.scenarios.length > 0 || options.rounds !== undefined
    const done = await performAll(chosen, {
      run: async (plan) => cost.add(await run(plan, runOptions)),
      floor: () => floor.measure(),
      monotonicMs: () => systemClock.monotonicMs(),
      processors: Math.min(provenance.machine.processors, ability.own.cpus ?? Infinity),
      budgetSeconds: isFree ? Infinity : budgetSeconds[options.form],
      seconds: () => (systemClock.monotonicMs() - beganMs) / 1_000,
      watcher: tools.watcher,
      signal,
    })
    return {
      schema: reportSchema,
      version: reportVersion,
      ...(await provenance.end()),
      measuring: cost.sum,
      floor: { kind: tool.kind, explain: floor.explain },
      scenarios: done.results,
      skipped: [...left, ...done.left],
      failures: done.failures,
    }
  } finally {
    await floor.close()
  }
}

/** One run that no figure is made of: it tells whether anything arrives at all, what is sent of a line, and warms the caches. */
async function firstLook(setting: Setting, options: RunOptions): Promise<Sent> {
  if (setting.destination !== 'null') return usuallySent
  const plan: RunPlan = {
    limits: { cpus: undefined, memoryBytes: undefined },
    workload: {
      seed: setting.seed,
      mix: setting.mix,
      rate: { kind: 'backlog' },
      files: 1,
      activeFiles: 1,
      rotation: { kind: 'none' },
      end: { bytes: firstLookBytes },
    },
    destination: { kind: 'null', shape: plainShape },
    settings: setting.settings,
    killsAtMs: [],
    warmUpMs: 0,
    drainMsMax: 30_000,
  }
  const { failure, bodyBytes, account } = await run(plan, options)
  if (failure !== '') {
    throw new RemoraError(
      'NOTHING_SHIPPED',
      `the agent does not ship a few lines that wait for it: ${failure}`,
      'see its last words; settings from a manifest are those of the bench, too',
    )
  }
  return { perLogByte: bodyBytes / account.writtenBytes, isMeasured: true }
}
