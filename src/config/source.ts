/** Where the text of one setting comes from: its variable, or the file that its `_FILE` variable names. */
import { quoted } from '../base/units.ts'
import type { Problem } from './problem.ts'
import { explainReadError } from './read-file.ts'
import type { Setting } from './settings.ts'

export type Origin = 'default' | 'environment' | `file ${string}`

/** `problem` set: something was given, but no text could be had of it. Neither set: nothing was given. */
export interface Source {
  readonly origin: Origin
  readonly text: string | undefined
  readonly problem: Problem | undefined
}

const textBytesMax = 64 * 1024

/** @param env without the variables that Kubernetes injected  @param readFile throws what `explainReadError` explains */
export function sourceOf(
  setting: Setting<unknown>,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): Source {
  const fileName = `${setting.name}_FILE`
  const direct = given(env[setting.name])
  const path = given(env[fileName])?.trim()
  const failed = (origin: Origin, variable: string, message: string, wayOut: string): Source => ({
    origin,
    text: undefined,
    problem: { variable, message, wayOut },
  })

  if (direct !== undefined && path !== undefined) {
    return failed(
      'environment',
      setting.name,
      `${fileName} is given as well`,
      `keep one: remove ${setting.name} or ${fileName}`,
    )
  }
  if (direct !== undefined) {
    const problem = textProblem(setting, direct)
    if (problem !== undefined) return failed('environment', setting.name, ...problem)
    return { origin: 'environment', text: trimmed(setting, direct), problem: undefined }
  }
  if (path === undefined) return { origin: 'default', text: undefined, problem: undefined }

  // Not repeated in the message: what is no path may be the secret itself, put into the wrong variable.
  if (!path.startsWith('/'))
    return failed(
      'environment',
      fileName,
      'it is not an absolute path to a file',
      'write the path of the file that holds the value, beginning with /',
    )
  const origin: Origin = `file ${path}`
  try {
    const content = readFile(path)
    if (given(content) === undefined)
      return failed(origin, fileName, `file ${quoted(path, 500)} is empty`, 'put the value into it')
    const problem = textProblem(setting, content)
    if (problem !== undefined) return failed(origin, fileName, `file ${quoted(path, 500)}: ${problem[0]}`, problem[1])
    return { origin, text: trimmed(setting, content), problem: undefined }
  } catch (error) {
    const { message, wayOut } = explainReadError(path, error)
    return failed(origin, fileName, message, wayOut)
  }
}

const given = (text: string | undefined) => (text === undefined || text.trim() === '' ? undefined : text)

/** A Secret made with `echo` ends in a line break that nobody meant. Other spaces may belong to a password. */
function trimmed(setting: Setting<unknown>, text: string): string {
  const line = withoutLineBreak(text)
  return setting.secret === true ? line : line.trim()
}

const withoutLineBreak = (text: string) => text.replace(/\r?\n$/, '')

function textProblem(setting: Setting<unknown>, text: string): [message: string, wayOut: string] | undefined {
  const line = withoutLineBreak(text)
  if (Buffer.byteLength(line) > textBytesMax)
    return [`the value is longer than ${textBytesMax} bytes`, 'check that it is the intended one']
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f]/.test(line))
    return ['it has a line break or another control character in it', 'write the value on one line']
  if (!line.isWellFormed() || line.includes('\ufffd')) return ['it is not valid UTF-8', 'save or set it again as UTF-8']
  const reference = /\$\([A-Za-z_][\w.-]*\)|\$\{[A-Za-z_]\w*\}/.exec(line)?.[0]
  if (setting.secret === true || reference === undefined) return undefined
  return [
    `${quoted(reference)} was not replaced by a value`,
    'Kubernetes replaces only $(NAME), and only when NAME is set earlier in the same env list',
  ]
}
