import type { Births } from '../kit/agent-files.ts'
import { Random } from './random.ts'

/** What the world is like during one schedule. */
export interface Conditions {
  readonly seed: number
  /** Every file begins with the same line. */
  readonly banner: boolean
  readonly crlf: boolean
  /** Which changes in a watched directory are told; `wild`: some, some twice, some late, some of another directory. */
  readonly hints: 'all' | 'some' | 'none' | 'wild'
  readonly births: Births
  readonly scanIntervalMs: number
  /** Most that a request needs there, and back. */
  readonly travelMs: number
  readonly batchBytes: number
  readonly slots: number
  readonly concurrency: number
  /** Rotated files are packed at times. */
  readonly archives: boolean
  /** Writers that do not append leave holes. */
  readonly holes: boolean
  /** Copies and rotated files match the glob too. */
  readonly wide: boolean
  /** The first line that all files have in common holds a number. */
  readonly numbered?: boolean
  /** The state is deleted at times; the Pod's UID is known. */
  readonly lossy?: boolean
  /** Looks are taken in turns of so many steps, with others in between. */
  readonly lookStepsMax?: number
  /** Remora keeps the volume below so many bytes. */
  readonly volume?: { readonly policy: 'delete-shipped' | 'drop-oldest'; readonly limitBytes: number }
}

export type FileAction =
  | { readonly do: 'append'; readonly file: number; readonly lines: number; readonly bytes: number }
  /** A part of a line. */
  | { readonly do: 'piece'; readonly file: number; readonly bytes: number }
  /** Rename `.1` to `.2` and so on, delete what is behind `keep`; several `times` with a line in each file. */
  | {
      readonly do: 'rotate'
      readonly file: number
      readonly keep: number
      readonly create: boolean
      readonly times?: number
    }
  /** `old`: over what has the name; `dated`: a name that none has. */
  | { readonly do: 'rename'; readonly file: number; readonly to: 'old' | 'dated'; readonly create: boolean }
  /** A new file is made under another name, and put over this one. */
  | { readonly do: 'atomic'; readonly file: number; readonly lines: number }
  /** `gap`: lines that are written between copy and truncation. */
  | { readonly do: 'copytruncate'; readonly file: number; readonly keep: number; readonly gap: number }
  /** The same in two steps: a part of the copy is there for a while. */
  | { readonly do: 'copy'; readonly file: number; readonly keep: number }
  | { readonly do: 'copied'; readonly gap: number }
  /** `share`: how much is left. */
  | { readonly do: 'truncate'; readonly file: number; readonly share?: number }
  | { readonly do: 'hole'; readonly file: number }
  /** Emptied, and written to at once: lines, and a part of one; `same`: then as many bytes more as there were before. */
  | { readonly do: 'refill'; readonly file: number; readonly bytes: number; readonly same: boolean }
  | { readonly do: 'delete'; readonly file: number; readonly create: boolean }
  /** A writer that still has the file open which was rotated away last. */
  | { readonly do: 'late'; readonly file: number; readonly lines: number }
  /** A writer that still has the file open which was deleted last. */
  | { readonly do: 'orphan'; readonly lines: number }
  /** `keep`: as `gzip -k`. */
  | { readonly do: 'compress'; readonly file: number; readonly number: number; readonly keep: boolean }
  /** To a name that neither matches nor looks rotated. */
  | { readonly do: 'move'; readonly file: number }
  /** A symlink leads to a new file. */
  | { readonly do: 'swap'; readonly lines: number }
  /** Writes where the symlink leads. */
  | { readonly do: 'through'; readonly lines: number }
  | { readonly do: 'removeDirectory' }
  | { readonly do: 'renameDirectory' }

export type Action =
  /** `during`: not now, but at the so manieth point from here at which the agent waits or asks the disk. */
  | (FileAction & { readonly during?: number })
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'server'; readonly mode: ServerMode }
  | { readonly do: 'disk'; readonly mode: DiskMode }
  /** Somebody sets the wall clock. */
  | { readonly do: 'clock'; readonly byMs: number }
  /** Every directory is hinted at, twice. */
  | { readonly do: 'scan' }
  /** The data stream writes to a new index from now on: there, ids are not known. */
  | { readonly do: 'rollover' }
  | { readonly do: 'stop' }
  | { readonly do: 'crash'; readonly during?: number }
  /** A crash that takes with it what was not flushed. */
  | { readonly do: 'powerCut'; readonly during?: number }
  | { readonly do: 'start' }
  /** Somebody deletes the checkpoints, or the whole state directory. */
  | { readonly do: 'lose'; readonly what: 'checkpoint' | 'directory'; readonly during?: number }

export const serverModes = ['ok', 'failed', 'lost', 'half', 'hang', 'busy', 'partial', 'hold', 'mixed'] as const
export type ServerMode = (typeof serverModes)[number]

/** What fails now and then: `short` reads bring less than was asked for, `slow` writes take seconds. */
export const diskModes = ['ok', 'opens', 'reads', 'full', 'short', 'slow'] as const
export type DiskMode = (typeof diskModes)[number]

export interface Schedule {
  readonly conditions: Conditions
  readonly actions: readonly Action[]
}

export const filePaths = ['/logs/a.log', '/logs/b.log', '/logs/sub/c.log'] as const

/** What the agent is to cope with beyond the usual. */
export interface Abilities {
  readonly archives: boolean
  readonly holes: boolean
  readonly wide: boolean
  readonly lossy: boolean
  readonly volume: boolean
}

const without = (process.env['REMORA_MODEL_WITHOUT'] ?? '').split(',')

/** `REMORA_MODEL_WITHOUT=archives,holes,wide,lossy,volume` leaves them out. */
export const abilities: Abilities = {
  archives: !without.includes('archives'),
  holes: !without.includes('holes'),
  wide: !without.includes('wide'),
  lossy: !without.includes('lossy'),
  volume: !without.includes('volume'),
}

export function scheduleOf(seed: number): Schedule {
  const random = new Random(seed)
  const own = new Random(seed ^ 0x5eed)
  const births = random.pick(['fine', 'fine', 'coarse', 'none'] as const)
  const conditions: Conditions = {
    seed,
    // An inode's number that is given to another file at once: nothing but births and beginnings tells the two apart.
    banner: births === 'fine' && random.chance(0.4),
    crlf: random.chance(0.2),
    hints: random.pick(['all', 'some', 'none', 'wild']),
    births,
    scanIntervalMs: random.pick([10_000, 10_000, 30_000]),
    travelMs: random.pick([0, 5, 300]),
    batchBytes: random.pick([14_000, 40_000]),
    slots: random.between(1, 4),
    concurrency: random.between(1, 3),
    archives: abilities.archives && random.chance(0.4),
    holes: abilities.holes && random.chance(0.3),
    wide: abilities.wide && random.chance(0.3),
    // Of their own: the rest of a seed's schedule does not depend on them.
    ...(own.chance(0.3) && { numbered: true }),
    ...(abilities.lossy && own.chance(0.15) && { lossy: true }),
    ...(abilities.volume && volumeOf(new Random(seed ^ 0x70b))),
    ...lookStepsOf(new Random(seed ^ 0x100c)),
  }
  const actions: Action[] = []
  for (let count = random.between(5, 60); count > 0; count--) {
    if (random.chance(0.05)) actions.push(...restartOf(random, conditions))
    else actions.push(actionOf(random, conditions))
  }
  for (let count = conditions.lossy === true ? own.between(1, 3) : 0; count > 0; count--) {
    actions.splice(own.between(1, actions.length), 0, ...lossOf(own))
  }
  for (let count = own.between(0, 2); count > 0; count--) {
    const refill = {
      do: 'refill',
      file: own.pick([0, 1]),
      bytes: own.pick([8, 40, 300]),
      same: own.chance(0.5),
    } as const
    actions.splice(own.between(1, actions.length), 0, refill)
  }
  return { conditions, actions }
}

function lookStepsOf(random: Random): Pick<Conditions, 'lookStepsMax'> {
  return random.chance(0.4) ? { lookStepsMax: random.pick([1, 1, 2, 7]) } : {}
}

/** Small, so that files have to go. */
function volumeOf(random: Random): Pick<Conditions, 'volume'> {
  if (random.chance(0.7)) return {}
  const policy = random.chance(0.6) ? 'delete-shipped' : 'drop-oldest'
  return { volume: { policy, limitBytes: random.pick([2_000, 2_000, 10_000, 60_000]) } }
}

/** While it runs, or while it is down. */
function lossOf(random: Random): Action[] {
  const what = random.pick(['checkpoint', 'directory'] as const)
  if (random.chance(0.3)) return [{ do: 'lose', what, ...(random.chance(0.5) && { during: random.between(1, 40) }) }]
  return [{ do: random.pick(['stop', 'crash'] as const) }, { do: 'lose', what }, { do: 'start' }]
}

/** Something happens just when it stops, while it is down, and just when it starts. */
function restartOf(random: Random, conditions: Conditions): Action[] {
  const during = () => ({ ...fileActionOf(random, conditions), during: random.between(1, 60) })
  return [
    during(),
    { do: random.pick(['stop', 'crash', 'powerCut'] as const) },
    ...(random.chance(0.2) ? [{ do: 'rollover' } as const] : []),
    fileActionOf(random, conditions),
    during(),
    { do: 'start' },
  ]
}

function actionOf(random: Random, conditions: Conditions): Action {
  const roll = random.next()
  if (roll < 0.55) {
    const action = fileActionOf(random, conditions)
    return random.chance(0.2) ? { ...action, during: random.between(1, 40) } : action
  }
  if (roll < 0.79) return { do: 'wait', ms: random.pick([1, 10, 25, 100, 400, 1_100, 3_000, 8_000, 35_000]) }
  if (roll < 0.87) return { do: 'server', mode: random.chance(0.4) ? 'ok' : random.pick(serverModes) }
  if (roll < 0.9) return { do: 'disk', mode: random.pick(diskModes) }
  if (roll < 0.91) return { do: 'clock', byMs: random.pick([-3_600_000, -30, 30, 5_000, 3_600_000]) }
  if (roll < 0.915) return { do: 'scan' }
  if (roll < 0.925) return { do: 'rollover' }
  if (roll < 0.935) return { do: 'stop' }
  if (roll < 0.955) {
    const kind = random.pick(['crash', 'powerCut'] as const)
    return random.chance(0.4) ? { do: kind } : { do: kind, during: random.between(1, 60) }
  }
  return { do: 'start' }
}

function fileActionOf(random: Random, conditions: Conditions): FileAction {
  const file = random.pick([0, 0, 0, 1, 1, 2])
  const keep = random.between(1, 3)
  const create = random.chance(0.7)
  const roll = random.next()
  if (roll < 0.48) {
    const bytes = random.pick([8, 40, 300, 1_490, 1_499, 1_500, 1_501, 4_000])
    return { do: 'append', file, lines: random.pick([1, 1, 3, 20, 80]), bytes }
  }
  if (roll < 0.6) return { do: 'piece', file, bytes: random.pick([8, 300, 1_200, 2_500]) }
  if (roll < 0.71) {
    return { do: 'rotate', file, keep, create, ...(random.chance(0.2) && { times: random.between(2, 3) }) }
  }
  if (roll < 0.74) return { do: 'rename', file, to: random.pick(['old', 'dated']), create }
  if (roll < 0.75) return { do: 'atomic', file, lines: random.between(1, 3) }
  if (roll < 0.82) return { do: 'copytruncate', file, keep, gap: random.pick([0, 0, 1, 5]) }
  if (roll < 0.86) return random.chance(0.4) ? { do: 'copy', file, keep } : { do: 'copied', gap: random.pick([0, 2]) }
  if (roll < 0.89) {
    if (conditions.holes && random.chance(0.4)) return { do: 'hole', file }
    return { do: 'truncate', file, ...(random.chance(0.3) && { share: random.pick([0.1, 0.5, 0.9]) }) }
  }
  if (roll < 0.92) return { do: 'delete', file, create }
  if (roll < 0.94) return { do: 'move', file }
  if (roll < 0.955) return { do: random.pick(['removeDirectory', 'renameDirectory']) }
  if (roll < 0.97) return { do: random.pick(['swap', 'through', 'through']), lines: random.between(1, 3) }
  const lines = random.between(1, 3)
  if (conditions.archives && random.chance(0.5)) {
    return { do: 'compress', file, number: random.between(1, 2), keep: random.chance(0.3) }
  }
  return random.chance(0.5) ? { do: 'late', file, lines } : { do: 'orphan', lines }
}
