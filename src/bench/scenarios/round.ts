import { RemoraError } from '../../base/errors.ts'
import { boundsOf, lowerBounds } from '../bounds.ts'
import { noRoomCode } from '../room.ts'
import type { RunPlan, RunResult } from '../types.ts'
import { behindText } from '../verdict.ts'
import { keptUp } from './held.ts'
import type { SearchRow } from './scenario.ts'
import { bracketRatio, highestHeld } from './search.ts'
import type { Stage } from './stage.ts'

/** The first step away from a backlog's speed, and from what an earlier round found: 21 %, halved it is 10. */
const steps = { first: bracketRatio ** 2, later: bracketRatio }
const rateMin = 50_000
/** Beyond this no writer of ours gets. */
const rateMax = 2e9
/** A backlog goes in the largest batches; lines that come as they are written cost a little more. */
const guessShare = 0.9

export interface Ran {
  readonly plan: RunPlan
  readonly result: RunResult
}

/** One round of one row. */
export interface Round {
  /** The run that tells, when there is a good one. */
  readonly found: Ran | undefined
  /** Runs that lost a line, or in which the agent ended. */
  readonly failed: readonly Ran[]
  readonly failures: readonly string[]
  /** The writer could not keep the rate of a row that has one only: the machine's fault, and no evidence. */
  readonly isBehind: boolean
  /** What the agent did not keep up with, though it should; a fault of its own where nothing else used the machine. */
  readonly notHeld: string
  readonly notes: readonly string[]
  /** What a search found. */
  readonly rate: number | undefined
}

const nothing: Round = {
  found: undefined,
  failed: [],
  failures: [],
  isBehind: false,
  notHeld: '',
  notes: [],
  rate: undefined,
}

export async function once(plan: RunPlan, stage: Stage): Promise<Round> {
  const result = await stage.run(plan)
  const ran = { plan, result }
  const notes = result.notes ?? []
  if (result.failure === '') return { ...nothing, found: ran, notes }
  if (result.failure.startsWith(behindText)) return { ...nothing, found: ran, isBehind: true }
  return { ...nothing, failed: [ran], failures: [result.failure], notes }
}

/** The highest rate that holds, and the run at it. @param known what an earlier round found */
export async function search(row: SearchRow, known: number | undefined, stage: Stage): Promise<Round> {
  let guess = known
  if (guess === undefined) {
    const first = await once(row.first, stage)
    if (first.found === undefined) return first
    guess = first.found.result.bytesPerSecond * guessShare
  }
  const [failed, failures, notes] = [[] as Ran[], new Set<string>(), new Set<string>()]
  let best: Ran | undefined
  const probe = async (bytesPerSecond: number) => {
    const plan = row.at(bytesPerSecond)
    // With too few looks nothing can be told; more than twice it is not tried.
    for (let attempt = 0; attempt < 2; attempt++) {
      const result = await ranWithRoom(plan, stage)
      if (result === undefined) {
        notes.add(lowerBounds.disk)
        return false
      }
      const ran = { plan, result }
      if (result.failure.startsWith(behindText)) {
        notes.add(lowerBounds.writer)
        return false
      }
      if (result.failure !== '') {
        failures.add(result.failure)
        failed.push(ran)
        return false
      }
      const isHeld = hasKeptUp(ran)
      if (isHeld === true) best = ran
      if (isHeld !== undefined) return isHeld
    }
    notes.add('this machine was too busy to tell whether a rate holds')
    return false
  }
  const found = await highestHeld(probe, {
    guess,
    step: known === undefined ? steps.first : steps.later,
    ratioMax: bracketRatio,
    min: rateMin,
    max: rateMax,
    probesMax: row.probesMax,
  })
  const isBracketed = found.failed !== undefined && found.failed <= (found.held ?? 0) * bracketRatio * 1.001
  if (found.held !== undefined && !isBracketed) {
    notes.add(lowerBounds.probes(found.probes))
  }
  if (best !== undefined) {
    for (const note of best.result.notes ?? []) notes.add(note)
    for (const note of boundsOf(best.result, best.plan.limits, stage.processors)) notes.add(note)
  }
  return {
    found: best,
    failed,
    failures: [...failures],
    isBehind: false,
    notHeld: found.held === undefined ? `not even ${(found.failed! / 1e6).toFixed(2)} MB/s held` : '',
    notes: [...notes],
    rate: found.held,
  }
}

/** Undefined: there is no room on the disk for it. */
async function ranWithRoom(plan: RunPlan, stage: Stage): Promise<RunResult | undefined> {
  try {
    return await stage.run(plan)
  } catch (error) {
    if (error instanceof RemoraError && error.code === noRoomCode) return undefined
    throw error
  }
}

function hasKeptUp({ plan: { workload }, result: { moments, wallMs } }: Ran): boolean | undefined {
  if (workload.rate.kind === 'backlog') return true
  const writtenMs = 'seconds' in workload.end ? workload.end.seconds * 1_000 : wallMs
  return keptUp(moments, workload.rate.bytesPerSecond, writtenMs)
}
