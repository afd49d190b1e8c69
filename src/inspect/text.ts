/** A state directory as text for a person. */
import { printable } from '../base/printable.ts'
import { ageText, count, sizeText } from '../check/words.ts'
import type { CheckpointFile, OtherFile, Row, StateDirectory, Totals } from './facts.ts'

/** Rows that are shown unless all are asked for. */
export const rowsMax = 200
const indicesShownMax = 10

/**
 * @param rows    all of them, the furthest behind first
 * @param shown   how many of them
 * @returns       ends with a line break
 */
export function inspectText(
  found: StateDirectory,
  rows: readonly Row[],
  totals: Totals,
  shown: number,
  nowMs: number,
): string {
  const lines = [...directoryLines(found, nowMs)]
  if (found.used === undefined) lines.push('', nothingText(found))
  else lines.push('', ...tableLines(rows.slice(0, shown)), ...moreLines(rows, shown), '', totalsLine(totals))
  return `${lines.map((line) => printable(line).trimEnd()).join('\n')}\n`
}

function directoryLines(found: StateDirectory, nowMs: number): string[] {
  const { used, installation, setAside, deadLetters, drafts } = found
  const lines: [string, string][] = [['state directory', found.directory]]
  for (const file of found.checkpoints) lines.push([nameOf(file.path), checkpointText(file, nowMs)])
  if (used !== undefined) {
    const { state, writer, dropped } = used.read
    const since = state.sinceMs === 0 ? 'not known' : dateText(state.sinceMs)
    lines.push(
      ['in use', nameOf(used.path)],
      ['written by process', writer === '' ? 'not known' : writer],
      ['instance', `${state.instance} (incarnation ${state.incarnation})`],
      ['first start', since],
      ['target indices', indicesText(state.indices)],
    )
    for (const why of dropped.slice(0, 10)) lines.push(['left out', why])
    if (dropped.length > 10) lines.push(['left out', `${dropped.length - 10} more`])
  }
  if (installation.kind === 'readable') lines.push(['instance file', installation.value.instance])
  if (installation.kind === 'unreadable') lines.push(['instance file', `cannot be read: ${installation.why}`])
  lines.push(['dead letters', deadLettersText(deadLetters)])
  for (const file of setAside.slice(0, 10))
    lines.push(['set aside', `${file.name}, ${sizeText(file.sizeBytes)}, written ${agoText(file.writtenMs, nowMs)}`])
  if (setAside.length > 10) lines.push(['set aside', `${setAside.length - 10} more`])
  if (drafts.length > 0) lines.push(['half-written', filesText(drafts, 'none')])
  const width = Math.max(...lines.map(([name]) => name.length))
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}`)
}

function checkpointText({ found, sizeBytes, writtenMs }: CheckpointFile, nowMs: number): string {
  if (found.kind === 'none') return 'none'
  const written = `${sizeText(sizeBytes)}, written ${agoText(writtenMs, nowMs)} (${dateText(writtenMs)})`
  if (found.kind === 'unreadable') return `CANNOT BE READ: ${found.why}; ${written}`
  return `version ${found.value.version}, checksum holds, ${written}`
}

function nothingText({ obstacle, checkpoints, installation }: StateDirectory): string {
  if (obstacle === 'missing')
    return 'There is no such directory: Remora has not run here, or with another REMORA_STATE_DIR.'
  if (obstacle !== undefined) return `The directory cannot be looked into: ${obstacle.why}.`
  if (checkpoints.some(({ found }) => found.kind === 'unreadable'))
    return 'No checkpoint can be read. `remora run` would set them aside, and send every file again from its start.'
  return installation.kind === 'none'
    ? 'There is no checkpoint: Remora has not run here yet.'
    : 'Remora has run here, yet there is no checkpoint: `remora run` would send every file again from its start.'
}

const heads = ['lag', 'size', 'offset', '%', 'state', 'epoch', 'id', 'inode', 'born', 'fingerprint', 'path']
/** Columns of words; the others hold numbers, which stand at the right. */
const words = new Set(['state', 'id', 'born', 'fingerprint', 'path'])

function tableLines(rows: readonly Row[]): string[] {
  const cells = rows.map(({ saved, sizeBytes, isThere, lagBytes, percent }) => [
    String(lagBytes),
    String(sizeBytes),
    String(saved.offset),
    String(percent),
    saved.finished ? 'finished' : isThere ? 'live' : 'not there',
    String(saved.epoch),
    saved.anchor?.id ?? saved.id ?? '-',
    saved.inode,
    saved.birthNs === '0' ? '-' : dateText(Number(BigInt(saved.birthNs) / 1_000_000n)),
    saved.fingerprint === null ? '-' : `${saved.fingerprint.hash.slice(0, 12)}/${saved.fingerprint.bytes}`,
    pathText(saved),
  ])
  const widths = heads.map((head, at) => cells.reduce((most, row) => Math.max(most, row[at]!.length), head.length))
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => {
        if (at === heads.length - 1) return cell
        return words.has(heads[at]!) ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)
      })
      .join('  ')
  return [line(heads), ...cells.map(line)]
}

function pathText({ path, currentPath, packing }: Row['saved']): string {
  const now = currentPath === null ? ' (no name now)' : currentPath === path ? '' : ` (now ${currentPath})`
  return `${path}${now}${packing === null ? '' : ` (${packing})`}`
}

function moreLines(rows: readonly Row[], shown: number): string[] {
  if (rows.length <= shown) return []
  return [`and ${rows.length - shown} more with ${rows[shown]!.lagBytes} bytes of lag or less: --all shows them`]
}

function totalsLine({ generations, finished, sizeBytes, offsetBytes, lagBytes }: Totals): string {
  return `${count(generations, 'generation')}, ${finished} of them finished; ${sizeBytes} bytes, ${offsetBytes} of them with a verdict; lag ${lagBytes} bytes (${sizeText(lagBytes)})`
}

function indicesText(indices: readonly string[] | null): string {
  if (indices === null) return 'not known'
  const more = indices.length > indicesShownMax ? ` and ${indices.length - indicesShownMax} more` : ''
  return indices.length === 0 ? 'none' : `${indices.slice(0, indicesShownMax).join(', ')}${more}`
}

function deadLettersText(files: readonly OtherFile[]): string {
  if (files.length === 0) return 'none'
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return `${sizeText(bytes)} in ${count(files.length, 'segment')}; \`remora inspect dead-letters\` says more`
}

function filesText(files: readonly OtherFile[], none: string): string {
  return files.map(({ name, sizeBytes }) => `${name} ${sizeText(sizeBytes)}`).join(', ') || none
}

function agoText(writtenMs: number, nowMs: number): string {
  return writtenMs > nowMs + 1000 ? 'in the future: the clock was set back' : `${ageText(nowMs - writtenMs)} ago`
}

/** To the second, in UTC; what is no date stays a number. */
function dateText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString().replace(/\.\d+Z$/, 'Z')
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
