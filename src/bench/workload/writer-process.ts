import { fileURLToPath } from 'node:url'
import { RemoraError } from '../../base/errors.ts'
import { cleanEnv } from '../machine/process.ts'
import { TalkingChild } from '../machine/talking.ts'
import type { Writer, Written } from '../target.ts'
import type { Workload } from '../types.ts'
import { wallFromMonotonicUs } from './clock.ts'
import { withKeptSample } from './sample.ts'
import type { WriterSays } from './writer-script.ts'
import type { WriterPlan } from './writer.ts'

const script = fileURLToPath(new URL('writer-script.ts', import.meta.url))

/**
 * Starts the writer, which waits for `begin`.
 *
 * @param directory  is there, and empty; the logs in it are `app-0000.log` and so on
 * @throws RemoraError when the sample cannot be taken, RangeError for files that cannot be
 */
export async function startWriter(workload: Workload, directory: string): Promise<Writer> {
  if (workload.rate.kind === 'backlog' && !('bytes' in workload.end)) {
    throw new RangeError('a backlog ends after so many bytes, not after a time')
  }
  const ready = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<Written>()
  let progress = { lines: 0, bytes: 0 }
  let failure: Error | undefined
  const heard = (said: unknown) => {
    const what = said as WriterSays
    if (what.kind === 'ready') ready.resolve()
    else if (what.kind === 'begun') begun.resolve()
    else if (what.kind === 'progress') progress = { lines: what.lines, bytes: what.bytes }
    else if (what.kind === 'written') ended.resolve(what.written)
    else failure = what.code === '' ? new Error(what.message) : new RemoraError(what.code, what.message, what.wayOut)
  }
  const plan: WriterPlan = { workload: withKeptSample(workload), directory, wallFromMonotonicUs }
  const child = new TalkingChild(script, plan, cleanEnv({}), heard, (how) => {
    const error = failure ?? new Error(`the writer ended with ${how}: ${child.complaint}`)
    for (const { reject } of [ready, begun, ended]) reject(error)
  })
  // Whoever waits for one of them hears of it there.
  for (const { promise } of [begun, ended]) promise.catch(() => undefined)
  await ready.promise
  return {
    async begin() {
      child.tell('begin')
      await begun.promise
    },
    get progress() {
      return progress
    },
    stop: () => child.tell('stop'),
    ended: ended.promise,
    kill: () => child.kill(),
  }
}
