import { parseArgs } from 'node:util'
import { type Custom, customOptions, customTextsOf, customUsage, parseCustom } from './custom.ts'
import { type EnforcementKind, enforcements, type LimitOptions } from './limits/choose.ts'
import type { HoldOptions } from './limits/hold.ts'
import { oneOf, wholeOf, wrong } from './option-values.ts'
import type { Form } from './scenarios/scenario.ts'
import { scenarios } from './scenarios/table.ts'
import type { Mix } from './types.ts'

export interface BenchOptions extends LimitOptions, HoldOptions {
  readonly form: Form
  /** Names; empty: those of the form. */
  readonly scenarios: readonly string[]
  readonly seed: number
  /** Undefined: as each scenario has them. */
  readonly rounds: number | undefined
  /** The user's own Elasticsearch; undefined: the bench's own server. */
  readonly url: string | undefined
  readonly sample: string | undefined
  /** Of generated lines. */
  readonly mix: Exclude<Mix['kind'], 'sample'> | undefined
  /** For the scenario of that name. */
  readonly custom: Custom
  /** What it is made of, as given, by name. */
  readonly customTexts: Readonly<Record<string, string>>
  readonly out: string | undefined
}

export type Wish = BenchOptions | 'help' | 'list'

export const usage = `remora bench [options]
remora bench compare BEFORE.json AFTER.json
remora bench tune [options]   which batch settings are best; --help tells its options

How much does it carry, inside my limits? Rates, latency, memory, outages, restarts: each run inside the limits, every line
counted, and every figure repeated. The report goes to a directory: report.html to look at, report.json to compare.

  --cpu 200m          limits, as a manifest has them; without any of these three: those of the cgroup that the bench runs in,
  --memory 64Mi       else 200m and 64Mi
  --manifest FILE     the sidecar's limits and settings from a manifest, or a directory with a kustomization
  --enforce HOW       hold the limits by a cgroup of the agent's own, a container (podman or docker), the own group of the bench,
                      or none; without it the first of them that can be
  --image NAME        the image of Remora for a container (remora)
  --short             in under three minutes: the scenarios that matter most, and few repeats: to look at, not to compare
  --scenario NAME     only this one, with all its repeats (may be given more than once)
  --list              the scenarios, and what each of them tells
  --rounds N          so many repeats
  --url URL           your own Elasticsearch instead of the bench's server: a throw-away index, deleted afterwards; credentials
                      are taken from the REMORA_… settings in the environment
  --sample FILE       lines of your own instead of generated ones
  --mix KIND          generated lines of one kind: short, long, json, stack, multibyte, or of all of them: mixed (mixed)
  --seed N            other lines (1)
  --out DIR           where the report goes (remora-bench)
  --help

A load and a server of your own, as the scenario custom; one of these is enough to run it, and it alone:

${customUsage}`

const mixes = ['short', 'long', 'json', 'stack', 'multibyte', 'mixed'] as const
const customName = 'custom'
const roundsMax = 100
const seedMax = 0xffffffff

/** @throws RemoraError naming the option that is wrong */
export function parseBenchOptions(argv: readonly string[]): Wish {
  const { values } = parsed(argv)
  if (values.help) return 'help'
  if (values.list) return 'list'
  const known = new Set(scenarios.map(({ name }) => name))
  for (const name of values.scenario) {
    if (known.has(name)) continue
    throw wrong(`there is no scenario ${JSON.stringify(name)}`, `there are ${[...known].join(', ')}`)
  }
  if (values.mix !== undefined && values.sample !== undefined) {
    throw wrong('--mix is for generated lines, and --sample has lines of your own', 'give one of them')
  }
  const customTexts = customTextsOf(values)
  const names = namesOf(values.scenario, Object.keys(customTexts))
  return {
    cpu: values.cpu,
    memory: values.memory,
    manifest: values.manifest,
    ...holdingOf(values),
    form: values.short ? 'short' : 'long',
    scenarios: names,
    seed: seedOf(values.seed),
    rounds: values.rounds === undefined ? undefined : wholeOf('--rounds', values.rounds, 1, roundsMax),
    url: values.url === undefined ? undefined : urlOf(values.url),
    sample: values.sample,
    mix: values.mix === undefined ? undefined : oneOf('--mix', values.mix, mixes),
    custom: parseCustom(values, values.url !== undefined),
    customTexts,
    out: values.out,
  }
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        cpu: { type: 'string' },
        memory: { type: 'string' },
        manifest: { type: 'string' },
        enforce: { type: 'string' },
        image: { type: 'string' },
        short: { type: 'boolean', default: false },
        scenario: { type: 'string', multiple: true, default: [] },
        list: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        url: { type: 'string' },
        sample: { type: 'string' },
        mix: { type: 'string' },
        ...customOptions,
        seed: { type: 'string', default: '1' },
        out: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error), 'remora bench --help lists the options')
  }
}

export function seedOf(text: string): number {
  return wholeOf('--seed', text, 0, seedMax)
}

/** Options of the custom scenario mean it; with others alone they would mean nothing. */
function namesOf(given: readonly string[], custom: readonly string[]): string[] {
  if (custom.length === 0) return [...new Set(given)]
  if (given.length === 0) return [customName]
  if (given.includes(customName)) return [...new Set(given)]
  throw wrong(
    `--${custom[0]} is for the scenario ${customName}, and ${given.join(', ')} has its own`,
    `leave --scenario out, or add --scenario ${customName}`,
  )
}

/** @throws RemoraError naming the option that is wrong */
export function holdingOf({
  enforce,
  image,
}: {
  readonly enforce?: string | undefined
  readonly image?: string | undefined
}): HoldOptions {
  return { enforce: enforce === undefined ? undefined : enforceOf(enforce, image), image }
}

function enforceOf(text: string, image: string | undefined): EnforcementKind {
  const kind = enforcements.find((each) => each === text)
  if (kind === undefined) {
    throw wrong(`--enforce is not ${JSON.stringify(text)}`, `write one of ${enforcements.join(', ')}`)
  }
  if (image === undefined || kind === 'container') return kind
  throw wrong(`--image is for a container, and --enforce ${kind} makes none`, 'give one of the two')
}

/** As they were given, by name, for the report. */
export function givenOptions(options: BenchOptions): Record<string, string> {
  const { form, scenarios: names, seed: _seed, custom: _custom, customTexts, ...rest } = options
  const given: Record<string, string> = { form, ...customTexts }
  if (names.length > 0) given['scenario'] = names.join(', ')
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) given[name] = String(value)
  return given
}

/** Credentials would end in the process list, and in the report. */
export function urlOf(text: string): string {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw wrong('--url is no address of a server', 'write http://host:9200 or https://host:9200')
  }
  if (url.username !== '' || url.password !== '') {
    throw wrong(
      '--url has a name or a password in it',
      'give them as REMORA_USERNAME and REMORA_PASSWORD, or REMORA_API_KEY',
    )
  }
  return text
}
