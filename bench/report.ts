import type { LimitedFigures, LimitedRun } from './limits.ts'
import { cpuUs, type Figures, floorUs, type Round, speedOf } from './rounds.ts'
import type { Spread } from '../src/bench/stats.ts'

/** Agent to floor in CPU, start-up apart. Source: DESIGN, "Budgets". */
export const ratioBudget = 6
export const startupCpuBudgetMs = 500
export const startupWallBudgetMs = 1000
/** Speed in a 64 MiB limit to the speed without it. */
export const limitedSpeedBudget = 0.8
/** The limit in which it must work, at whatever speed. */
export const worksAtMebibytes = 48

const seconds = (us: number) => (us / 1e6).toFixed(2)
const milliseconds = (us: number) => (us / 1000).toFixed(0)
export const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0)
const held = (isHeld: boolean) => (isHeld ? 'kept' : 'NOT KEPT')
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)

/** `5.1 (4.9 to 5.4)`. */
export function spreadText({ median, min, max }: Spread, scale = 1, digits = 1): string {
  const show = (value: number) => (value / scale).toFixed(digits)
  return `${show(median)} (${show(min)} to ${show(max)})`
}

/** Rows of cells as columns, flush right except the first. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  const line = (row: readonly string[]) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}

export function roundTable(rounds: readonly Round[], figures: Figures | undefined, logBytes: number): string {
  const startupUs = figures?.startupCpuUs.median ?? 0
  const head = [
    'round',
    'floor user',
    'system',
    'wall',
    'start-up',
    'agent user',
    'system',
    'wall',
    'MB/s',
    'ratio',
    'with start',
    'anon MiB',
    'RSS MiB',
    'documents',
    '',
  ]
  const rows = rounds.map((round, at) => {
    const { before, after, startup, agent } = round
    const mean = (pick: (run: Round['before']) => number) => (pick(before) + pick(after)) / 2
    return [
      String(at + 1),
      seconds(mean(({ userUs }) => userUs)),
      seconds(mean(({ systemUs }) => systemUs)),
      seconds(mean(({ wallUs }) => wallUs)),
      seconds(cpuUs(startup.cpu)),
      seconds(agent.cpu.userUs),
      seconds(agent.cpu.systemUs),
      (agent.wallMs / 1000).toFixed(2),
      megabytes(speedOf(agent, logBytes)),
      ((cpuUs(agent.cpu) - startupUs) / floorUs(round)).toFixed(2),
      (cpuUs(agent.cpu) / floorUs(round)).toFixed(2),
      mebibytes(agent.peak.anonymousBytes),
      mebibytes(Math.max(agent.peak.rssBytes, agent.peak.peakRssBytes)),
      String(agent.sink.documents),
      round.counts ? '' : `does not count: floors ${milliseconds(cpuUs(before))} and ${milliseconds(cpuUs(after))} ms`,
    ]
  })
  return table([head, ...rows])
}

export function figuresText(figures: Figures): string {
  const { steadyRatio, startupCpuUs, startupWallMs } = figures
  const rows = [
    [
      'CPU of the agent to the copy floor, start-up apart',
      spreadText(steadyRatio, 1, 2),
      `budget ${ratioBudget}: ${held(steadyRatio.median <= ratioBudget)}`,
    ],
    ['  with start-up', spreadText(figures.wholeRatio, 1, 2), ''],
    ['CPU of the agent, s', spreadText(figures.agentCpuUs, 1e6, 2), ''],
    ['CPU of the floor, s', spreadText(figures.floorCpuUs, 1e6, 3), ''],
    [
      'CPU to the first document, s',
      spreadText(startupCpuUs, 1e6, 2),
      `budget ${startupCpuBudgetMs / 1000}: ${held(startupCpuUs.median <= startupCpuBudgetMs * 1000)}`,
    ],
    [
      'time to the first document, s',
      spreadText(startupWallMs, 1000, 2),
      `budget ${startupWallBudgetMs / 1000}: ${held(startupWallMs.median <= startupWallBudgetMs)}`,
    ],
    ['speed, MB/s of log', spreadText(figures.bytesPerSecond, 1e6, 0), ''],
    ['peak memory, MiB', `${mebibytes(figures.peakAnonymousBytes)} anonymous`, 'maximum of samples every 50 ms'],
    ['', `${mebibytes(figures.peakRssBytes)} resident`, 'or the kernel’s high-water mark where larger'],
  ]
  return rows
    .map(([name = '', value = '', note = '']) => `  ${name.padEnd(52)}${value.padEnd(24)}${note}`.trimEnd())
    .join('\n')
}

export function limitedRoundText(runs: readonly LimitedRun[], round: number): string {
  const cells = runs.map(
    (run) => `${run.setting}: ${run.agent.failure === '' ? `${megabytes(run.bytesPerSecond)} MB/s` : 'FAILED'}`,
  )
  return `round ${round}  ${cells.join('   ')}`
}

export function limitedTable(figures: readonly LimitedFigures[]): string {
  const names = figures.map(({ setting }) => setting).slice(0, -1)
  const head = ['limit', 'MB/s of log', ...names.map((name) => `to ${name}`), 'peak MiB', 'out of memory', 'failed']
  const rows = figures.map((figure) => [
    figure.setting,
    figure.bytesPerSecond === undefined ? '-' : spreadText(figure.bytesPerSecond, 1e6, 0),
    ...names.map((name) => {
      const ratio = figure.speedRatios[name]
      return ratio === undefined ? '' : spreadText(ratio, 1, 2)
    }),
    mebibytes(figure.peakUsedBytes),
    String(figure.oomKills),
    `${figure.failures.length} of ${figure.runs}`,
  ])
  return table([head, ...rows])
}
