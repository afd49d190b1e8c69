import { sleep, type Clock } from '../base/clock.ts'
import type { VolumeDisk } from '../base/volume-disk.ts'
import { codeOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { decide, type Candidate, type Policy, type Removal } from './decide.ts'
import { VolumeDoubts, type Doubt } from './doubts.ts'
import { Gauge } from './gauge.ts'
import { measure } from './measure.ts'

export interface GuardOptions<C extends Candidate> {
  readonly disk: VolumeDisk
  readonly clock: Clock
  /** Lets others have their turn. */
  readonly yield: () => Promise<void>
  /** Resolves when a look at the files is over that is under way; undefined: none is. */
  readonly looked: () => Promise<void> | undefined
  readonly limitBytes: number
  readonly policy: Policy
  /** The volumes that logs lie in: as a rule one. */
  readonly volumes: () => readonly string[]
  /** Bytes of the known files in a volume, as last seen: without asking the disk. */
  readonly knownBytes: (volume: string) => number
  /** Files of a volume that may go, the oldest content first. */
  readonly candidates: (volume: string) => readonly C[]
  /** Deletes one. @returns the room that this made, and how much of that was known; undefined: it is still there */
  readonly remove: (removal: Removal<C>) => { readonly bytes: number; readonly knownBytes: number } | undefined
  /** A round of removals is over. */
  readonly removed: () => void
  /** It is nearly full, and nothing more may go. */
  readonly short: (volume: string, usedBytes: number) => void
  /** There is room again. */
  readonly eased: (volume: string) => void
  /** It is not known how much it holds; undefined: it is again. Once for each change. */
  readonly doubt: (volume: string, doubt: Doubt | undefined, usedBytes: number | undefined) => void
  /** A fault of the program. */
  readonly failed: (error: unknown) => void
}

/** Where it stands what is mounted. */
const mountinfo = '/proc/self/mountinfo'

/** Looks at the volumes of the logs on a timer, and makes room where it is told to. */
export class Guard<C extends Candidate> {
  readonly #o: GuardOptions<C>
  readonly #gauges = new Map<string, Gauge>()
  readonly #doubts: VolumeDoubts
  readonly #abort = new AbortController()

  constructor(options: GuardOptions<C>) {
    this.#o = options
    const used = (volume: string) => this.#gauges.get(volume)?.usedBytes
    this.#doubts = new VolumeDoubts((volume, doubt) => options.doubt(volume, doubt, used(volume)))
  }

  /** What cannot be measured, by volume. */
  get doubts(): ReadonlyMap<string, Doubt> {
    return this.#doubts.all
  }

  /** Of the fullest one; undefined while none was measured. */
  get usedBytes(): number | undefined {
    const used = [...this.#gauges.values()].flatMap(({ usedBytes }) => usedBytes ?? [])
    return used.length === 0 ? undefined : Math.max(...used)
  }

  start(): void {
    void this.#run().catch((error: unknown) => this.#o.failed(error))
  }

  /** Nothing is deleted any more. */
  stop(): void {
    this.#abort.abort()
  }

  async #run(): Promise<void> {
    const { clock } = this.#o
    while (!this.#isOver) {
      for (const volume of this.#volumes()) {
        try {
          await this.#look(volume)
        } catch (error) {
          // Of the disk: the next look may succeed, and the other volumes do not wait for that.
          this.#failedToLook(volume, error)
        }
        if (this.#isOver) return
      }
      await sleep(clock, limits.volumeTickMs, this.#abort.signal)
    }
  }

  get #isOver(): boolean {
    return this.#abort.signal.aborted
  }

  #failedToLook(volume: string, error: unknown): void {
    const code = codeOf(error)
    if (code === '') throw error
    this.#doubts.take(volume, { kind: 'unmeasured', path: volume, code }, this.#o.clock.monotonicMs())
  }

  /** One that is not there any more is forgotten. */
  #volumes(): readonly string[] {
    let volumes: readonly string[]
    try {
      volumes = this.#o.volumes()
      this.#doubts.take(mountinfo, undefined, this.#o.clock.monotonicMs())
    } catch (error) {
      this.#failedToLook(mountinfo, error)
      return [...this.#gauges.keys()]
    }
    this.#doubts.keep([...volumes, mountinfo])
    for (const known of this.#gauges.keys()) if (!volumes.includes(known)) this.#gauges.delete(known)
    return volumes
  }

  async #look(volume: string): Promise<void> {
    const { clock, limitBytes } = this.#o
    let gauge = this.#gauges.get(volume)
    if (gauge === undefined) this.#gauges.set(volume, (gauge = new Gauge(limitBytes)))
    gauge.known(clock.monotonicMs(), this.#o.knownBytes(volume))
    if (clock.monotonicMs() >= gauge.dueMs) await this.#measure(volume, gauge)
    // In the middle of a look nobody can tell which file is which.
    for (let looking = this.#o.looked(); looking !== undefined; looking = this.#o.looked()) await looking
    if (!this.#isOver) this.#act(volume, gauge)
  }

  async #measure(volume: string, gauge: Gauge): Promise<void> {
    const { disk, clock } = this.#o
    const rest = async () => {
      await this.#o.yield()
      return !this.#isOver
    }
    const measured = await measure(disk, volume, () => clock.monotonicMs(), rest)
    if (measured === undefined) return
    const nowMs = clock.monotonicMs()
    if (measured.bytes !== undefined) gauge.measured(nowMs, measured.bytes, this.#o.knownBytes(volume), measured.tookMs)
    this.#doubts.take(volume, measured.doubt, nowMs)
  }

  #act(volume: string, gauge: Gauge): void {
    const { usedBytes, aheadBytes, freeing } = gauge
    if (usedBytes === undefined) return
    const { policy, limitBytes } = this.#o
    const facts = { policy, limitBytes, usedBytes, aheadBytes, freeing }
    // Nobody is asked for files while there is room: with ten thousand of them that is not for nothing.
    let decision = decide<C>(facts, [])
    if (decision.freeing && policy !== 'keep') decision = decide(facts, this.#o.candidates(volume))
    gauge.freeing = decision.freeing
    for (const removal of decision.remove.slice(0, limits.volumeRemovalsMax)) {
      const room = this.#o.remove(removal)
      if (room !== undefined) gauge.removed(room.bytes, room.knownBytes)
    }
    if (decision.remove.length > 0) this.#o.removed()
    if (decision.short) this.#o.short(volume, usedBytes)
    else if (!decision.freeing) this.#o.eased(volume)
  }
}
