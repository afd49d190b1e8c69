import { spreadOf } from '../stats.ts'
import { confirm } from './confirm.ts'
import { type Better, gainOf, isClearlyBehind, judge, roundsMin } from './judge.ts'
import { inRounds } from './rounds.ts'
import type { Contest, Judged, Measured, Outcome, Search, Try, Untried, Values } from './types.ts'

/** One setting, or two that belong together, and what may be tried for it. */
export interface Dimension {
  /** The first of them names it. */
  readonly settings: readonly string[]
  /** Beside the best so far; those nearest to it first. Those that cannot be are told with the reason. */
  readonly near: (best: Try) => { readonly tries: readonly Try[]; readonly untried: readonly Untried[] }
}

export interface Space {
  readonly start: Try
  /** In the order in which they are looked at. */
  readonly dimensions: readonly Dimension[]
  /** Undefined: these settings cannot be. */
  readonly tryOf: (values: Values) => Try | undefined
}

export interface Rules {
  readonly better: Better
  readonly leastEffect: number
  /** At most, of one setting: four are measured, more only while something looks better and is not certain. */
  readonly roundsMax: number
  /**
   * Of what was chosen, against what was there before: how many is settled before the first of them, by the time that is left. With
   * seven or more on each side one run that something disturbed does not decide.
   */
  readonly confirmRounds: { readonly least: number; readonly most: number }
  /** How often all settings are gone through: the second time with what the first has found. */
  readonly passes: number
}

export interface Stage {
  /** One run. @param about  for a person: which contest and which round  @param runsLeft  roughly, this one included */
  measure(tried: Try, about: string, runsLeft: number): Promise<Outcome>
  /** Whether there is time for so many more runs. */
  hasTime(runs: number): boolean
  /** A contest has ended. @param figure  of the best, the median */
  bestIs(figure: number): void
}

/**
 * One setting after the other: tries and the best so far in turn, and a try takes its place only when the interval of the gain
 * excludes 1 and the gain is worth it. Many tries make a false win likely somewhere; so what came out is measured again, against
 * what was there at first, in fresh rounds. Only those count, and only those figures are told.
 */
export function search(space: Space, rules: Rules, stage: Stage): Promise<Search> {
  return new Searching(space, rules, stage).run()
}

class Searching {
  readonly #start: Try
  readonly #dimensions: readonly Dimension[]
  readonly #tryOf: Space['tryOf']
  readonly #rules: Rules
  readonly #stage: Stage
  readonly #contests: Contest[] = []
  readonly #untried = new Map<string, Untried>()
  /** By what the agent makes of them: two ways to say the same are one. */
  readonly #known = new Set<string>()
  #best: Try

  constructor({ start, dimensions, tryOf }: Space, rules: Rules, stage: Stage) {
    this.#start = this.#best = start
    this.#dimensions = dimensions
    this.#tryOf = tryOf
    this.#rules = rules
    this.#stage = stage
    this.#known.add(keyOf(start))
  }

  async run(): Promise<Search> {
    for (let pass = 1; pass <= this.#rules.passes; pass++) {
      const before = this.#best
      for (const dimension of this.#dimensions) if (!this.#hasFailed()) await this.#look(dimension, pass)
      if (this.#best === before || this.#hasFailed()) break
    }
    return this.#end()
  }

  async #look({ settings, near }: Dimension, pass: number): Promise<void> {
    const { tries, untried } = near(this.#best)
    for (const each of untried) this.#leave(each)
    const fresh = tries.filter((each, at) => {
      const isFirst = tries.findIndex((other) => keyOf(other) === keyOf(each)) === at
      return isFirst && !this.#known.has(keyOf(each))
    })
    if (fresh.length === 0) return
    const runs = (fresh.length + 1) * roundsMin
    if (!this.#stage.hasTime(runs + this.#confirmRuns())) {
      for (const { name } of fresh) this.#leave({ name: `${settings[0]}=${name}`, reason: 'there was no time for it' })
      return
    }
    for (const each of fresh) this.#known.add(keyOf(each))
    await this.#contest(settings[0]!, fresh, pass)
  }

  /** The first reason stands. */
  #leave(untried: Untried): void {
    if (!this.#untried.has(untried.name)) this.#untried.set(untried.name, untried)
  }

  async #contest(setting: string, tries: readonly Try[], pass: number): Promise<void> {
    const { better, leastEffect, roundsMax } = this.#rules
    const perRound = tries.length + 1
    const later = this.#laterRuns(setting, pass)
    const measured = await inRounds([this.#best, ...tries], roundsMax, {
      behindMax: 1,
      measure: (tried, round) => {
        const left = Math.max(1, roundsMin - round + 1) * perRound
        const what = tried === this.#best ? `${setting} as until now` : `${setting}=${tried.name}`
        return this.#stage.measure(tried, `${what}, round ${round}`, left + later)
      },
      drops: (first, other) => isClearlyBehind(first, other, better),
      goesOn: (round, first, others) => {
        if (round < roundsMin) return true
        const isOpen = others.some((other) => isUndecided(first, other, better, leastEffect))
        return isOpen && this.#stage.hasTime(others.length + 1 + this.#confirmRuns())
      },
    })
    const [best, ...others] = measured
    const judged = others.map((each) => judge(best!, each, better, leastEffect))
    const winner = best!.failure === '' ? winnerOf(judged, this.#rules) : undefined
    this.#contests.push({ setting, best: best!, judged, winner: winner?.tried })
    if (winner !== undefined) this.#best = winner.tried
    const values = (winner ?? best!).values
    if (values.length > 0) this.#stage.bestIs(spreadOf(values).median)
  }

  /** Roughly: settings still to be looked at in this pass, and the confirmation. */
  #laterRuns(setting: string, pass: number): number {
    if (pass > 1) return this.#confirmRuns()
    const at = this.#dimensions.findIndex(({ settings }) => settings[0] === setting)
    const later = this.#dimensions.slice(at + 1).map(({ near }) => near(this.#best).tries.length)
    return later.reduce((sum, tries) => sum + (tries === 0 ? 0 : tries + 1) * roundsMin, this.#confirmRuns())
  }

  /** Kept free at all times. */
  #confirmRuns(): number {
    return this.#rules.confirmRounds.least * 2
  }

  /** The best so far: there is nothing to compare with any more. */
  #hasFailed(): boolean {
    return this.#contests.some(({ best }) => best.failure !== '')
  }

  /** Which of the settings differ from what was there at first, each with those that belong to it. */
  #changes(): readonly (readonly string[])[] {
    const [start, best] = [this.#start.values, this.#best.values]
    return this.#dimensions
      .map(({ settings }) => settings)
      .filter((settings) => settings.some((name) => start[name] !== best[name]))
  }

  async #end(): Promise<Search> {
    const common = { start: this.#start, contests: this.#contests, untried: [...this.#untried.values()] }
    if (this.#best === this.#start || this.#hasFailed())
      return { ...common, confirmation: undefined, block: {}, remove: [] }
    const confirmation = await confirm(
      { start: this.#start, chosen: this.#best, changes: this.#changes(), tryOf: this.#tryOf },
      this.#rules,
      this.#stage,
    )
    const { final } = confirmation
    const to = final?.tried ?? this.#start
    return { ...common, confirmation, block: changed(this.#start, to), remove: gone(this.#start, to) }
  }
}

/** What is to be set so that the one becomes the other. */
export function changed(from: Try, to: Try): Values {
  return Object.fromEntries(Object.entries(to.values).filter(([name, value]) => from.values[name] !== value))
}

function gone(from: Try, to: Try): readonly string[] {
  return Object.keys(from.values).filter((name) => !(name in to.values))
}

/** It looks worth having, and is not certain; or the machine took so many of its rounds that nothing can be. */
function isUndecided(first: Measured, other: Measured, better: Better, leastEffect: number): boolean {
  if (Math.min(first.values.length, other.values.length) < roundsMin) return true
  const gain = gainOf(first, other, better)
  return gain !== undefined && gain.low <= 1 && gain.ratio >= 1 + leastEffect
}

/** The nearest that is better; one further away only when it is better than that one, too. */
function winnerOf(judged: readonly Judged[], { better, leastEffect }: Rules): Judged | undefined {
  let winner: Judged | undefined
  for (const each of judged) {
    if (each.decision !== 'better') continue
    if (winner === undefined || judge(winner, each, better, leastEffect).decision === 'better') winner = each
  }
  return winner
}

function keyOf({ effect }: Try): string {
  return JSON.stringify(effect)
}
