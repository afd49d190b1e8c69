import { accessSync, constants, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { messageOf, RemoraError } from '../base/errors.ts'
import { bench } from '../bench/bench.ts'
import { parseBenchOptions, usage } from '../bench/options.ts'
import { lineBytesOf, realParts } from '../bench/parts.ts'
import { listText } from '../bench/scenarios/table.ts'
import { limitsText } from '../bench/limits/quantity.ts'
import type { Env } from '../config/load.ts'
import type { Signals } from './signals.ts'

const stoppedCode = 130

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
  const [first, ...rest] = argv
  if (first === 'compare') return compare(rest)
  const complain = (text: string) => void process.stderr.write(text)
  const stop = stopAt(signals)
  try {
    const wish = parseBenchOptions(argv)
    if (wish === 'help') return said(write, usage)
    if (wish === 'list') return said(write, listText())
    const directory = reportDirectory(wish.out)
    const result = await bench(wish, {
      parts: realParts(),
      lineBytesOf,
      signal: stop,
      watcher: {
        begin: () => undefined,
        step: (name, about, s) => complain(`${name} ${about} ${s.toFixed(0)} s left\n`),
        done: () => undefined,
      },
      begins: ({ wanted, held, floor }) =>
        complain(
          `limits  ${limitsText(held.limits)}, ${wanted.origin}\nfloor   ${floor}\n${held.warning === '' ? '' : `        ${held.warning}\n`}`,
        ),
    })
    void directory
    for (const scenario of result.scenarios) {
      write(`${scenario.name} ${scenario.seconds.toFixed(0)} s\n`)
      for (const row of scenario.rows) {
        write(
          `  ${row.name}: ${row.figures.map((f) => `${f.name} ${f.spread.median.toFixed(2)} (${f.spread.min.toFixed(2)}–${f.spread.max.toFixed(2)}) ${f.unit}`).join('; ')}\n`,
        )
        for (const note of [...row.failures.map((each) => `FAILED ${each}`), ...row.notes]) write(`    ${note}\n`)
      }
    }
    write(`left: ${JSON.stringify(result.left)}; ${result.seconds.toFixed(0)} s\n`)
    return result.scenarios.some(({ rows }) => rows.some(({ failures }) => failures.length > 0)) ? 1 : 0
  } catch (error) {
    if (stop.aborted) {
      complain('\nStopped: what was started has ended, and what was made is removed. There is no report.\n')
      return stoppedCode
    }
    if (!(error instanceof RemoraError)) throw error
    complain(`${error.message}\n  ${error.wayOut}\n`)
    return error.code === 'OPTION' || error.code === 'MANIFEST' || error.code === 'NO_SCENARIO' ? 2 : 1
  }
}

function compare(argv: readonly string[]): number {
  void argv
  return 2
}

/** The first Ctrl-C ends what is running and takes it away, a second one everything at once. */
function stopAt(signals: Signals): AbortSignal {
  const stop = new AbortController()
  void signals.first.then((signal) => stop.abort(new Error(signal)))
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
    if (asked === undefined) return made(join(tmpdir(), 'remora-bench'))
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
