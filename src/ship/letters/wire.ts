import type { Connections } from '../connections.ts'
import { makeLookup } from '../lookup.ts'
import { makeSend } from '../transport.ts'
import type { Wire } from './sending.ts'

/** How letters get to one index, alias or data stream. */
export function wireTo(connections: Connections, target: string, timeoutMs: number): Wire {
  return { send: makeSend(connections, target, timeoutMs), lookup: makeLookup(connections, target, timeoutMs) }
}
