import { ensureLog } from '../log.ts'
import type { Case } from './case.ts'
import { measureWay } from './way.ts'

const logBytes = 64 << 20
const seed = 1

/** All of them together, and what holds them together. */
export function wayCases(): Case[] {
  const log = ensureLog(seed, logBytes)
  const { lines: items, bytes } = log
  const time = async () => {
    const cost = await measureWay(log.path, items)
    // As for the whole log, start-up apart.
    const times = items / cost.lines
    return { cpuNs: cost.cpuNs * times, allocatedBytes: cost.allocatedBytes * times }
  }
  return [{ group: 'way', name: 'file to verdict, no network', item: 'line', items, bytes, time }]
}
