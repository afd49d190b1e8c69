/** `remora inspect dead-letters`: what Elasticsearch has refused, and why. */
import { systemDisk } from '../base/disk.ts'
import type { Env } from '../config/load.ts'
import { letterJson, lettersJson } from '../inspect/letters-json.ts'
import { letterText, lettersText } from '../inspect/letters-text.ts'
import { lettersIn } from '../inspect/letters.ts'
import { namedStateDir } from './state-dir.ts'

const usage = `remora inspect dead-letters [DIRECTORY]   what Elasticsearch has refused for good, and why
  --all      every letter, not only one of each type; reasons as the server said them, which may quote a line
  --source   with the document itself, and so the line
  --json     for machines

Without DIRECTORY, a state directory, it is REMORA_STATE_DIR. Changes nothing, and works while Remora runs.
`

const known = new Set(['--all', '--source', '--json'])

/** @returns the exit code: 0; 1 when not all could be read; 2 on bad arguments */
export function inspectLettersCommand(argv: readonly string[], env: Env, write: (text: string) => void): number {
  const flags = new Set(argv.filter((argument) => argument.startsWith('-')))
  const directories = argv.filter((argument) => !argument.startsWith('-'))
  if (flags.has('--help')) {
    write(usage)
    return 0
  }
  const unknown = [...flags].find((flag) => !known.has(flag)) ?? directories[1]
  if (unknown !== undefined) {
    write(`remora inspect dead-letters does not know ${JSON.stringify(unknown)}.\n\n${usage}`)
    return 2
  }
  const [all, source, json] = [flags.has('--all'), flags.has('--source'), flags.has('--json')]
  const stateDir = namedStateDir(directories[0], env)
  if (json && all) write('{"all": [')
  let first = true
  const found = lettersIn(stateDir, systemDisk, (letter) => {
    if (!all) return
    write(json ? `${first ? '' : ','}\n${letterJson(letter, source)}` : letterText(letter, source))
    first = false
  })
  if (json) write(`${all ? '\n],\n"summary": ' : ''}${lettersJson(found, source)}${all ? '}' : ''}\n`)
  else write(`${all && found.letters > 0 ? '\n' : ''}${lettersText(found, all, source)}`)
  return found.obstacle === undefined ? 0 : 1
}
