import type { Moment } from '../types.ts'

/** Of one row in a report; a plot of 1,400 pixels shows no more. */
export const momentsMax = 600

/** Of each part of the time, these keep their least and their most. */
const told = ['usedBytes', 'lagBytes', 'cpuShare'] as const
/** A part keeps so many at the most: least and most of each. */
const keptOfPart = told.length * 2

/**
 * At most `lengthMax` moments, each as it was measured; the first, the last and the extremes of memory, lag and CPU of each
 * part of the time stay. Few enough stay as they are.
 */
export function reduced(moments: readonly Moment[], lengthMax: number = momentsMax): readonly Moment[] {
  if (moments.length <= lengthMax) return moments
  const parts = Math.max(1, Math.floor((lengthMax - 2) / keptOfPart))
  const kept = new Set([0, moments.length - 1])
  for (let part = 0; part < parts; part++) {
    const [from = 0, to = 0] = [part, part + 1].map((edge) => Math.floor((edge * moments.length) / parts))
    for (const name of told) {
      let [least, most] = [from, from]
      for (let at = from + 1; at < to; at++) {
        const value = valueOf(moments, at, name)
        if (value < valueOf(moments, least, name)) least = at
        if (value > valueOf(moments, most, name)) most = at
      }
      kept.add(least).add(most)
    }
  }
  return [...kept].toSorted((a, b) => a - b).map((at) => moments[at]!)
}

function valueOf(moments: readonly Moment[], at: number, name: (typeof told)[number]): number {
  return name === 'cpuShare' ? cpusAt(moments, at) : moments[at]![name]
}

/** Processors in use between the moment before and this one; 0 for the first. */
export function cpusAt(moments: readonly Moment[], at: number): number {
  const [before, now] = [moments[at - 1], moments[at]]
  if (before === undefined || now === undefined || now.atMs <= before.atMs) return 0
  return Math.max(0, now.cpuUs - before.cpuUs) / ((now.atMs - before.atMs) * 1000)
}
