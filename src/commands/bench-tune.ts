import { systemClock } from '../base/clock.ts'
import { RemoraError } from '../base/errors.ts'
import { originOf } from '../bench/limits/choose.ts'
import { limitsText } from '../bench/limits/quantity.ts'
import { realParts } from '../bench/parts.ts'
import { progressOn } from '../bench/progress.ts'
import { styleFor } from '../bench/report/style.ts'
import { parseTuneOptions, tuneUsage } from '../bench/tune/options.ts'
import { effectText, failureOf, pasteText, tuneText } from '../bench/tune/text.ts'
import { tune, type TuneFacts } from '../bench/tune/tune.ts'
import { writeTuneReport } from '../bench/tune/write.ts'
import type { Env } from '../config/load.ts'

const stoppedCode = 130
const columnsUsual = 100
/** Codes of errors that are the command line's. */
const wrongOptions = new Set(['OPTION', 'MANIFEST', 'SETTINGS', 'ENFORCEMENT'])

export interface TunePlace {
  write(text: string): void
  readonly stop: AbortSignal
  /** Where `tune.json` goes, made before anything is measured for it. @throws RemoraError */
  directoryFor(asked: string | undefined): string
}

/**
 * `remora bench tune`.
 *
 * @returns the exit code: 0 when it could be told what is best, 1 when not, 2 for bad options, 130 when told to stop
 */
export async function tuneCommand(argv: readonly string[], env: Env, place: TunePlace): Promise<number> {
  const progress = progressOn(process.stderr, systemClock)
  try {
    const options = parseTuneOptions(argv)
    if (options === 'help') {
      place.write(tuneUsage)
      return 0
    }
    const directory = place.directoryFor(options.out)
    const report = await tune(options, {
      parts: realParts(env),
      env,
      signal: place.stop,
      watcher: progress,
      begins: (facts) => progress.say(factsText(facts)),
    })
    progress.done()
    const path = writeTuneReport(report, directory)
    const text = tuneText(report, process.stdout.columns ?? columnsUsual, styleFor(process.stdout))
    const paste = pasteText(report, options.format)
    place.write(`${text}\n\n${path}\n${paste === '' ? '' : `\n${paste}\n`}`)
    return failureOf(report) === '' ? 0 : 1
  } catch (error) {
    progress.done()
    if (place.stop.aborted) {
      process.stderr.write('Stopped: what was started has ended, what was made is removed, and nothing is told.\n')
      return stoppedCode
    }
    if (!(error instanceof RemoraError)) throw error
    process.stderr.write(`${error.message}\n  ${error.wayOut}\n`)
    return wrongOptions.has(error.code) ? 2 : 1
  }
}

function factsText({ wanted, held, effect }: TuneFacts): string {
  return [
    `limits    ${limitsText(held.enforcement.kind === 'own' ? held.limits : wanted.limits)}: ${originOf(wanted, held)}`,
    `as it is  ${effectText(effect)}`,
    ...(held.warning === '' ? [] : [`WARNING   ${held.warning}`]),
  ].join('\n')
}
