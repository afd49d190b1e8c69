/** The reference of all settings, made from the table: as Markdown for `docs/settings.md` and README, and for the terminal. */
import { filled } from '../base/words.ts'
import { rows, settings } from './settings.ts'
import type { Key, Setting } from './settings.ts'

/** `docs/settings.md` holds `markdownReference()` between these two, README `shortReference()`. */
export const referenceBegin = '<!-- settings -->'
export const referenceEnd = '<!-- /settings -->'

const preamble =
  'Every setting is an environment variable. An empty value counts as not given. ' +
  'With `_FILE` behind its name, a variable names the file that the value is read from (one final line break is left out), ' +
  'as in `REMORA_API_KEY_FILE=/secrets/api-key`. ' +
  'Bytes are written as in Kubernetes (`64Mi`, `1500k`), durations with their unit (`250ms`, `30s`, `1h30m`).'

/** The settings that most deployments look at, in the order of README. */
const essentials: readonly Key[] = [
  'elasticsearchUrls',
  'apiKey',
  'caFile',
  'paths',
  'dataset',
  'fields',
  'volumeLimitBytes',
  'volumePolicy',
  'stateDir',
  'shutdownGraceMs',
  'compression',
  'adminPort',
]

/** What stands between the two marks of `docs/settings.md`, line breaks at both ends included. */
export function markdownReference(): string {
  const lines = rows.map(([, setting]) =>
    rowOf([code(setting.name), boundsOf(setting), fallbackOf(setting), setting.help]),
  )
  const head = ['| variable | value | default | meaning |', '|---|---|---|---|']
  return `\n${preamble}\n\n${[...head, ...lines].join('\n')}\n`
}

/** The same of README: a dozen settings, without their bounds. */
export function shortReference(): string {
  const lines = essentials.map((key) => {
    const setting: Setting<unknown> = settings[key]
    return rowOf([code(setting.name), fallbackOf(setting), setting.help])
  })
  return `\n${['| variable | default | meaning |', '|---|---|---|', ...lines].join('\n')}\n`
}

const fallbackOf = (setting: Setting<unknown>): string =>
  setting.default === undefined ? (setting.unset ?? '') : code(setting.default)

const rowOf = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

/** The same for a terminal of 100 columns. Ends with a line break. */
export function terminalReference(): string {
  const each = rows.map(([, setting]) => {
    const fallback = setting.default ?? setting.unset ?? ''
    return [
      setting.name,
      ...filled(withoutCode(setting.help).split(' '), 96).map((line) => `    ${line}`),
      ...filled(`${withoutCode(boundsOf(setting))}; default: ${fallback}`.split(' '), 96).map((line) => `    ${line}`),
    ].join('\n')
  })
  return `${filled(withoutCode(preamble).split(' '), 100).join('\n')}\n\n${each.join('\n\n')}\n`
}

function boundsOf({ kind }: Setting<unknown>): string {
  return kind.bounds === '' ? kind.words : `${kind.words}: ${kind.bounds}`
}

const code = (text: string) => `\`${text}\``

const withoutCode = (text: string) => text.replaceAll('`', '')
