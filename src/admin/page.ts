import { limits } from '../base/limits.ts'
import { causeTexts, stateTexts } from './backpressure-words.ts'
import type { Figures, FileFigures, LineFigures } from './figures.ts'

/**
 * No script, nothing from elsewhere, no frame around it, no form: what a path says stays text.
 * Source: W3C, "Content Security Policy Level 3".
 */
export const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const refreshSeconds = 5

const style = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1b1b1b; background: #fff }
h1 { font-size: 1.3rem } h2 { font-size: 1rem; margin-top: 2rem }
table { border-collapse: collapse } th, td { padding: .15rem .8rem .15rem 0; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left; word-break: break-all } th { font-weight: 600; vertical-align: bottom }
.bad { color: #a40000; font-weight: 600 } .rest { color: #666 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #161616 } th, td { border-color: #333 } .bad { color: #ff8080 } }`

/** A control character would be shown as nothing; one that turns the direction of writing would change what is read. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Text from a stranger as text: for between tags and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replace(invisible, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

const count = (value: number) => value.toLocaleString('en')

const alarm = (value: number) => (value > 0 ? `<span class="bad">${count(value)}</span>` : count(value))

/** Head of a column, and its cell. */
const columns: readonly (readonly [string, (file: LineFigures) => string])[] = [
  ['unread bytes', (file) => count(file.unreadBytes)],
  ['read', (file) => count(file.readLines)],
  ['acknowledged', (file) => count(file.acknowledgedLines)],
  ['there already', (file) => count(file.duplicateLines)],
  ['filtered', (file) => count(file.filteredLines)],
  ['dead-lettered', (file) => alarm(file.deadLetteredLines)],
  ['lost', (file) => alarm(file.lostLines)],
  ['held', (file) => count(file.heldLines)],
  ['gap bytes', (file) => alarm(file.gapBytes)],
  ['dropped bytes', (file) => alarm(file.droppedBytes)],
]

const healthWords: Readonly<Record<string, string>> = {
  unknown: 'nothing was sent yet',
  ok: 'takes documents',
  unreachable: 'does not answer',
  overloaded: 'asks for time',
  holding: 'refuses the target: someone has to mend it',
}

const phaseWords: Readonly<Record<Figures['phase'], string>> = {
  starting: 'starting',
  shipping: 'following and shipping',
  draining: 'stopping: shipping the rest',
}

/** The status page: one look for a person, from the same figures as the metrics. */
export function statusPage(version: string, figures: Figures): string {
  const { byFile, health, healthDetail, phase } = figures
  const shown = byFile.toSorted(urgency).slice(0, limits.statusFilesMax)
  const more = byFile.length - shown.length
  const detail = healthDetail === '' ? '' : ` (${escapeHtml(healthDetail)})`
  const trouble = health !== 'ok' && health !== 'unknown'
  const words = healthWords[health] ?? escapeHtml(health)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="${refreshSeconds}">
<meta name="viewport" content="width=device-width"><title>Remora</title><style>${style}</style></head><body>
<h1>Remora ${escapeHtml(version)}</h1>
<p>${phaseWords[phase]}. Elasticsearch <span${trouble ? ' class="bad"' : ''}>${words}</span>${detail}.</p>
${backpressureText(figures)}
<h2>Lines</h2>
<p>read = acknowledged + filtered + dead-lettered + lost + held</p>
<table><tr><th>file</th>${columns.map(([head]) => `<th>${head}</th>`).join('')}</tr>
${row('<b>all</b>', figures)}
${shown.map((file) => row(file.path === undefined ? '<span class="rest">further files</span>' : escapeHtml(file.path), file)).join('\n')}
</table>
${more > 0 ? `<p class="rest">and ${count(more)} more files, with less to read</p>` : ''}
<h2>Files and memory</h2>
<p>${count(figures.files)} generations known, ${count(figures.openFiles)} open, ${count(figures.directories)} directories.
${count(figures.slotsTaken)} of ${count(figures.slots)} batch slots taken, ${count(figures.requestsUnderWay)} requests under way.
${mebibytes(figures.memoryInUseBytes)} of ${mebibytes(figures.memoryLimitBytes)} MiB in use.
${checkpointText(figures)}${lettersText(figures)}${volumeText(figures)}</p>
<p class="rest">/livez, /readyz and /metrics are for machines. This page loads itself again every ${refreshSeconds} s.</p>
</body></html>
`
}

/** What it is, for how long, why, and the way out; then the figures that tell how bad it is. */
function backpressureText({ backpressure, unreadBytes }: Figures): string {
  const { state, cause, forSeconds, lagSeconds, heldSeconds, throttle } = backpressure
  const [what, wayOut] = cause === 'none' ? ['', ''] : causeTexts[cause]
  const why = what === '' ? '' : ` It is because ${what}. <span class="rest">${wayOut}</span>`
  const bad = state === 'flowing' || cause === 'one_core' ? '' : ' class="bad"'
  const figures = [
    `${count(unreadBytes)} bytes unread`,
    lagSeconds > 0 ? `the oldest for ${time(lagSeconds)} at the most` : '',
    heldSeconds >= 1 ? `the oldest batch under way for ${time(heldSeconds)}` : '',
    throttle === undefined ? '' : throttleText(throttle),
  ]
  return `<p>Backpressure: <b${bad}>${state}</b> for ${time(forSeconds)}: ${stateTexts[state]}.${why}</p>
<p>${figures.filter((text) => text !== '').join('; ')}.</p>`
}

function throttleText({ quotaCores, periods, throttledPeriods }: NonNullable<Figures['backpressure']['throttle']>) {
  const share = Math.round((100 * throttledPeriods) / Math.max(1, periods))
  return `CPU limit of ${quotaCores} cores, used up in ${share} % of its periods since the start`
}

const time = (seconds: number) =>
  seconds < 120 ? `${count(Math.round(seconds))} s` : `${count(Math.round(seconds / 60))} min`

/** What lags or went wrong comes first. */
function urgency(a: FileFigures, b: FileFigures): number {
  return (
    b.unreadBytes - a.unreadBytes || damage(b) - damage(a) || b.heldLines - a.heldLines || b.readLines - a.readLines
  )
}

function damage({ lostLines, gapBytes, droppedBytes, deadLetteredLines }: FileFigures): number {
  return lostLines + gapBytes + droppedBytes + deadLetteredLines
}

function row(name: string, figures: LineFigures): string {
  return `<tr><td>${name}</td>${columns.map(([, cell]) => `<td>${cell(figures)}</td>`).join('')}</tr>`
}

const mebibytes = (bytes: number) => (Number.isFinite(bytes) ? count(Math.round(bytes / 2 ** 20)) : 'unlimited')

function lettersText({ letters, letterBytes, expiredLetters }: Figures): string {
  if (letters === 0 && expiredLetters === 0) return ''
  const gone = expiredLetters > 0 ? `; ${alarm(expiredLetters)} had to go for want of room` : ''
  return ` ${alarm(letters)} dead letters wait to be replayed (${count(letterBytes)} bytes)${gone}.`
}

function volumeText({ volumeLimitBytes, volumeUsedBytes, volumesInDoubt, freedFiles, droppedFiles }: Figures): string {
  if (volumeLimitBytes === 0) return ''
  const used = ` The log volume holds ${mebibytes(volumeUsedBytes)} of ${mebibytes(volumeLimitBytes)} MiB${volumesInDoubt > 0 ? ', as far as it can be measured' : ''}`
  const gone = droppedFiles > 0 ? ` and ${alarm(droppedFiles)} unshipped ones` : ''
  return freedFiles + droppedFiles === 0
    ? `${used}.`
    : `${used}; ${count(freedFiles)} shipped files${gone} were deleted.`
}

function checkpointText({ checkpointAgeSeconds, checkpointFailures }: Figures): string {
  const failed = checkpointFailures > 0 ? `, ${alarm(checkpointFailures)} failed in all` : ''
  if (checkpointAgeSeconds === undefined) return `No checkpoint written yet${failed}.`
  return `Last checkpoint ${count(Math.round(checkpointAgeSeconds))} s ago${failed}.`
}
