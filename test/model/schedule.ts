import { Random } from './random.ts'

/** What the world is like during one schedule. */
export interface Conditions {
  readonly seed: number
  /** Every file begins with the same line. */
  readonly banner: boolean
  /** Which changes in a watched directory are told. */
  readonly hints: 'all' | 'some' | 'none'
  /** Most that a request needs there, and back. */
  readonly travelMs: number
  readonly batchBytes: number
  readonly slots: number
  readonly concurrency: number
}

export type FileAction =
  | { readonly do: 'append'; readonly file: number; readonly lines: number; readonly bytes: number }
  /** A part of a line. */
  | { readonly do: 'piece'; readonly file: number; readonly bytes: number }
  /** Rename `.1` to `.2` and so on, delete what is behind `keep`. */
  | { readonly do: 'rotate'; readonly file: number; readonly keep: number; readonly create: boolean }
  /** `gap`: lines that are written between copy and truncation. */
  | { readonly do: 'copytruncate'; readonly file: number; readonly keep: number; readonly gap: number }
  /** The same in two steps: a part of the copy is there for a while. */
  | { readonly do: 'copy'; readonly file: number; readonly keep: number }
  | { readonly do: 'copied'; readonly gap: number }
  | { readonly do: 'truncate'; readonly file: number }
  | { readonly do: 'delete'; readonly file: number; readonly create: boolean }
  /** A writer that still has the file open which was rotated away last. */
  | { readonly do: 'late'; readonly file: number; readonly lines: number }
  /** A writer that still has the file open which was deleted last. */
  | { readonly do: 'orphan'; readonly lines: number }
  /** To a name that neither matches nor looks rotated. */
  | { readonly do: 'move'; readonly file: number }
  | { readonly do: 'removeDirectory' }
  | { readonly do: 'renameDirectory' }

export type Action =
  /** `during`: not now, but just before the agent's so manieth next call of the disk. */
  | (FileAction & { readonly during?: number })
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'server'; readonly mode: ServerMode }
  | { readonly do: 'disk'; readonly mode: DiskMode }
  | { readonly do: 'stop' }
  | { readonly do: 'crash'; readonly during?: number }
  | { readonly do: 'start' }

export const serverModes = ['ok', 'failed', 'lost', 'half', 'hang', 'busy', 'partial', 'hold', 'mixed'] as const
export type ServerMode = (typeof serverModes)[number]

/** What fails now and then. */
export const diskModes = ['ok', 'opens', 'reads', 'full'] as const
export type DiskMode = (typeof diskModes)[number]

export interface Schedule {
  readonly conditions: Conditions
  readonly actions: readonly Action[]
}

export const filePaths = ['/logs/a.log', '/logs/b.log', '/logs/sub/c.log'] as const

export function scheduleOf(seed: number): Schedule {
  const random = new Random(seed)
  const conditions: Conditions = {
    seed,
    banner: random.chance(0.4),
    hints: random.pick(['all', 'some', 'none']),
    travelMs: random.pick([0, 5, 300]),
    batchBytes: random.pick([14_000, 40_000]),
    slots: random.between(1, 4),
    concurrency: random.between(1, 3),
  }
  const actions: Action[] = []
  for (let count = random.between(5, 60); count > 0; count--) {
    if (random.chance(0.05)) actions.push(...restartOf(random))
    else actions.push(actionOf(random))
  }
  return { conditions, actions }
}

/** Something happens just when it stops, while it is down, and just when it starts. */
function restartOf(random: Random): Action[] {
  const during = () => ({ ...fileActionOf(random), during: random.between(1, 60) })
  return [during(), { do: random.pick(['stop', 'crash']) }, fileActionOf(random), during(), { do: 'start' }]
}

function actionOf(random: Random): Action {
  const roll = random.next()
  if (roll < 0.55) {
    const action = fileActionOf(random)
    return random.chance(0.2) ? { ...action, during: random.between(1, 40) } : action
  }
  if (roll < 0.8) return { do: 'wait', ms: random.pick([1, 10, 25, 100, 400, 1_100, 3_000, 8_000, 35_000]) }
  if (roll < 0.88) return { do: 'server', mode: random.chance(0.4) ? 'ok' : random.pick(serverModes) }
  if (roll < 0.91) return { do: 'disk', mode: random.pick(diskModes) }
  if (roll < 0.935) return { do: 'stop' }
  if (roll < 0.95) return random.chance(0.5) ? { do: 'crash' } : { do: 'crash', during: random.between(1, 60) }
  return { do: 'start' }
}

function fileActionOf(random: Random): FileAction {
  const file = random.pick([0, 0, 0, 1, 1, 2])
  const keep = random.between(1, 3)
  const roll = random.next()
  if (roll < 0.5) {
    return { do: 'append', file, lines: random.pick([1, 1, 3, 20, 80]), bytes: random.pick([8, 40, 300, 1_490, 4_000]) }
  }
  if (roll < 0.62) return { do: 'piece', file, bytes: random.pick([8, 300, 1_200, 2_500]) }
  if (roll < 0.75) return { do: 'rotate', file, keep, create: random.chance(0.7) }
  if (roll < 0.82) return { do: 'copytruncate', file, keep, gap: random.pick([0, 0, 1, 5]) }
  if (roll < 0.86) return random.chance(0.4) ? { do: 'copy', file, keep } : { do: 'copied', gap: random.pick([0, 2]) }
  if (roll < 0.89) return { do: 'truncate', file }
  if (roll < 0.93) return { do: 'delete', file, create: random.chance(0.7) }
  if (roll < 0.95) return { do: 'move', file }
  if (roll < 0.97) return { do: random.pick(['removeDirectory', 'renameDirectory']) }
  const lines = random.between(1, 3)
  return random.chance(0.5) ? { do: 'late', file, lines } : { do: 'orphan', lines }
}
