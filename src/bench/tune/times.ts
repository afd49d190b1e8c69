/** How long runs take here, and how many of them there is still time for. */
export class RunTimes {
  readonly #budgetSeconds: number
  /** Since it all began. */
  readonly seconds: () => number
  readonly #taken: number[] = []

  constructor(budgetSeconds: number, seconds: () => number) {
    this.#budgetSeconds = budgetSeconds
    this.seconds = seconds
  }

  took(seconds: number): void {
    this.#taken.push(seconds)
  }

  /** What was before only made ready. @param moreSeconds  that one takes from now on, beyond what the last one took */
  begin(moreSeconds: number): void {
    this.#taken.splice(0, Infinity, Math.max(1, (this.#taken.at(-1) ?? 0) + moreSeconds))
  }

  /** Of the last runs: a backlog may become larger while one tunes. */
  secondsFor(runs: number): number {
    const last = this.#taken.slice(-lastRuns)
    const mean = last.length === 0 ? 0 : last.reduce((sum, each) => sum + each, 0) / last.length
    return runs * mean
  }

  /** What so many more runs take, and no more than there is. */
  secondsLeft(runs: number): number {
    return Math.max(0, Math.min(this.secondsFor(runs), this.#budgetSeconds - this.seconds()))
  }

  hasTime(runs: number): boolean {
    return this.seconds() + this.secondsFor(runs) <= this.#budgetSeconds
  }
}

const lastRuns = 12
