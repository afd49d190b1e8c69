import { fileURLToPath } from 'node:url'
import { cleanEnv } from '../machine/process.ts'
import { TalkingChild } from '../machine/talking.ts'
import type { Arrived, Target } from '../target.ts'
import type { Account, Latency, Shape, Workload } from '../types.ts'
import { wallFromMonotonicUs } from '../workload/clock.ts'
import { withKeptSample } from '../workload/sample.ts'
import type { SinkAsks, SinkPlan, SinkSays } from './sink-script.ts'

const script = fileURLToPath(new URL('sink-script.ts', import.meta.url))
const indexName = 'remora-bench'

/**
 * Starts the bulk server for one run of a workload, in a process of its own.
 *
 * Its latency ends with the writing of the answer to the request that has the line; for a line of which nobody could be
 * told (an outage came between), with the answer to the request that brings it again.
 */
export async function startSink(workload: Workload, shape: Shape): Promise<Target & { readonly url: string }> {
  const listening = Promise.withResolvers<number>()
  const waiting: PromiseWithResolvers<unknown>[] = []
  const heard = (said: unknown) => {
    const what = said as SinkSays
    if ('port' in what) listening.resolve(what.port)
    else if ('answer' in what) waiting.shift()?.resolve(what.answer)
    else waiting.shift()?.reject(new Error(`the sink: ${what.failed}`))
  }
  const plan: SinkPlan = { workload: withKeptSample(workload), shape, wallFromMonotonicUs, index: indexName }
  let end: Error | undefined
  const child = new TalkingChild(script, plan, cleanEnv({}), heard, (how) => {
    end = new Error(`the sink ended with ${how}: ${child.complaint}`)
    for (const { reject } of [listening, ...waiting]) reject(end)
  })
  const ask = async (question: SinkAsks): Promise<unknown> => {
    if (end !== undefined) throw end
    const answer = Promise.withResolvers<unknown>()
    waiting.push(answer)
    child.tell(JSON.stringify(question))
    return answer.promise
  }
  const url = `http://127.0.0.1:${await listening.promise}`
  return {
    url,
    settings: { REMORA_ELASTICSEARCH_URL: url, REMORA_INDEX: indexName },
    begin: async () => void (await ask({ ask: 'begin' })),
    measureFrom: async () => void (await ask({ ask: 'measureFrom' })),
    arrived: async () => (await ask({ ask: 'arrived' })) as Arrived,
    account: async (written) => (await ask({ ask: 'account', written })) as Account,
    latency: async () => ((await ask({ ask: 'latency' })) as Latency | null) ?? undefined,
    async close() {
      child.finish()
      await child.ended
    },
  }
}
