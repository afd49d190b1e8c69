import type { Logger } from '../admin/logger.ts'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { Load } from '../base/load.ts'
import type { OwnOutput } from '../base/own-output.ts'
import type { VolumeDisk } from '../base/volume-disk.ts'
import type { Settings } from '../config/types.ts'
import type { Watch } from '../discover/watch.ts'
import type { MemoryPlan } from '../queue/plan.ts'
import type { Ledger } from '../settle/ledger.ts'
import type { Lookup } from '../ship/lookup.ts'
import type { Wire } from '../ship/letters/sending.ts'
import type { Send } from '../ship/transport.ts'
import type { Left } from './left.ts'
import type { Memory } from './memory.ts'

/** The world: in a test, one that the test owns. */
export interface World {
  readonly disk: Disk
  readonly volumeDisk: VolumeDisk
  readonly clock: Clock
  /** Where the time of the process goes; undefined: nobody knows. */
  readonly load?: () => Load
  /** [0, 1) */
  readonly random: () => number
  readonly newInstanceId: () => string
  readonly watch: (
    hint: (directory: string, isEvent?: boolean) => void,
    failed: (directory: string, error: unknown) => void,
  ) => Watch
  /** Files that this process's own messages go to. */
  readonly ownOutput?: OwnOutput
  /** Descriptors that tailing may hold. */
  readonly openFilesMax?: number
  readonly send: Send
  readonly memory: Memory
  readonly lookup: Lookup
  /** To the index of dead letters, where there is one. */
  readonly letterWire?: Wire | undefined
  /** Lets input and output take place, then goes on. */
  readonly yield: () => Promise<void>
  /** Steps of a look at files in one turn: for tests; otherwise as many as there is time for. */
  readonly lookStepsMax?: number | undefined
}

export interface AgentOptions {
  readonly settings: Settings
  readonly plan: MemoryPlan
  readonly world: World
  readonly logger: Logger
  readonly request?: (outcome: string, durationMs: number, bytes: number) => void
  /** Messages that the logger did not say, for there were too many of their kind. */
  readonly unsaid?: () => number
  /** A batch from its first line to its last verdict, or the writing of a checkpoint, has taken so long. */
  readonly timed?: (what: 'delivery' | 'checkpoint', durationMs: number) => void
}

/** What is left when the agent stops. */
export interface Summary extends Left {
  /** What went wrong in the program itself, while draining too. */
  readonly failure: unknown
  /** `kept`: the one before, for what a fault leaves behind is not to be trusted, nor what half a first look has seen. `hanging`: the disk did not answer in time. */
  readonly checkpoint: 'written' | 'failed' | 'hanging' | 'kept'
  readonly ledger: Ledger
}
