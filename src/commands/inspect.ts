/** `remora inspect`: what a state directory holds. Needs no Elasticsearch and no settings but one. */
import path from 'node:path'
import { systemClock } from '../base/clock.ts'
import { systemDisk } from '../base/disk.ts'
import type { Env } from '../config/load.ts'
import { exitCodeOf, rowsOf, stateDirectoryOf, totalsOf } from '../inspect/facts.ts'
import { inspectJson } from '../inspect/json.ts'
import { inspectText, rowsMax } from '../inspect/text.ts'
import { inspectLettersCommand } from './inspect-letters.ts'
import { needToLook, tightnessNow } from './room.ts'
import { stateDirIn } from './state-dir.ts'

const usage = `remora inspect [DIRECTORY]   what the state directory holds: how far each file is shipped
remora inspect dead-letters [DIRECTORY]   what Elasticsearch has refused for good (--help says more)
  --all    every generation, not only the ${rowsMax} that are furthest behind
  --json   for machines
  --anyway although there is little memory left beside Remora in the same container

Without DIRECTORY it is REMORA_STATE_DIR. Changes nothing, and works while Remora runs.
`

const known = new Set(['--all', '--json', '--anyway'])

/** @returns the exit code: 0, also when there is no state yet; 1 when it cannot be read, or there is no memory for it; 2 on bad arguments */
export function inspectCommand(argv: readonly string[], env: Env, write: (text: string) => void): number {
  if (argv[0] === 'dead-letters') return inspectLettersCommand(argv.slice(1), env, write)
  const flags = new Set(argv.filter((argument) => argument.startsWith('-')))
  const directories = argv.filter((argument) => !argument.startsWith('-'))
  if (flags.has('--help')) {
    write(usage)
    return 0
  }
  const unknown = [...flags].find((flag) => !known.has(flag)) ?? directories[1]
  if (unknown !== undefined) {
    write(`remora inspect does not know ${JSON.stringify(unknown)}.\n\n${usage}`)
    return 2
  }
  const directory = path.resolve(directories[0] ?? stateDirIn(env))
  const tight = flags.has('--anyway') ? undefined : tightnessNow(needToLook(directory))
  if (tight !== undefined) {
    write(`${tight}\n`)
    return 1
  }
  const found = stateDirectoryOf(directory, systemDisk)
  const rows = found.used === undefined ? [] : rowsOf(found.used.read.state, systemDisk)
  const totals = totalsOf(rows)
  const shown = flags.has('--all') ? rows.length : rowsMax
  write(
    flags.has('--json')
      ? inspectJson(found, rows, totals, shown)
      : inspectText(found, rows, totals, shown, systemClock.nowMs()),
  )
  return exitCodeOf(found)
}
