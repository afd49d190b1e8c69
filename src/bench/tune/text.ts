import type { RatioInterval } from '../compare/rank-interval.ts'
import type { Style } from '../report/closing.ts'
import { limitsText } from '../limits/quantity.ts'
import { durationText, enforcementText, numberText, plain, spreadText, wrapped } from '../report/text.ts'
import { formatBytes, formatDurationMs } from '../../base/units.ts'
import { spreadOf } from '../stats.ts'
import { blockText } from './block.ts'
import { figureOf, figures, type GoalFigure } from './goals.ts'
import type { BlockFormat } from './options.ts'
import { textOf } from './space.ts'
import type { Confirmation, Contest, Decision, Effect, GoalName, Judged, Measured, TuneReport } from './types.ts'

const noStyle: Style = (_, text) => text
const indent = '  '
const columnsMin = 40

const goalTexts: Readonly<Record<GoalName, string>> = {
  rate: 'log bytes per second out of a backlog',
  cpu: 'CPU per GB of log at a steady rate',
  latency: 'p99 from the write of a line to its acknowledgement, at a steady rate',
}

/** What tuning says at its end, all but the block. No line is longer than `columns`, from 40 on. */
export function tuneText(report: TuneReport, columns: number, style: Style = noStyle): string {
  const width = Math.max(columnsMin, columns)
  const parts = [
    ...warningOf(report, width, style),
    headOf(report, width, style),
    contestsText(report, width, style),
    ...(report.confirmation === undefined ? [] : [confirmationText(report.confirmation, report, width, style)]),
    conclusionOf(report, width, style),
  ]
  return parts.join('\n\n')
}

/** The last thing that is printed: what is to be set, and nothing else; empty when there is nothing. */
export function pasteText({ block, remove }: TuneReport, format: BlockFormat): string {
  const gone = remove.map((name) => `# take out ${name}`)
  return [...gone, ...(Object.keys(block).length === 0 ? [] : [blockText(block, format)])].join('\n')
}

function warningOf({ enforcement, limits }: TuneReport, width: number, style: Style): string[] {
  if (enforcement.kind !== 'none') return []
  const text = `THE LIMITS WERE NOT ENFORCED: this is for an agent that may take the whole machine, not for one at ${limitsText(limits)}: ${enforcement.reason}`
  return [style('red', style('bold', wrapped(text, width, '!! ').join('\n')))]
}

function headOf(report: TuneReport, width: number, style: Style): string {
  const { remora, commit, seed, startedAt, endedAt, machine, goal, load, start, runs } = report
  const seconds = (Date.parse(endedAt) - Date.parse(startedAt)) / 1_000
  const version =
    commit === undefined ? '' : `, commit ${commit.hash.slice(0, 9)}${commit.isDirty ? ' and changes' : ''}`
  const of =
    'backlogBytes' in load
      ? `of ${numberText(load.backlogBytes / 1e6)} MB`
      : `of ${numberText(load.bytesPerSecond / 1e6)} MB/s`
  const facts: readonly (readonly [string, string])[] = [
    ['goal', `${goal}: ${goalTexts[goal]} ${of}`],
    ['limits', `${limitsText(report.limits)} (${report.limitsFrom}), ${enforcementText(report.enforcement)}`],
    ['server', serverText(report)],
    [
      'as it is',
      `${Object.keys(start.values).length === 0 ? 'nothing set' : textOf(start.values)}: ${effectText(start.effect)}`,
    ],
    [
      'machine',
      `${machine.processors} × ${machine.processor}, ${numberText(machine.memoryBytes / 2 ** 30)} GiB; load ${numberText(machine.loadBefore)} before; Linux ${machine.kernel}, Node ${machine.node}`,
    ],
  ]
  const labels = Math.max(...facts.map(([label]) => label.length)) + 2
  const lines = facts.flatMap(([label, text]) =>
    wrapped(text, width, ' '.repeat(labels)).map((line, at) =>
      at === 0 ? label.padEnd(labels) + line.trimStart() : line,
    ),
  )
  const title = `Remora bench tune  ${remora}${version}, seed ${seed}, ${runs} runs, ${durationText(seconds)}`
  return [...wrapped(title, width).map((line) => style('bold', line)), ...lines].join('\n')
}

function serverText({ server }: TuneReport): string {
  if (server.kind === 'elasticsearch') return server.url
  const late = server.latencyMs === 0 ? 'answers at once' : `answers after ${formatDurationMs(server.latencyMs)}`
  const narrow =
    server.bytesPerSecond === undefined ? '' : `, takes ${numberText(server.bytesPerSecond / 1e6)} MB/s of what is sent`
  return `the bench's own, ${late}${narrow}`
}

/** `batches of 2Mi, 2 requests at once, 4 slots`. */
export function effectText({ batchBytes, concurrency, slots, compression }: Effect): string {
  const requests = `${concurrency} ${concurrency === 1 ? 'request' : 'requests'} at once`
  const packed = compression === 'none' ? '' : `, ${compression.replace(' ', ' level ')}`
  return `batches of ${formatBytes(batchBytes)}, ${requests}, ${slots} ${slots === 1 ? 'slot' : 'slots'}${packed}`
}

function contestsText(report: TuneReport, width: number, style: Style): string {
  const { contests, untried } = report
  const head =
    'Tried, in turn with the best until then; ×1.10 is a tenth better. These figures choose, they prove nothing yet.'
  return [
    ...wrapped(head, width).map((line) => style('bold', line)),
    ...contests.flatMap((contest) => contestText(contest, report, width, style)),
    ...untried.flatMap(({ name, reason }) => wrapped(`not tried: ${name}: ${reason}`, width, indent)),
  ].join('\n')
}

function contestText({ setting, best, judged }: Contest, report: TuneReport, width: number, style: Style): string[] {
  const figure = figureOf(report.goal)
  const is = `until then (${best.tried.name === '' ? 'as it is' : textOf(best.tried.values)})`
  const failure = best.failure === '' ? '' : `: FAILED: ${best.failure}`
  const rows = [
    `${is}: ${valuesText(best, figure)}${failure}`,
    ...judged.map((each) => judgedText(each, figure, report.leastEffect)),
  ]
  return [
    ...wrapped(`${setting}, ${figure.label} in ${figure.unit}`, width, indent).map((line) => style('dim', line)),
    ...rows.flatMap((text) => wrapped(text, width, indent.repeat(2))),
  ]
}

function judgedText(judged: Judged, figure: GoalFigure, leastEffect: number): string {
  const { tried, failure } = judged
  const { name, effect } = tried
  if (failure !== '') return `${name}: OUT: ${failure} (${effectText(effect)})`
  return `${name}: ${valuesText(judged, figure)}, ${decisionText(judged, leastEffect)}; ${effectText(effect)}`
}

function valuesText({ values, disturbed }: Measured, { per }: GoalFigure): string {
  const told = values.length === 0 ? 'not measured' : spreadText(spreadOf(values.map((value) => value / per)))
  if (disturbed.length === 0) return told
  return `${told} (${disturbed.length} more ${disturbed.length === 1 ? 'does' : 'do'} not count: ${[...new Set(disturbed)].join('; ')})`
}

const words: Readonly<Record<Decision, string>> = {
  better: 'better',
  small: 'better, but by too little',
  noise: 'within noise',
  worse: 'worse',
  failed: 'out',
}

function decisionText({ decision, gain, values }: Judged, leastEffect: number): string {
  if (decision === 'worse' && (gain === undefined || gain.high >= 1)) {
    return `far behind, dropped after ${values.length} ${values.length === 1 ? 'round' : 'rounds'}`
  }
  const least = decision === 'small' ? ` (less than ${numberText(leastEffect * 100)} %)` : ''
  return `${words[decision]}${least}: ${gainText(gain)}`
}

/** `1.42 times as good (1.38–1.47, 97 % sure)`; above 1 is better whatever the figure. */
export function gainText(gain: RatioInterval | undefined): string {
  if (gain === undefined) return 'too few rounds to tell'
  const [ratio, low, high] = [gain.ratio, gain.low, gain.high].map((value) => `×${factorText(value)}`)
  return `${ratio} (${low} to ${high}, ${Math.floor(gain.confidence * 100)} % sure)`
}

function factorText(value: number): string {
  return value < 9.95 ? value.toFixed(2) : numberText(value)
}

function confirmationText(
  { before, chosen, parts, final }: Confirmation,
  { goal, leastEffect, start }: TuneReport,
  width: number,
  style: Style,
): string {
  const figure = figureOf(goal)
  const after = final ?? chosen
  const isSimpler = final !== undefined && final.tried !== chosen.tried
  const rounds = `${before.values.length} and ${after.values.length}`
  const head = `Measured again (${rounds} fresh runs, in turn): as it is, and ${textOf(changedValues(start.values, after.tried.values))}`
  const disturbed = [before, after].filter((each) => each.disturbed.length > 0)
  const lines = [
    ...disturbed.map((each) => `${each === before ? 'as it is' : 'tuned'}: ${valuesText(each, figure)}`),
    `${figure.label}: ${after.failure === '' ? `${words[after.decision]}: ${gainText(after.gain)}` : `OUT: ${after.failure}`}`,
  ]
  const brought = parts.map((part) => {
    const what = textOf(part.values)
    if (part.without === undefined) return `${what}: what it alone brought was not measured: ${part.reason}`
    if (part.without.failure !== '') return `${what}: without it a run failed: ${part.without.failure}`
    const back = isSimpler && part.without.tried === final.tried ? '; so it is taken back' : ''
    return `${what} brought, beside the others: ${gainText(part.gain)}, ${words[part.decision]}${part.decision === 'small' ? ` (less than ${numberText(leastEffect * 100)} %)` : ''}${back}`
  })
  return [
    ...wrapped(head, width).map((line) => style('bold', line)),
    ...besideTable(before, after, figure, width, style),
    ...[...lines, ...brought].flatMap((text) => wrapped(text, width, indent)),
  ].join('\n')
}

function changedValues(from: Readonly<Record<string, string>>, to: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(to).filter(([name, value]) => from[name] !== value))
}

/** What the other figures became: a gain is seldom free. */
function besideTable(before: Measured, after: Measured, goal: GoalFigure, width: number, style: Style): string[] {
  const rows = [goal, ...figures.filter((figure) => figure !== goal)].map((figure) => {
    const [was, is] = [before, after].map(({ beside }) => {
      const values = beside.map((each) => each[figure.key]).filter((value) => value !== undefined)
      return values.length === 0 ? undefined : spreadText(spreadOf(values.map((value) => value / figure.per)))
    })
    return { label: `${figure.label}, ${figure.unit}`, was, is }
  })
  const told = rows.filter(({ was, is }) => was !== undefined || is !== undefined)
  const untold = rows.filter((row) => !told.includes(row)).map(({ label }) => label)
  const cells = told.map(({ label, was = '–', is = '–' }) => [label, was, is] as const)
  const table = [['', 'as it is', 'tuned'] as const, ...cells]
  const widths = [0, 1, 2].map((at) => Math.max(...table.map((row) => row[at]!.length)))
  const fits = indent.length + widths.reduce((sum, each) => sum + each + 2, 0) <= width
  const lines = fits
    ? table.map(
        ([label, was, is]) =>
          `${indent}${label.padEnd(widths[0]!)}  ${was.padStart(widths[1]!)}  ${is.padStart(widths[2]!)}`,
      )
    : cells.flatMap(([label, was, is]) => wrapped(`${label}: ${was} as it is, ${is} tuned`, width, indent))
  const note =
    untold.length === 0 ? [] : wrapped(`not measured or not counted here: ${untold.join('; ')}`, width, indent)
  return [...lines, ...note.map((line) => style('dim', line))]
}

/** What it comes to. */
function conclusionOf(report: TuneReport, width: number, style: Style): string {
  const { confirmation } = report
  const final = confirmation?.final
  const lost = failureOf(report)
  const lines: string[] = []
  if (lost !== '') lines.push(style('red', style('bold', wrapped(lost, width).join('\n'))))
  else if (final !== undefined) lines.push(style('green', style('bold', wrapped(goodText(report), width).join('\n'))))
  else lines.push(style('bold', wrapped(nothingText(report), width).join('\n')))
  if (report.server.kind === 'null' && report.server.latencyMs === 0 && report.server.bytesPerSecond === undefined) {
    lines.push(
      ...wrapped(
        'Only the agent’s side was tuned: the bench’s own server answers at once and takes all that it is sent. For yours give --url, or --latency and --bandwidth as they are on the way to it.',
        width,
      ),
    )
  }
  lines.push(...wrapped('Every line of every run that counts was counted: all arrived, once.', width))
  return lines.join('\n')
}

/** Runs of what is there, or of what had been chosen, failed: empty when none did. */
export function failureOf({ contests, confirmation, start }: TuneReport): string {
  const failed = [
    ...contests.map(({ best }) => best),
    ...(confirmation === undefined ? [] : [confirmation.before]),
  ].find(({ failure }) => failure !== '')
  if (failed === undefined) return ''
  const what =
    failed.tried === start ? 'The settings as they are' : `What had been better (${textOf(failed.tried.values)})`
  return plain(`${what} failed in a later run, so nothing is told: ${failed.failure}`)
}

function goodText({ confirmation, goal, block, remove }: TuneReport): string {
  const settings = Object.keys(block).length + remove.length
  return `${settings === 1 ? 'This setting is' : 'These settings are'} better for ${goalTexts[goal]}: ${gainText(confirmation?.final?.gain)}.`
}

function nothingText({ confirmation, contests, start }: TuneReport): string {
  const there = Object.keys(start.values).length === 0 ? 'the defaults' : 'what is there'
  if (contests.length === 0) return 'Nothing to set: nothing could be tried.'
  if (confirmation === undefined)
    return `Nothing to set: nothing that was tried is better than ${there} by more than noise.`
  const { chosen } = confirmation
  if (chosen.failure !== '') return `Nothing to set: what looked better is out: ${chosen.failure}`
  return `Nothing to set: what looked better was within noise when it was measured again, so ${there} will do as well.`
}
