import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/base/clock.ts'
import { RemoraError } from '../src/base/errors.ts'
import { parseBytes } from '../src/base/units.ts'
import { abilityHere } from '../src/bench/agent/place.ts'
import { startFloor } from '../src/bench/floor/floor-beside.ts'
import { makeFloor } from '../src/bench/floor/floor.ts'
import { enforcementOf } from '../src/bench/limits/choose.ts'
import { limitsText, parseCpus, parseMemory } from '../src/bench/limits/quantity.ts'
import { commitHere, machineHere } from '../src/bench/machine/facts.ts'
import { runMain } from '../src/bench/machine/process.ts'
import { realParts } from '../src/bench/parts.ts'
import { run } from '../src/bench/run.ts'
import type { Limits, RunPlan } from '../src/bench/types.ts'
import { wholeOf } from '../src/bench/option-values.ts'
import { findPrograms, type Installed } from './peer-programs.ts'
import { type TrialResult, trialRounds, trialsOf } from './peer-rounds.ts'
import { trialText } from './peer-table.ts'

/** Raised whenever a field of a results file changes its meaning or goes away. */
export const peersSchemaVersion = 1

const help = `npm run bench:peers -- [options]

Remora and each peer that is installed (bench/peers/, see README.md there) through the same workload into the same sink, in
turn: CPU for each GB, speed, peak memory, latency, lines lost and stored twice, beside the copy floor.

  --only NAME      this peer, as --only rsyslog (may be repeated)
  --peer FILE      one more, from a file that exports a Program as its default (may be repeated)
  --rounds N       so many (3)
  --size 256M      bytes of the backlog
  --rate 2M        bytes a second of the steady load
  --seconds N      of the steady load (8)
  --seed N         other lines (1)
  --cpu 200m       limits for each of them, as in a manifest (none)
  --memory 64Mi
  --json FILE      the figures as JSON, too
  --help
`

const say = (text: string) => process.stdout.write(`${text}\n`)
/** Before anything counts: each program must ship this. */
const firstLookBytes = 8e6
const floorBytes = 64e6

function optionsOf(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      peer: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '3' },
      size: { type: 'string', default: '256M' },
      rate: { type: 'string', default: '2M' },
      seconds: { type: 'string', default: '8' },
      seed: { type: 'string', default: '1' },
      cpu: { type: 'string' },
      memory: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    only: values.only,
    peers: values.peer,
    rounds: wholeOf('--rounds', values.rounds, 1, 50),
    backlogBytes: quantity('--size', values.size, parseBytes),
    bytesPerSecond: quantity('--rate', values.rate, parseBytes),
    seconds: wholeOf('--seconds', values.seconds, 4, 600),
    seed: wholeOf('--seed', values.seed, 0, 0xffffffff),
    limits: {
      cpus: values.cpu === undefined ? undefined : quantity('--cpu', values.cpu, parseCpus),
      memoryBytes: values.memory === undefined ? undefined : quantity('--memory', values.memory, parseMemory),
    } satisfies Limits,
    json: values.json,
  }
}

type Options = NonNullable<ReturnType<typeof optionsOf>>

function quantity(name: string, text: string, parse: typeof parseBytes): number {
  const parsed = parse(text)
  if (!parsed.ok) throw new Error(`${name}: ${parsed.message}; ${parsed.wayOut}`)
  return parsed.value
}

/** @returns the exit code: 1 when a run of Remora failed; what a peer loses is told, and is no failure of this */
async function measure(options: Options): Promise<number> {
  const startedAtMs = systemClock.nowMs()
  const machine = machineHere()
  const { processor, processors, kernel, node, loadBefore } = machine
  say(`machine    ${processors} × ${processor}, Linux ${kernel}, Node ${node}, load ${loadBefore.toFixed(2)}`)
  const { installed, missing } = await findPrograms(options.only, options.peers)
  for (const { program, version } of installed) say(`agent      ${program.name} ${version}`)
  for (const { name, why } of missing) say(`missing    ${name}: ${why}`)
  const held = enforcementOf(options.limits, abilityHere())
  say(`limits     ${limitsText(held.limits)}${held.warning === '' ? '' : `. ${held.warning}`}`)

  const parts = realParts(process.env)
  const { signal } = new AbortController()
  const ship = (plan: RunPlan, program: Installed['program']) =>
    run(plan, { program, parts, enforcement: held.enforcement, signal })
  const trials = trialsOf({ ...options, limits: held.limits })
  const perLogByte = await firstLook(
    installed,
    trialsOf({ ...options, limits: held.limits, backlogBytes: firstLookBytes })[0]!.plan,
    ship,
  )
  const lines = { mix: { kind: 'mixed' }, seed: options.seed, bytes: floorBytes } as const
  const floor = await startFloor(await makeFloor('auto'), lines, { perLogByte, isMeasured: true }, (workload, logs) =>
    parts.writer(workload, logs),
  )
  say(`floor      ${floor.explain}: here Remora`)
  const results: TrialResult[] = []
  try {
    for (const trial of trials) {
      const result = await trialRounds(trial, options.rounds, {
        programs: installed.map(({ program }) => program),
        floor,
        run: ship,
        step: ({ name }, program, round) => process.stderr.write(`${name}, round ${round}: ${program.name}\n`),
      })
      results.push(result)
      say(`\n${trialText(result)}`)
    }
  } finally {
    await floor.close()
  }
  say(
    '\nMedians of the rounds, with their range; lost and stored twice: the most of them. Peak: the most of looks every 50 ms.',
  )
  if (options.json !== undefined) {
    const agents = installed.map(({ program, version }) => ({ name: program.name, version }))
    const { only: _only, json: _json, ...rest } = options
    const facts = { agents, machine, commit: await commitHere(), limits: held.limits, enforcement: held.enforcement }
    const head = { schema: 'remora-peers', schemaVersion: peersSchemaVersion, at: new Date(startedAtMs).toISOString() }
    writeFileSync(
      options.json,
      `${JSON.stringify({ ...head, ...facts, options: rest, floor: floor.explain, trials: results }, null, 2)}\n`,
    )
    say(`results    ${options.json}`)
  }
  return results.some(({ rows }) => rows[0]!.failures.length > 0) ? 1 : 0
}

/**
 * A run of each that no figure is made of: it warms the caches, and tells whether anything arrives.
 * @returns what Remora sends for each byte of log
 */
async function firstLook(
  installed: readonly Installed[],
  plan: RunPlan,
  ship: (plan: RunPlan, program: Installed['program']) => ReturnType<typeof run>,
): Promise<number> {
  let sentPerLogByte = 0
  for (const { program } of installed) {
    const { failure, account, bodyBytes } = await ship(plan, program)
    if (account.storedLines === 0) {
      throw new RemoraError(
        'PEER',
        `${program.name} does not ship a few lines that wait for it: ${failure}`,
        'See its last words.',
      )
    }
    if (sentPerLogByte === 0) sentPerLogByte = bodyBytes / account.writtenBytes
  }
  return sentPerLogByte
}

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2))
  if (options === undefined) {
    say(help)
    return 0
  }
  try {
    return await measure(options)
  } catch (error) {
    if (!(error instanceof RemoraError)) throw error
    process.stderr.write(`${error.message}\n  ${error.wayOut}\n`)
    return 2
  }
}

if (import.meta.main) await runMain('bench:peers', help, main, 2)
