import type { Client } from '@elastic/elasticsearch'
import { makeLookup } from '../lookup.ts'
import { makeSend } from '../transport.ts'
import type { Wire } from './sending.ts'

/** How letters get to one index, alias or data stream. */
export function wireTo(client: Client, target: string, timeoutMs: number): Wire {
  return { send: makeSend(client, target, timeoutMs), lookup: makeLookup(client, target, timeoutMs) }
}
