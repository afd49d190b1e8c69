interface Point {
  readonly lines: number
  readonly bytes: number
}

/** Between two points lines are taken for equally long. */
const pointsMax = 20_000

/**
 * How many bytes the first lines have, as the writer's progress told: a server of the user's counts documents alone, and
 * those that were written first come first.
 */
export class WrittenSoFar {
  #points: Point[] = [{ lines: 0, bytes: 0 }]

  add({ lines, bytes }: Point): void {
    if (lines <= this.#points.at(-1)!.lines) return
    if (this.#points.length >= pointsMax) this.#points = this.#points.filter((_, n) => n % 2 === 0)
    this.#points.push({ lines, bytes })
  }

  bytesOf(lines: number): number {
    const points = this.#points
    let [low, high] = [0, points.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (points[middle]!.lines < lines) low = middle + 1
      else high = middle
    }
    const [before, after] = [points[Math.max(0, low - 1)]!, points[low]!]
    if (after.lines <= before.lines) return after.bytes
    const share = Math.min(1, (lines - before.lines) / (after.lines - before.lines))
    return Math.round(before.bytes + share * (after.bytes - before.bytes))
  }
}
