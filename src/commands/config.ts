/** `remora config`: what the settings are and where each came from, or the reference of all of them. */
import { loadSettings } from '../config/load.ts'
import type { Entry, Env } from '../config/load.ts'
import { explainProblems } from '../config/problem.ts'
import { readSettingFile } from '../config/read-file.ts'
import { markdownReference, terminalReference } from '../config/reference.ts'

const usage = `remora config               the settings in effect, and where each came from
remora config --reference   all settings: what they mean, their bounds and defaults
remora config --markdown    the same as a Markdown table
`

/** @returns the exit code: 0, or 2 when the environment or the arguments are bad */
export function configCommand(argv: readonly string[], env: Env, write: (text: string) => void): number {
  const [flag, ...others] = argv
  if (flag === undefined) return printSettings(env, write)
  const outputs: ReadonlyMap<string, () => string> = new Map([
    ['--reference', terminalReference],
    ['--markdown', () => markdownReference().trimStart()],
    ['--help', () => usage],
  ])
  const output = outputs.get(flag)
  if (output === undefined || others.length > 0) {
    write(`remora config does not know ${JSON.stringify(others.at(-1) ?? flag)}.\n\n${usage}`)
    return 2
  }
  write(output())
  return 0
}

function printSettings(env: Env, write: (text: string) => void): number {
  const { settings, entries, problems, notices } = loadSettings(env, readSettingFile)
  write(tableOf(entries))
  if (settings !== undefined) write(`\nDocuments go to ${settings.target}.\n`)
  for (const notice of notices) write(`\nNotice: ${notice}.\n`)
  if (problems.length > 0) write(`\n${explainProblems(problems)}`)
  return problems.length > 0 ? 2 : 0
}

function tableOf(entries: readonly Entry[]): string {
  const originWidth = Math.min(32, Math.max(...entries.map(({ origin }) => origin.length)))
  const nameWidth = Math.max(...entries.map(({ name }) => name.length))
  const lines = entries.map(
    ({ name, shown, origin }) => `${name.padEnd(nameWidth)}  ${origin.padEnd(originWidth)}  ${shown}`,
  )
  return `${lines.join('\n')}\n`
}
