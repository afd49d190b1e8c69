import type { Report } from './report.ts'
import { limitsText } from '../limits/quantity.ts'
import { durationText, enforcementText, numberText } from './text.ts'

/** `0.1.0, commit 62e33ea4a, seed 1, 25 min`. */
export function titleOf({ remora, commit, seed, startedAt, endedAt }: Report): string {
  const version =
    commit === undefined ? '' : `, commit ${commit.hash.slice(0, 9)}${commit.isDirty ? ' and changes' : ''}`
  const seconds = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000
  return `${remora}${version}, seed ${seed}, ${durationText(seconds)}`
}

/** What the figures depend on, as labels and texts. */
export function factsOf(report: Report): (readonly [label: string, text: string])[] {
  const { machine, limits, limitsFrom, enforcement, floor, measuring, options } = report
  const { sinkUs, writerUs, benchUs } = measuring
  const beside = `${secondsText(sinkUs + writerUs + benchUs)} (${[sinkUs, writerUs, benchUs].map(secondsText).join(', ')})`
  const given = Object.entries(options).map(([name, value]) => `${name} ${value}`)
  return [
    ['limits', `${limitsText(limits)} (${limitsFrom}), ${enforcementText(enforcement)}`],
    [
      'machine',
      `${machine.processors} × ${machine.processor}, ${numberText(machine.memoryBytes / 2 ** 30)} GiB; load ${numberText(machine.loadBefore)} before; Linux ${machine.kernel}, Node ${machine.node}`,
    ],
    ['copy floor', floor === undefined ? 'none was measured' : floor.explain],
    [
      'measuring',
      `${durationText(measuring.wallMs / 1e3)} of runs: the agent took ${secondsText(measuring.agentUs)} of CPU; server, writer and bench beside it ${beside}`,
    ],
    ...(given.length === 0 ? [] : [['options', given.join(', ')] as const]),
  ]
}

function secondsText(us: number): string {
  return `${(us / 1e6).toFixed(1)} s`
}
