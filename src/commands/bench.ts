import { accessSync, constants, mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf, RemoraError } from '../base/errors.ts'
import { systemClock } from '../base/clock.ts'
import { bench, type Facts } from '../bench/bench.ts'
import { compareCommand } from '../bench/compare/command.ts'
import { keptDir } from '../bench/machine/kept.ts'
import { progressOn } from '../bench/progress.ts'
import { closingTable } from '../bench/report/closing.ts'
import { failuresOf } from '../bench/report/report.ts'
import { enforcementText } from '../bench/report/text.ts'
import { styleFor } from '../bench/report/style.ts'
import { writeReport } from '../bench/report/write.ts'
import { parseBenchOptions, usage } from '../bench/options.ts'
import { lineBytesOf, realParts } from '../bench/parts.ts'
import { listText } from '../bench/scenarios/table.ts'
import { originOf } from '../bench/limits/choose.ts'
import { limitsText } from '../bench/limits/quantity.ts'
import type { Env } from '../config/load.ts'
import { tuneCommand } from './bench-tune.ts'
import type { Signals } from './signals.ts'

const stoppedCode = 130
const columnsUsual = 100
const complain = (text: string): void => void process.stderr.write(text)
/** Codes of errors that are the command line's. */
const wrongOptions = new Set(['OPTION', 'MANIFEST', 'NO_SCENARIO', 'ENFORCEMENT'])

/**
 * `remora bench`.
 *
 * @returns the exit code: 0 when every run was good, 1 when not, 2 for bad options, 130 when told to stop
 */
export async function benchCommand(
  argv: readonly string[],
  env: Env,
  write: (text: string) => void,
  signals: Signals,
): Promise<number> {
  const columns = process.stdout.columns ?? columnsUsual
  const style = styleFor(process.stdout)
  if (argv[0] === 'compare') return compareCommand(argv.slice(1), { columns, style, write, complain })
  const stop = stopAt(signals)
  if (argv[0] === 'tune') return tuneCommand(argv.slice(1), env, { write, stop, directoryFor: reportDirectory })
  const progress = progressOn(process.stderr, systemClock)
  try {
    const wish = parseBenchOptions(argv)
    if (wish === 'help') return said(write, usage)
    if (wish === 'list') return said(write, listText())
    const directory = reportDirectory(wish.out)
    const report = await bench(wish, {
      parts: realParts(env, (text) => progress.say(text)),
      lineBytesOf,
      signal: stop,
      watcher: progress,
      begins: (facts) => progress.say(factsText(facts)),
    })
    progress.done()
    const paths = writeReport(report, directory)
    write(`${closingTable(report, columns, style)}\n\n${paths.html}\n${paths.json}\n`)
    if (stop.aborted) {
      complain(
        'Stopped: the report has the scenarios that were done. What was started has ended, what was made is removed.\n',
      )
      return stoppedCode
    }
    return failuresOf(report).length === 0 ? 0 : 1
  } catch (error) {
    progress.done()
    if (stop.aborted) {
      complain('Stopped: what was started has ended, what was made is removed, and there is no report.\n')
      return stoppedCode
    }
    if (!(error instanceof RemoraError)) throw error
    complain(`${error.message}\n  ${error.wayOut}\n`)
    return wrongOptions.has(error.code) ? 2 : 1
  }
}

function factsText({ wanted, held, floor }: Facts): string {
  const settings = Object.entries(wanted.settings).map(([name, value]) => `${name}=${value}`)
  return [
    `limits    ${limitsText(held.enforcement.kind === 'own' ? held.limits : wanted.limits)} (${originOf(wanted, held)}), ${enforcementText(held.enforcement)}`,
    ...(settings.length === 0 ? [] : [`settings  ${settings.join(' ')}`]),
    `floor     ${floor}`,
    ...(held.warning === '' ? [] : [`WARNING   ${held.warning}`]),
  ].join('\n')
}

/** The first Ctrl-C ends what is running and takes it away, a second one everything at once. */
function stopAt(signals: Signals): AbortSignal {
  const stop = new AbortController()
  void signals.first.then((signal) => stop.abort(new Error(signal)))
  // The terminal is gone, and what was made must go too.
  process.once('SIGHUP', () => stop.abort(new Error('SIGHUP')))
  signals.second.addEventListener('abort', () => process.exit(stoppedCode))
  return stop.signal
}

function said(write: (text: string) => void, text: string): number {
  write(text)
  return 0
}

/** Where the report goes, made before anything is measured for it. @throws RemoraError `REPORT_UNWRITABLE` */
function reportDirectory(asked: string | undefined): string {
  const wanted = resolve(asked ?? 'remora-bench')
  try {
    return made(wanted)
  } catch (error) {
    // In the image nothing but the directory for temporary files can be written to.
    if (asked === undefined) return keptDir()
    throw new RemoraError(
      'REPORT_UNWRITABLE',
      `the report cannot be written to ${wanted}: ${messageOf(error)}`,
      'name another directory with --out',
      { cause: error },
    )
  }
}

function made(directory: string): string {
  mkdirSync(directory, { recursive: true })
  accessSync(directory, constants.W_OK)
  return directory
}
