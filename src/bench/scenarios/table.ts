import { limitsText } from '../limits/quantity.ts'
import type { Limits, Shape } from '../types.ts'
import { customRow } from './custom-row.ts'
import { bytesPerCpuSecond, calmRate, fixed, megabytes, planFor, short, within } from './plans.ts'
import { backlogSeconds, type Scenario, type SearchRow, type Setting } from './scenario.ts'

const mib = 2 ** 20
const cost = ['cpu', 'cpuLines', 'floor'] as const
const space = ['peak', 'mean', 'peakShare', 'throttled'] as const
const losses = ['lost', 'twice', 'again'] as const
const delays = ['p50', 'p90', 'p99', 'max'] as const

const capacityFigures = ['rate', 'lines', ...cost, 'rateShare', ...delays, ...space, ...losses] as const
const commonFigures = ['throughput', ...cost, ...delays, ...space, ...losses] as const

const backlogBytes = { min: 8e6, max: 512e6 }
/** The first line of each file, and none after it. */
const idleBytesPerSecond = 1

/** All scenarios, in the order in which they are run. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'saturation',
    about:
      'The highest rate that the agent keeps up with inside the limits: its lag grows by less than 3 % of it. 10 % more, and it does not keep up.',
    figures: capacityFigures,
    forms: ['short', 'long'],
    rounds: { short: 2, long: 3 },
    rows: (setting) => [searchRow(setting, setting.limits)],
  },
  {
    name: 'latency',
    about:
      'From the write of a line to the acknowledgement of the request that has it, at steady rates; with --url there is no such time to tell.',
    figures: [...delays, 'cpuShare', ...cost, ...space, ...losses],
    forms: ['short', 'long'],
    rounds: { short: 1, long: 3 },
    rows: (setting) =>
      [10, 1_000, 20_000]
        .filter((rate) => setting.form === 'long' || rate !== 10)
        .map((lines) => ({
          kind: 'fixed',
          name: `${lines.toLocaleString('en')} lines/s`,
          plan: planFor(setting, { rate: fixed(lines * setting.lineBytes), seconds: short(setting, 8, 15) }, 2_000),
        })),
  },
  {
    name: 'outage',
    about:
      'Elasticsearch is away while the application goes on writing: memory stays where it is, and afterwards everything is made good.',
    figures: ['catchUp', 'catchUpRate', 'behind', ...cost, 'max', ...space, ...losses],
    forms: ['short', 'long'],
    needsOwnServer: true,
    rounds: { short: 1, long: 3 },
    rows: (setting) => {
      const outage = { fromMs: 3_000, toMs: short(setting, 8_000, 18_000) }
      const seconds = outage.toMs / 1_000 + short(setting, 3, 6)
      return [
        {
          kind: 'fixed',
          name: `away for ${(outage.toMs - outage.fromMs) / 1_000} s, ${megabytes(calmRate(setting))} MB/s`,
          plan: planFor(setting, { rate: fixed(calmRate(setting)), seconds }, 1_000, { outages: [outage] }),
        },
      ]
    },
  },
  {
    name: 'slow-server',
    about:
      'A server that takes its time with each answer, that reads slowly, or that refuses one request of fifty (429).',
    figures: commonFigures,
    forms: ['short', 'long'],
    needsOwnServer: true,
    rounds: { short: 1, long: 3 },
    rows: (setting) => {
      const rate = calmRate(setting)
      const kinds: readonly (readonly [string, Partial<Shape>])[] = [
        ['answers after 200 ms', { latencyMs: 200 }],
        // What is sent is two to three times the log; so this is enough, and not by much.
        ['reads slowly', { bytesPerSecond: rate * 5 }],
        ['one of fifty refused', { refusedShare: 0.02 }],
      ]
      return kinds
        .filter((_, at) => setting.form === 'long' || at === 0)
        .map(([name, shape]) => ({
          kind: 'fixed',
          name: `${name}, ${megabytes(rate)} MB/s`,
          plan: planFor(setting, { rate: fixed(rate), seconds: short(setting, 7, 12) }, 1_000, shape),
        }))
    },
  },
  {
    name: 'rotation',
    about:
      'Four files that are rotated every half second, by renaming and by copytruncate: every line once all the same.',
    figures: commonFigures,
    forms: ['short', 'long'],
    rounds: { short: 1, long: 3 },
    rows: (setting) =>
      (['rename', 'copytruncate'] as const)
        .filter((kind) => setting.form === 'long' || kind === 'rename')
        .map((kind) => ({
          kind: 'fixed',
          name: `${kind}, ${megabytes(calmRate(setting) / 2)} MB/s`,
          plan: planFor(
            setting,
            {
              rate: fixed(calmRate(setting) / 2),
              seconds: short(setting, 7, 12),
              files: 4,
              activeFiles: 4,
              rotation: { kind, everyMs: 500, keep: 8 },
            },
            1_000,
          ),
        })),
  },
  {
    name: 'many-files',
    about: 'Many files of which a tenth are written to: what the others cost.',
    figures: commonFigures,
    forms: ['short', 'long'],
    rounds: { short: 1, long: 3 },
    rows: (setting) =>
      [short(setting, 200, 1_000)].map((files) => ({
        kind: 'fixed',
        name: `${files.toLocaleString('en')} files, ${megabytes(calmRate(setting) / 2)} MB/s`,
        plan: planFor(
          setting,
          { rate: fixed(calmRate(setting) / 2), seconds: short(setting, 7, 12), files, activeFiles: files / 10 },
          1_000,
        ),
      })),
  },
  {
    name: 'restart',
    about:
      'The agent is killed (SIGKILL) under load and started again, several times: what is sent again is known by its id.',
    figures: ['throughput', ...cost, 'max', ...space, ...losses],
    forms: ['short', 'long'],
    rounds: { short: 1, long: 3 },
    rows: (setting) => {
      const kills = short(setting, [3_000], [3_000, 7_000, 11_000])
      return [
        {
          kind: 'fixed',
          name: `killed ${kills.length === 1 ? 'once' : `${kills.length} times`}, ${megabytes(calmRate(setting))} MB/s`,
          plan: {
            ...planFor(setting, { rate: fixed(calmRate(setting)), seconds: kills.at(-1)! / 1_000 + 3 }, 1_000),
            killsAtMs: kills,
          },
        },
      ]
    },
  },
  {
    name: 'idle',
    about: 'A thousand files to which nothing is written any more. CPU is that of the second half of the run.',
    figures: ['cpuShare', 'peak', 'mean', 'peakShare', 'throttled', ...losses],
    // Files are asked more and more seldom, and that takes a while.
    forms: ['long'],
    rounds: { short: 1, long: 3 },
    rows: (setting) => [
      {
        kind: 'fixed',
        name: '1,000 files',
        plan: planFor(
          setting,
          { rate: fixed(idleBytesPerSecond), seconds: short(setting, 10, 30), files: 1_000, activeFiles: 1 },
          1_000,
        ),
      },
    ],
  },
  {
    name: 'memory-sweep',
    about: 'The highest rate by memory limit, with the CPU limit as it is.',
    figures: capacityFigures,
    forms: ['long'],
    needsOwnGroup: true,
    rounds: { short: 1, long: 2 },
    rows: (setting) =>
      [48, 64, 128].map((mebibytes) => searchRow(setting, { ...setting.limits, memoryBytes: mebibytes * mib })),
  },
  {
    name: 'cpu-sweep',
    about: 'The highest rate by CPU limit, with the memory limit as it is.',
    figures: capacityFigures,
    forms: ['long'],
    needsOwnGroup: true,
    rounds: { short: 1, long: 2 },
    rows: (setting) => [0.1, 0.2, 0.5, 1].map((cpus) => searchRow(setting, { ...setting.limits, cpus })),
  },
  {
    name: 'capacity',
    about: 'The highest rate by CPU and memory limit: the table of docs/capacity.md. Only when it is asked for.',
    figures: capacityFigures,
    forms: [],
    needsOwnGroup: true,
    rounds: { short: 1, long: 2 },
    rows: (setting) =>
      [0.1, 0.2, 0.5, 1].flatMap((cpus) =>
        [48, 64, 128].map((mebibytes) => searchRow(setting, { cpus, memoryBytes: mebibytes * mib })),
      ),
  },
  {
    name: 'custom',
    about:
      'A load and a server of your own: --rate, --burst, --files, --rotation, --latency, --bandwidth, --refuse, --outage and others; see --help.',
    figures: ['throughput', 'catchUp', 'catchUpRate', 'behind', ...cost, ...delays, ...space, ...losses],
    forms: [],
    rounds: { short: 1, long: 3 },
    rows: (setting) => [customRow(setting)],
  },
]

function searchRow(setting: Setting, limits: Limits): SearchRow {
  const limited = { ...setting, limits }
  const bytes = Math.round(within((limits.cpus ?? 2) * bytesPerCpuSecond * backlogSeconds, backlogBytes))
  return {
    kind: 'search',
    name: limitsText(limits),
    first: planFor(limited, { rate: { kind: 'backlog' }, bytes }, 0),
    at: (bytesPerSecond) => planFor(limited, { rate: fixed(bytesPerSecond), seconds: short(setting, 6, 8) }, 1_000),
    probesMax: short(setting, 5, 10),
  }
}

/** For `--list`. */
export function listText(): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length))
  return scenarios
    .map(({ name, about, forms }) => {
      const when = forms.length === 0 ? 'when asked for' : forms.includes('short') ? 'always' : 'not with --short'
      return `${name.padEnd(width)}  ${about} (${when})\n`
    })
    .join('')
}
