import { RemoraError } from '../../base/errors.ts'
import type { RunPlan, RunResult } from '../types.ts'
import { hasFallenBehind } from './goals.ts'
import { steadyOf } from './steady.ts'

const backlogBytes = { first: 8e6, min: 4e6, max: 512e6 }
/** The first ones are too small to tell more than that it must be larger. */
const growthMax = 8
const runsMax = 5
/** One that lasts this part of the wanted time tells how large it must be. */
const longEnough = 0.6
/** All that may be on its way at once goes through so often: an agent begins with small requests, and that must not be all there is. */
const windows = 6
/** But for a slow server a run takes no more than this many times the wanted time. */
const patience = 2.5
/** What is sent of a byte of log where nobody counts it. Source: DESIGN, the copy floor. */
const usuallySent = 2

interface BacklogFacts {
  readonly seconds: number
  readonly windowBytes: number
  readonly serverBytesPerSecond: number | undefined
}

export interface Backlog {
  readonly bytes: number
  /** How much larger it is than the last one that was run. */
  readonly moreBytes: number
  readonly bytesPerSecond: number
  readonly sentPerLogByte: number
}

/**
 * How large a backlog must be to last so long with the settings as they are; what is compiled and cached has become so meanwhile.
 *
 * @param windowBytes  of bodies: the most that any settings tried have on their way at once
 * @param serverBytesPerSecond  of bodies, at the most
 */
export async function backlogFor(
  { seconds, windowBytes, serverBytesPerSecond = Infinity }: BacklogFacts,
  runWith: (bytes: number) => Promise<RunResult>,
): Promise<Backlog> {
  // A server that is narrow would have to be waited for.
  const mostAtFirst = (serverBytesPerSecond * seconds) / usuallySent
  let bytes = Math.round(Math.min(backlogBytes.first, mostAtFirst))
  const min = Math.min(backlogBytes.min, mostAtFirst)
  for (let runs = 1; ; runs++) {
    const result = mustShip(await runWith(bytes))
    const counted = result.bodyBytes / result.account.writtenBytes
    const sentPerLogByte = counted > 0 ? counted : usuallySent
    const bytesPerSecond = steadyOf(result.moments)?.bytesPerSecond ?? result.bytesPerSecond
    const through = Math.min((windowBytes / sentPerLogByte) * windows, bytesPerSecond * seconds * patience)
    const wanted = Math.min(backlogBytes.max, Math.max(min, bytesPerSecond * seconds, through))
    if (bytes >= wanted * longEnough || runs === runsMax)
      return { bytes: Math.round(wanted), moreBytes: wanted - bytes, bytesPerSecond, sentPerLogByte }
    bytes = Math.round(Math.min(wanted, bytes * growthMax))
  }
}

/** Well inside of what a processor's share carries, as with the scenarios. */
const calmBytesPerCpuSecond = 20e6
const calmBytes = { min: 250e3, max: 20e6 }
/** Of a log byte two to three are sent: less of the server's bandwidth than this. */
const bandwidthShare = 0.25
const halvingsMax = 4

interface RateFacts {
  readonly asked: number | undefined
  readonly cpus: number | undefined
  readonly serverBytesPerSecond: number | undefined
}

/** A rate that the agent keeps up with as it is set. @throws RemoraError when it does not with the one that was asked for */
export async function rateFor(
  { asked, cpus = 1, serverBytesPerSecond = Infinity }: RateFacts,
  runAt: (bytesPerSecond: number) => Promise<{ readonly plan: RunPlan; readonly result: RunResult }>,
): Promise<number> {
  const carried = Math.min(calmBytes.max, cpus * calmBytesPerCpuSecond, serverBytesPerSecond * bandwidthShare)
  let bytesPerSecond = asked ?? Math.round(Math.max(calmBytes.min, carried))
  for (let halvings = 0; ; halvings++) {
    const { plan, result } = await runAt(bytesPerSecond)
    mustShip(result)
    if (!hasFallenBehind(plan, result)) return bytesPerSecond
    if (asked !== undefined || halvings === halvingsMax) {
      throw new RemoraError(
        'RATE_TOO_HIGH',
        `the agent does not keep up with ${(bytesPerSecond / 1e6).toFixed(2)} MB/s with the settings as they are, so latency and CPU at that rate mean nothing`,
        'give a lower --rate, or higher limits; --goal rate looks for settings that carry more',
      )
    }
    bytesPerSecond = Math.round(bytesPerSecond / 2)
  }
}

function mustShip(result: RunResult): RunResult {
  if (result.failure === '') return result
  throw new RemoraError(
    'NOTHING_SHIPPED',
    `with the settings as they are a run fails, so there is nothing to tune: ${result.failure}`,
    'see its last words; settings from a manifest are those of the bench, too',
  )
}
