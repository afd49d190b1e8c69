import { bulkTargetOf } from '../bulk-target.ts'
import type { Connections } from '../connections.ts'
import { makeLookup } from '../lookup.ts'
import { makeSend } from '../transport.ts'
import type { Wire } from './sending.ts'

/** How letters get to one index, alias or data stream. `pipeline`, `routing`: of those whose action names none. */
export function wireTo(
  connections: Connections,
  target: string,
  timeoutMs: number,
  { pipeline, routing }: { readonly pipeline?: string | undefined; readonly routing?: string | undefined } = {},
): Wire {
  return {
    send: makeSend(connections, bulkTargetOf(target, pipeline, routing), timeoutMs),
    lookup: makeLookup(connections, target, timeoutMs, routing),
  }
}
