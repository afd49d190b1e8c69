import { parseArgs } from 'node:util'
import { parseBytes } from '../src/base/units.ts'
import { wholeOf } from '../src/bench/option-values.ts'
import type { FloorKind } from '../src/bench/floor/floor.ts'

export type Mode = 'raw' | 'limits' | 'smallest'

export interface Options {
  readonly mode: Mode
  readonly isShort: boolean
  readonly rounds: number
  readonly sizeBytes: number
  readonly seed: number
  readonly floor: FloorKind | 'auto'
  /** Whether a first run, not timed, compares every `_id` and every message. */
  readonly hasCheck: boolean
  /** Of one limited setting; both undefined: the standard ones. */
  readonly memoryBytes: number | undefined
  readonly cpus: number | undefined
  /** The agent sends over https. */
  readonly isSecure: boolean
  /** Arguments of Node for the agent. */
  readonly agentArgs: readonly string[]
  readonly agentEnv: Readonly<Record<string, string>>
}

/** Below these a figure is only a look: DESIGN asks for so many rounds over so many bytes. */
const rounds = { short: 3, full: 7, max: 100 }
export const evidenceBytesMin = 1 << 30
/** The optimizing compiler comes back to what runs for seconds, with 12 MiB of working memory: a short log does not show it. */
const [size, limitedSize] = ['256Mi', '1Gi']
const sizeBytesMin = 1 << 16
const sizeBytesMax = 16 * 2 ** 30

export const help = `npm run bench:raw -- [options]

Measures the agent: CPU against the copy floor, speed, memory, every document counted.

  --short            three rounds instead of seven
  --rounds N         so many rounds
  --size 256Mi       bytes of the generated log; in a limit 1Gi, for some memory is taken late
  --seed N           another log (1)
  --floor c|node     which copy floor (auto: C where there is a compiler)
  --no-check         leave out the first run, which compares every _id and message
  --limits           speed unlimited, with 1 CPU, with 64 MiB and with 48 MiB, in real cgroups (needs root)
  --memory 64Mi      the same for one limit of memory
  --cpu N            and of processors
  --smallest         the smallest memory limit that works, with 1 CPU, and its speed
  --tls              all of it over https
  --agent FILE       another entry than src/main.ts (it is given "run")
  --node-arg ARG     an argument for the agent's Node, as --node-arg=--max-semi-space-size=1 (may be repeated)
  --env NAME=VALUE   a variable for the agent (may be repeated)
  --help
`

/** @returns the options, or undefined when help was asked for  @throws Error naming the option that is wrong */
export function parseOptions(argv: readonly string[], mainPath: string): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      short: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      size: { type: 'string' },
      seed: { type: 'string', default: '1' },
      floor: { type: 'string', default: 'auto' },
      'no-check': { type: 'boolean', default: false },
      limits: { type: 'boolean', default: false },
      memory: { type: 'string' },
      cpu: { type: 'string' },
      smallest: { type: 'boolean', default: false },
      tls: { type: 'boolean', default: false },
      agent: { type: 'string' },
      'node-arg': { type: 'string', multiple: true, default: [] },
      env: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const isLimited = values.limits || values.smallest || values.memory !== undefined || values.cpu !== undefined
  const asked = values.short ? rounds.short : rounds.full
  return {
    mode: values.smallest ? 'smallest' : isLimited ? 'limits' : 'raw',
    isShort: values.short,
    rounds: values.rounds === undefined ? asked : wholeOf('--rounds', values.rounds, 1, rounds.max),
    sizeBytes: bytesOf('--size', values.size ?? (isLimited ? limitedSize : size), sizeBytesMin, sizeBytesMax),
    seed: wholeOf('--seed', values.seed, 0, 0xffffffff),
    floor: floorOf(values.floor),
    hasCheck: !values['no-check'],
    memoryBytes: values.memory === undefined ? undefined : bytesOf('--memory', values.memory, 1 << 20, 2 ** 40),
    cpus: values.cpu === undefined ? undefined : cpusOf(values.cpu),
    isSecure: values.tls,
    agentArgs: [...values['node-arg'], values.agent ?? mainPath, 'run'],
    agentEnv: Object.fromEntries(values.env.map(variableOf)),
  }
}

function bytesOf(name: string, text: string, min: number, max: number): number {
  const parsed = parseBytes(text)
  if (!parsed.ok) throw new Error(`${name}: ${parsed.message}; ${parsed.wayOut}`)
  if (parsed.value < min || parsed.value > max)
    throw new Error(`${name} must be from ${min} to ${max} bytes, not ${text}`)
  return parsed.value
}

function cpusOf(text: string): number {
  const value = Number(text)
  if (!(value >= 0.1 && value <= 1024)) throw new Error(`--cpu must be a number from 0.1 to 1024, not ${text}`)
  return value
}

function floorOf(text: string): FloorKind | 'auto' {
  if (text === 'c' || text === 'node' || text === 'auto') return text
  throw new Error(`--floor must be c, node or auto, not ${text}`)
}

function variableOf(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new Error(`--env must be NAME=VALUE, not ${text}`)
  return [text.slice(0, at), text.slice(at + 1)]
}
