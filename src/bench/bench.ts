import { systemClock } from '../base/clock.ts'
import { RemoraError } from '../base/errors.ts'
import { abilityHere } from './agent/place.ts'
import { remoraProgram } from './agent/remora.ts'
import { type FloorBeside, startFloor } from './floor/floor-beside.ts'
import { makeFloor } from './floor/floor.ts'
import { enforcementOf, type Held, wantedLimits, type Wanted } from './limits/choose.ts'
import { type Commit, commitHere, type Machine, machineHere } from './machine/facts.ts'
import type { BenchOptions } from './options.ts'
import type { Program } from './program.ts'
import { run, type RunOptions, type Parts } from './run.ts'
import { perform, type Stage } from './scenarios/perform.ts'
import {
  type Form,
  obstacleOf,
  type PlannedRow,
  rowSeconds,
  rowsOf,
  type Scenario,
  type Setting,
} from './scenarios/scenario.ts'
import { scenarios } from './scenarios/table.ts'
import { TimeTable } from './scenarios/time-table.ts'
import type { Mix, ScenarioResult } from './types.ts'

/** What a bench came to. */
export interface BenchResult {
  readonly form: Form
  readonly startedAtMs: number
  readonly seconds: number
  readonly program: { readonly name: string; readonly version: string }
  readonly machine: Machine
  readonly commit: Commit | undefined
  readonly wanted: Wanted
  readonly held: Held
  /** Which copy floor, and how it was taken. */
  readonly floor: string
  readonly seed: number
  readonly mix: Mix
  readonly destination: string
  readonly scenarios: readonly ScenarioResult[]
  /** Scenarios that were not run, and why. */
  readonly left: readonly { readonly name: string; readonly why: string }[]
}

/** Told while it runs. */
export interface Watcher {
  begin(steps: number): void
  step(name: string, about: string, secondsLeft: number): void
  done(): void
}

export interface BenchTools {
  readonly parts: Parts
  /** Bytes of a line of a mix, on average. */
  readonly lineBytesOf: (mix: Mix, seed: number) => number
  readonly watcher: Watcher
  /** Told once, before anything runs. */
  readonly begins: (facts: {
    readonly wanted: Wanted
    readonly held: Held
    readonly floor: string
    readonly left: readonly Left[]
  }) => void
  readonly signal: AbortSignal
  readonly program?: Program
}

/** Under three minutes, and under thirty, with what it takes to begin and to end. */
const budgetSeconds: Readonly<Record<Form, number>> = { short: 160, long: 27 * 60 }
const floorBytes: Readonly<Record<Form, number>> = { short: 64e6, long: 256e6 }
/** Floor before and after each round. */
const floorSeconds = 1

/** @throws RemoraError for options that cannot be; the signal's reason when it is told to stop */
export async function bench(options: BenchOptions, tools: BenchTools): Promise<BenchResult> {
  const { signal, program = remoraProgram() } = tools
  const startedAtMs = systemClock.nowMs()
  const beganMs = systemClock.monotonicMs()
  const wanted = wantedLimits(options)
  const ability = abilityHere()
  const held = enforcementOf(wanted.limits, ability)
  const mix: Mix = options.sample === undefined ? { kind: 'mixed' } : { kind: 'sample', path: options.sample }
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
  }
  const { chosen, left } = choose(options, setting)
  const version = await program.version()
  const tool = await makeFloor('auto')
  const floor = await startFloor(tool, { mix, seed: options.seed, bytes: floorBytes[options.form] }, (workload, logs) =>
    tools.parts.writer(workload, logs),
  )
  tools.begins({ wanted, held, floor: floor.explain, left })
  const seconds = () => (systemClock.monotonicMs() - beganMs) / 1_000
  try {
    const runOptions: RunOptions = { program, parts: tools.parts, enforcement: held.enforcement, signal }
    const done = await performAll(chosen, options, { floor, runOptions, seconds, tools })
    return {
      form: options.form,
      startedAtMs,
      seconds: seconds(),
      program: { name: program.name, version },
      machine: machineHere(),
      commit: await commitHere(),
      wanted,
      held,
      floor: floor.explain,
      seed: options.seed,
      mix,
      destination:
        options.url === undefined ? "the bench's own server, which keeps nothing" : new URL(options.url).origin,
      scenarios: done.results,
      left: [...left, ...done.left],
    }
  } finally {
    tools.watcher.done()
    await floor.close()
  }
}

interface Chosen {
  readonly scenario: Scenario
  readonly rows: readonly PlannedRow[]
  readonly rounds: number
}

type Left = { readonly name: string; readonly why: string }

/** Those that were named, else those of the form; and of these, those that can be run here. */
export function choose(
  options: Pick<BenchOptions, 'scenarios' | 'form' | 'rounds'>,
  setting: Setting,
): { readonly chosen: readonly Chosen[]; readonly left: readonly Left[] } {
  const isNamed = options.scenarios.length > 0
  const wanted = scenarios.filter(({ name, forms }) =>
    isNamed ? options.scenarios.includes(name) : forms.includes(options.form),
  )
  const left: Left[] = []
  const chosen = wanted.flatMap((scenario) => {
    const rows = rowsOf(scenario, setting)
    const why = obstacleOf(scenario, setting) || (rows.length === 0 ? 'the bench itself may not have as much' : '')
    if (why === '') return [{ scenario, rows, rounds: options.rounds ?? scenario.rounds[options.form] }]
    left.push({ name: scenario.name, why })
    return []
  })
  if (chosen.length === 0) {
    throw new RemoraError(
      'NO_SCENARIO',
      `nothing can be measured here: ${left.map(({ name, why }) => `${name}: ${why}`).join('; ')}`,
      'name other scenarios; --list tells them',
    )
  }
  if (!isNamed && options.form === 'short') {
    const why = 'not in the short form'
    left.push(...scenarios.filter(({ forms }) => forms.join() === 'long').map(({ name }) => ({ name, why })))
  }
  return { chosen, left }
}

interface Performing {
  readonly floor: FloorBeside
  readonly runOptions: RunOptions
  readonly seconds: () => number
  readonly tools: BenchTools
}

async function performAll(
  chosen: readonly Chosen[],
  options: BenchOptions,
  { floor, runOptions, seconds, tools }: Performing,
): Promise<{ results: ScenarioResult[]; left: Left[] }> {
  const { watcher } = tools
  const secondsOf = ({ rows }: Chosen, rounds: number) =>
    rows.reduce((sum, row) => sum + rowSeconds(row, rounds), 0) + floorSeconds * (rounds + 1)
  const times = chosen.map((each) => ({
    onceSeconds: secondsOf(each, 1),
    allSeconds: secondsOf(each, each.rounds),
  }))
  // Whoever names scenarios or rounds has as much time as these take.
  const isFree = options.scenarios.length > 0 || options.rounds !== undefined
  const table = new TimeTable(isFree ? Infinity : budgetSeconds[options.form], times, seconds)
  watcher.begin(chosen.reduce((sum, { rows, rounds }) => sum + rows.length * rounds, 0))
  const results: ScenarioResult[] = []
  const left: Left[] = []
  for (const [at, { scenario, rows, rounds }] of chosen.entries()) {
    if (!table.next(at)) {
      left.push({ name: scenario.name, why: 'there was no time left for it' })
      continue
    }
    let estimate = 0
    const stage: Stage = {
      run: (plan) => run(plan, runOptions),
      floor: () => floor.measure(),
      step(row, round) {
        table.done(estimate)
        estimate = rowSeconds(row, rounds) / rounds
        const of = rounds === 1 ? '' : `, round ${round} of ${rounds}`
        watcher.step(scenario.name, `${row.name}${of}`, table.secondsLeft())
      },
      mayGoOn: () => table.mayGoOn(),
      monotonicMs: () => systemClock.monotonicMs(),
    }
    results.push(await perform(scenario, rows, rounds, stage))
    table.done(estimate)
  }
  return { results, left }
}
