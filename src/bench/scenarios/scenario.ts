import type { Custom } from '../custom.ts'
import type { Destination, Enforcement, Limits, Mix, RunPlan } from '../types.ts'
import type { FigureName } from './figures.ts'

export type Form = 'short' | 'long'

/** What all scenarios of one bench have in common. */
export interface Setting {
  readonly form: Form
  readonly limits: Limits
  readonly enforcement: Enforcement
  /** Of the bench's own group: nothing inside can have more. */
  readonly own: Limits
  readonly seed: number
  readonly mix: Mix
  /** Of the mix, on average: rates are given in lines, too. */
  readonly lineBytes: number
  readonly destination: 'null' | { readonly url: string }
  readonly settings: Readonly<Record<string, string>>
  readonly custom: Custom
}

/** A plan that is run once in each round. */
export interface FixedRow {
  readonly kind: 'fixed'
  readonly name: string
  readonly plan: RunPlan
}

/** The highest rate that holds is searched once in each round. */
export interface SearchRow {
  readonly kind: 'search'
  readonly name: string
  /** All of it at once: how fast that goes is where the search begins. */
  readonly first: RunPlan
  readonly at: (bytesPerSecond: number) => RunPlan
  /** Rates in the first round at most; the further ones begin at what it found. */
  readonly probesMax: number
}

export type PlannedRow = FixedRow | SearchRow

/** One row of the table. */
export interface Scenario {
  readonly name: string
  /** One sentence: what is done, and what the figures tell. */
  readonly about: string
  readonly figures: readonly FigureName[]
  /** In which form it is run when no scenario is named. */
  readonly forms: readonly Form[]
  /** It takes the bench's own server, which can be slow, refuse and be away. */
  readonly needsOwnServer?: true
  /** Its rows differ in limits: nothing to tell where none can be given. */
  readonly needsOwnGroup?: true
  readonly rounds: Readonly<Record<Form, number>>
  readonly rows: (setting: Setting) => readonly PlannedRow[]
}

/** Why a scenario cannot be run here; empty: it can. */
export function obstacleOf(scenario: Scenario, setting: Setting): string {
  if (scenario.needsOwnServer === true && setting.destination !== 'null') {
    return 'your own server is not slowed down or taken away: run it without --url'
  }
  if (
    scenario.needsOwnGroup === true &&
    setting.enforcement.kind !== 'cgroup' &&
    setting.enforcement.kind !== 'container'
  ) {
    return 'the limits cannot be changed here: the agent has neither a group nor a container of its own'
  }
  return ''
}

/** Rows whose limits are above the bench's own would be told under a wrong name. */
export function rowsOf(scenario: Scenario, setting: Setting): readonly PlannedRow[] {
  const { own } = setting
  return scenario.rows(setting).filter((row) => {
    const { limits } = planOf(row)
    return isIn(limits.cpus, own.cpus) && isIn(limits.memoryBytes, own.memoryBytes)
  })
}

function isIn(wanted: number | undefined, most: number | undefined): boolean {
  return wanted === undefined || most === undefined || wanted <= most
}

export function planOf(row: PlannedRow): RunPlan {
  return row.kind === 'fixed' ? row.plan : row.first
}

/** At this many processors starting takes so long. */
function startSeconds({ cpus }: Limits): number {
  return 0.5 + 0.4 / Math.min(1, cpus ?? 1)
}

/** How long one plan takes, roughly. */
export function planSeconds({ workload, warmUpMs, limits, killsAtMs, destination }: RunPlan): number {
  const { end, rate } = workload
  const starts = 1 + killsAtMs.length * 0.2
  const outageMs =
    destination.kind === 'null'
      ? destination.shape.outages.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
      : 0
  const writing =
    'seconds' in end ? end.seconds : rate.kind === 'backlog' ? backlogSeconds : end.bytes / rate.bytesPerSecond
  return startSeconds(limits) * starts + warmUpMs / 1_000 + writing + (outageMs / 1_000) * 0.3 + endSeconds
}

/** A backlog is made as large as takes about so long. */
export const backlogSeconds = 3
/** To ship what is left, to end the processes and to remove what they leave. */
const endSeconds = 1.5

/** Probes of a search: in the first round, and in one that begins at what was found. */
const probesFirst = 4
const probesLater = 2

/** How long the rounds of a row take, roughly. */
export function rowSeconds(row: PlannedRow, rounds: number): number {
  if (row.kind === 'fixed') return planSeconds(row.plan) * rounds
  const probe = planSeconds(row.at(1e6))
  const first = Math.min(row.probesMax, probesFirst)
  return planSeconds(row.first) + probe * (first + probesLater * (rounds - 1))
}

export function destinationOf(setting: Setting, shape: Extract<Destination, { kind: 'null' }>['shape']): Destination {
  return setting.destination === 'null'
    ? { kind: 'null', shape }
    : { kind: 'elasticsearch', url: setting.destination.url }
}
