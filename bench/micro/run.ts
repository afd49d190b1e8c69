import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { commitHere, machineHere } from '../../src/bench/machine/facts.ts'
import { runMain } from '../../src/bench/machine/process.ts'
import { systemClock } from '../../src/base/clock.ts'
import { wholeOf } from '../../src/bench/option-values.ts'
import { casesOf } from './cases.ts'
import { fullEffort, measureCases } from './measure.ts'
import { budgetsText, costTable, reportOf } from './report.ts'

const help = `npm run bench:micro -- [options]

The parts of the way of a line, each alone: CPU time of its thread, speed in bytes where bytes are what counts, and what it
allocates on the heap. Repeats of all cases alternate; figures are medians with their range.

  --only TEXT      cases whose group and name hold this, as --only kernel
  --repeats N      of each case (${fullEffort.repeats})
  --ms N           CPU time of one repeat (${fullEffort.repeatMs})
  --json FILE      the figures as JSON, too
  --help
`

const say = (text: string) => process.stdout.write(`${text}\n`)

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      repeats: { type: 'string', default: String(fullEffort.repeats) },
      ms: { type: 'string', default: String(fullEffort.repeatMs) },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    say(help)
    return 0
  }
  const effort = {
    repeats: wholeOf('--repeats', values.repeats, 1, 100),
    repeatMs: wholeOf('--ms', values.ms, 5, 10_000),
  }
  const machine = machineHere()
  const startedAtMs = systemClock.nowMs()
  const { processor, processors, kernel, node, loadBefore } = machine
  say(`machine    ${processors} × ${processor}, Linux ${kernel}, Node ${node}, load ${loadBefore.toFixed(2)}`)
  const { cases, close } = casesOf(values.only)
  try {
    if (cases.length === 0) throw new Error(`no case holds "${values.only}"`)
    const costs = await measureCases(cases, effort, progress)
    const seconds = (systemClock.nowMs() - startedAtMs) / 1000
    say(`\n${costTable(costs)}`)
    const { text, missed } = budgetsText(costs)
    say(`\n${text}`)
    say(`${seconds.toFixed(0)} s: ${effort.repeats} repeats of ${effort.repeatMs} ms of CPU time each, in turn`)
    if (values.json !== undefined) {
      const report = reportOf({ machine, commit: await commitHere(), startedAtMs, seconds, effort, costs })
      writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
      say(`results    ${values.json}`)
    }
    return missed ? 1 : 0
  } finally {
    close?.()
  }
}

function progress(done: number, of: number): void {
  if (!process.stderr.isTTY) return
  process.stderr.write(done === of ? '\r\u001b[K' : `\r${Math.floor((done * 100) / of)} %`)
}

await runMain('bench:micro', help, main, 2)
