/** For so long estimates are taken as they are; then what things really take has its say. */
const trustedShare = 0.1
const trustedSecondsMax = 180

/** How much time a bench has, and what of it is left: rounds are left out rather than the time passed. */
export class TimeTable {
  readonly #budgetSeconds: number
  /** In the order in which they run: what each scenario takes for one round, and for all of them. */
  readonly #scenarios: readonly ScenarioTime[]
  readonly #seconds: () => number
  #at = 0
  #estimatedSeconds = 0
  #extraSeconds = 0

  /** @param seconds  since the bench began */
  constructor(budgetSeconds: number, scenarios: readonly ScenarioTime[], seconds: () => number) {
    this.#budgetSeconds = budgetSeconds
    this.#scenarios = scenarios
    this.#seconds = seconds
  }

  /** The next scenario begins. @returns false when there is no time for it */
  next(at: number): boolean {
    this.#at = at
    const { onceSeconds = 0 } = this.#scenarios[at] ?? {}
    return at === 0 || this.#seconds() + onceSeconds * this.#pace() <= this.#budgetSeconds
  }

  /** Whether what takes so long leaves each of the later scenarios its one round. */
  mayGoOn(seconds: number): boolean {
    const later = this.#scenarios.slice(this.#at + 1).reduce((sum, { onceSeconds }) => sum + onceSeconds, 0)
    return this.#seconds() + (seconds + later) * this.#pace() <= this.#budgetSeconds
  }

  /** Something takes so much longer than was planned. */
  extend(seconds: number): void {
    this.#extraSeconds += seconds
  }

  /** So much of what was estimated has been done. */
  done(estimatedSeconds: number): void {
    this.#estimatedSeconds += estimatedSeconds
  }

  /** What is left of all that was planned. */
  secondsLeft(): number {
    const all = this.#scenarios.reduce((sum, { allSeconds }) => sum + allSeconds, 0)
    const left = Math.max(0, all + this.#extraSeconds - this.#estimatedSeconds) * this.#pace()
    return Math.max(0, Math.min(left, this.#budgetSeconds - this.#seconds()))
  }

  /** How much longer things take here than was estimated. */
  #pace(): number {
    // The first rows say little of the others: a search takes longer when nothing is known.
    const trusted = Math.min(trustedSecondsMax, this.#budgetSeconds * trustedShare)
    const pace = (this.#seconds() + trusted) / (this.#estimatedSeconds + trusted)
    return Math.min(3, Math.max(0.5, pace))
  }
}

export interface ScenarioTime {
  readonly onceSeconds: number
  readonly allSeconds: number
}
