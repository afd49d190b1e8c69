/** The reference of all settings, made from the table: as Markdown for README, and for the terminal. */
import { rows } from './settings.ts'
import type { Setting } from './settings.ts'

/** README holds `markdownReference()` between these two. */
export const referenceBegin = '<!-- settings -->'
export const referenceEnd = '<!-- /settings -->'

const preamble =
  'Every setting is an environment variable. An empty value counts as not given. ' +
  'With `_FILE` behind its name, a variable names the file that the value is read from (one final line break is left out), ' +
  'as in `REMORA_API_KEY_FILE=/secrets/api-key`. ' +
  'Bytes are written as in Kubernetes (`64Mi`, `1500k`), durations with their unit (`250ms`, `30s`, `1h30m`).'

/** What stands between the two marks of README, line breaks at both ends included. */
export function markdownReference(): string {
  const lines = rows.map(([, setting]) => {
    const fallback = setting.default === undefined ? (setting.unset ?? '') : code(setting.default)
    const cells = [code(setting.name), boundsOf(setting), fallback, setting.help]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  const head = ['| variable | value | default | meaning |', '|---|---|---|---|']
  return `\n${preamble}\n\n${[...head, ...lines].join('\n')}\n`
}

/** The same for a terminal of 100 columns. Ends with a line break. */
export function terminalReference(): string {
  const each = rows.map(([, setting]) => {
    const fallback = setting.default ?? setting.unset ?? ''
    return [
      setting.name,
      ...wrapped(withoutCode(setting.help), 96).map((line) => `    ${line}`),
      ...wrapped(`${withoutCode(boundsOf(setting))}; default: ${fallback}`, 96).map((line) => `    ${line}`),
    ].join('\n')
  })
  return `${wrapped(withoutCode(preamble), 100).join('\n')}\n\n${each.join('\n\n')}\n`
}

function boundsOf({ kind }: Setting<unknown>): string {
  return kind.bounds === '' ? kind.words : `${kind.words}: ${kind.bounds}`
}

const code = (text: string) => `\`${text}\``

const withoutCode = (text: string) => text.replaceAll('`', '')

function wrapped(text: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}
