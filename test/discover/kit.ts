import { systemDisk, type Disk } from '../../src/base/disk.ts'
import type { OwnOutput } from '../../src/base/own-output.ts'
import { limits } from '../../src/base/limits.ts'
import { Discovery, type Listing, type Obstacle } from '../../src/discover/discovery.ts'
import { Globs } from '../../src/discover/globs.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { passTick } from '../kit/agent-tree.ts'

export const scanIntervalMs = 10_000

/** A discovery over real directories, in virtual time, and what it asked of its watch. */
export class Discovered {
  readonly clock = new VirtualClock()
  readonly obstacles: Obstacle[] = []
  readonly watched = new Set<string>()
  /** `+directory` and `-directory`, in their order. */
  readonly watching: string[] = []
  readonly discovery: Discovery

  constructor(
    include: readonly string[],
    exclude: readonly string[] = [],
    disk: Disk = systemDisk,
    ownOutput?: OwnOutput,
  ) {
    this.discovery = new Discovery({
      disk,
      // Files on a real disk carry real times.
      clock: this.clock.view(
        () => true,
        () => Date.now(),
      ),
      globs: new Globs(include, exclude),
      watch: {
        add: (directory) => {
          this.watching.push(`+${directory}`)
          this.watched.add(directory)
        },
        remove: (directory) => {
          this.watching.push(`-${directory}`)
          this.watched.delete(directory)
        },
        close: () => Promise.resolve(),
      },
      scanIntervalMs,
      obstacle: (obstacle) => this.obstacles.push(obstacle),
      ownOutput,
    })
  }

  look(everything = false): Listing[] {
    return this.discovery.look(everything)
  }

  /** Matched files of a look, sorted. */
  files(everything = false): string[] {
    const entries = this.look(everything).flatMap((listing) => listing.entries)
    return entries
      .filter(({ matched }) => matched)
      .map((entry) => entry.path)
      .toSorted()
  }

  pass(forMs: number): Promise<void> {
    return this.clock.advanceTo(this.clock.nowMs + forMs)
  }

  codes(): string[] {
    return [...new Set(this.obstacles.map(({ code, path }) => `${code} ${path}`))]
  }

  /** Waits until every directory is left to its watch, and the look after that is done. */
  async quiet(): Promise<void> {
    passTick()
    await this.pass(limits.directoryQuietMs + 100)
    for (let looks = 0; looks < 4; looks++) this.look()
  }
}
