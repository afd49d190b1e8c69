/** `remora replay`: sends dead letters again, and removes those that were taken. */
import { systemClock } from '../base/clock.ts'
import { systemDisk } from '../base/disk.ts'
import { RemoraError } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { printable } from '../base/printable.ts'
import { loadSettings, type Env } from '../config/load.ts'
import { explainProblems } from '../config/problem.ts'
import { readSettingFile } from '../config/read-file.ts'
import { fixedIndexName } from '../config/target.ts'
import type { Settings } from '../config/types.ts'
import { lettersIn, Tally } from '../inspect/letters.ts'
import { replay, withNewReason, type Replayed } from '../ship/letters/replay.ts'
import { Sending } from '../ship/letters/sending.ts'
import { again } from '../ship/letters/shapes.ts'
import { wireTo } from '../ship/letters/wire.ts'
import type { Signals } from './signals.ts'
import { tightnessNow } from './room.ts'
import { connectionsFor } from './connections.ts'
import { namedStateDir } from './state-dir.ts'

const usage = `remora replay [DIRECTORY]   sends dead letters again, and removes those that were taken
  --dry-run         says what would be sent, and sends nothing
  --index NAME      to this index, alias or data stream instead of the one that refused them
  --pipeline NAME   through this ingest pipeline, which can mend the documents on their way
  --anyway          although there is little memory left

Without DIRECTORY, a state directory, it is REMORA_STATE_DIR; the other settings are those of \`remora run\`. Works while Remora runs. It
takes up to 50 MiB beside it: where the container has not so much left, it sends nothing, for the kernel would end Remora as well.
Raise the limit, copy the directory and replay it elsewhere, or set REMORA_DEAD_LETTER_INDEX.

A letter that Elasticsearch takes, or has already, is removed; one that is refused again stays, with its new reason. First mend what
refused it: the mapping, or the document, with --pipeline or by hand. Each letter is one line of JSON in a file under
dead-letters/, and "source" in it is the document, as text. Do not write into the file of the highest number while Remora runs; for
the others, with jq:  jq -c '.source |= (fromjson | del(.labels.bad) | tojson)' F > F.new && mv F.new F

It can be stopped, killed and started again at any moment. What was sent twice is stored once, for it has its _id; with
REMORA_DOCUMENT_ID=none it has none, and may be stored twice.

Exit codes: 0 all of them were taken, or there are none; 1 some are left; 2 bad arguments or settings.
`

interface Arguments {
  readonly directory: string | undefined
  readonly dryRun: boolean
  readonly index: string | undefined
  readonly pipeline: string | undefined
  readonly anyway: boolean
}

/** @returns what is wrong with them as text */
export function argumentsOf(argv: readonly string[]): Arguments | string {
  let [directory, index, pipeline]: (string | undefined)[] = []
  let [dryRun, anyway] = [false, false]
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at]!
    const [, name, joined] = /^(--(?:index|pipeline))(?:=(.*))?$/s.exec(argument) ?? []
    if (argument === '--dry-run') dryRun = true
    else if (argument === '--anyway') anyway = true
    else if (name !== undefined) {
      const value = joined ?? argv[++at]
      if (value === undefined || value === '') return `${name} needs a name`
      if (name === '--index') index = value
      else pipeline = value
    } else if (argument.startsWith('-') || directory !== undefined)
      return `remora replay does not know ${JSON.stringify(argument)}`
    else directory = argument
  }
  const read = index === undefined ? undefined : fixedIndexName.parse(index)
  if (read !== undefined && !read.ok) return `--index: ${read.message}`
  return { directory, dryRun, index, pipeline, anyway }
}

/** @returns the exit code */
export async function replayCommand(
  argv: readonly string[],
  env: Env,
  write: (text: string) => void,
  signals: Signals,
): Promise<number> {
  if (argv.includes('--help')) {
    write(usage)
    return 0
  }
  const options = argumentsOf(argv)
  if (typeof options === 'string') {
    write(`${options}.\n\n${usage}`)
    return 2
  }
  const stateDir = namedStateDir(options.directory, env)
  if (options.dryRun) return sayOnly(stateDir, options, write)
  const { settings, problems } = loadSettings(env, readSettingFile)
  if (settings === undefined) {
    write(explainProblems(problems))
    return 2
  }
  if (settings.elasticsearchUrls.length === 0) {
    write('REMORA_ELASTICSEARCH_URL is not set, so there is nowhere to send to.\n')
    return 2
  }
  const tight = options.anyway ? undefined : tightnessNow(need)
  if (tight !== undefined) {
    write(`${tight}\n`)
    return 1
  }
  return sendAll(settings, env, stateDir, options, write, signals)
}

const need = {
  bytes: limits.replayMemoryBytes,
  refusal: 'Nothing was sent',
  instead: 'Raise the limit of the container, copy the directory and replay it elsewhere',
}

function sayOnly(stateDir: string, options: Arguments, write: (text: string) => void): number {
  const targets = new Tally()
  let unsendable = 0
  const found = lettersIn(stateDir, systemDisk, (letter) => {
    const outbound = again(letter, options)
    if (outbound === undefined) unsendable++
    else targets.add(outbound.target)
  })
  const lines = targets.rows.map(([target, letters]) => `${letters} would be sent to ${target}`)
  if (targets.others > 0) lines.push(`${targets.others} would be sent to further targets`)
  if (options.pipeline !== undefined && lines.length > 0) lines.push(`through the pipeline ${options.pipeline}`)
  if (lines.length === 0) lines.push(`there are no dead letters in ${found.directory}`)
  const unreadable = found.unreadable + unsendable
  if (unreadable > 0) lines.push(`${unreadable} cannot be read, and would stay`)
  if (found.obstacle !== undefined) lines.push(`not all could be read: ${found.obstacle}`)
  write(textOf([...lines, 'Nothing was sent.']))
  return unreadable > 0 || found.obstacle !== undefined ? 1 : 0
}

async function sendAll(
  settings: Settings,
  env: Env,
  stateDir: string,
  options: Arguments,
  write: (text: string) => void,
  signals: Signals,
): Promise<number> {
  const { requestTimeoutMs } = settings
  const connections = connectionsTo(settings, env, write)
  if (connections === undefined) return 2
  const stopped = new AbortController()
  void signals.first.then(() => stopped.abort())
  try {
    const sending = new Sending({
      clock: systemClock,
      random: Math.random,
      wireTo: (target) => wireTo(connections, target, requestTimeoutMs, settings),
      triesMax: limits.replayTriesMax,
      signal: stopped.signal,
    })
    const result = await replay({
      disk: systemDisk,
      clock: systemClock,
      stateDir,
      sending,
      shape: (letter) => again(letter, options),
      refusedAgain: withNewReason,
    })
    const { health } = sending
    const why = stopped.signal.aborted ? 'it was stopped' : 'detail' in health ? health.detail : ''
    write(textOf(report(result, why)))
    return result.refused + result.left + result.unreadable > 0 || result.failure !== undefined ? 1 : 0
  } finally {
    await connections.close()
  }
}

/** A file that cannot be read is a setting that is wrong. */
function connectionsTo(settings: Settings, env: Env, write: (text: string) => void) {
  try {
    return connectionsFor(settings, env, 2)
  } catch (error) {
    if (!(error instanceof RemoraError)) throw error
    write(`${error.message}\n  ${error.wayOut}\n`)
    return undefined
  }
}

/** What became of the letters, for a person. @param why  nothing more got through */
export function report(result: Replayed, why: string): string[] {
  const { taken, duplicates, possiblyDuplicated, refused, left, unreadable, torn, failure } = result
  if (taken + refused + left + unreadable + torn === 0 && failure === undefined) return ['there are no dead letters']
  const lines = [`taken       ${taken}${duplicates > 0 ? `, ${duplicates} of them were there already` : ''}`]
  if (possiblyDuplicated > 0) {
    lines.push(
      `            ${possiblyDuplicated} of them may be in an older index too: without the privileges view_index_metadata and read nobody can look`,
    )
  }
  if (refused > 0) {
    const reasons = [...result.reasons].map(([reason, count]) => `${count} × ${reason}`).slice(0, 5)
    lines.push(
      `refused     ${refused} again (${reasons.join(', ')}): they stay, \`remora inspect dead-letters\` says why`,
    )
  }
  if (left > 0) lines.push(`no verdict  ${left}${why === '' ? '' : ` (${why})`}: they stay, run it once more`)
  if (unreadable > 0)
    lines.push(
      `unreadable  ${unreadable}: no letters any more, they stay as they are; the first one is in ${result.unreadableIn ?? ''}`,
    )
  if (torn > 0)
    lines.push(`cut         ${torn} by a crash or a full disk: they never counted as kept, and were removed`)
  if (failure !== undefined)
    lines.push(
      `FAILED      ${failure}. No letter is lost; those that were taken are answered as duplicates the next time`,
    )
  return lines
}

const textOf = (lines: readonly string[]): string => `${lines.map(printable).join('\n')}\n`
