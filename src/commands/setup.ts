/** `remora setup`: templates and a lifecycle for the documents that Remora writes. */
import { loadSettings, type Env } from '../config/load.ts'
import { explainProblems } from '../config/problem.ts'
import { readSettingFile } from '../config/read-file.ts'
import { setUp } from '../setup/act.ts'
import { askOver } from '../setup/ask.ts'
import { reportOf } from '../setup/report.ts'
import { wishOf } from '../setup/wanted.ts'
import { connectionsFor } from './connections.ts'

const usage = `remora setup             installs index templates and a lifecycle for the target of the settings
remora setup --dry-run   shows what would be sent, and writes nothing
`

/** @returns the exit code: 0, 1 when it could not be done, or 2 when the settings or the arguments are bad */
export async function setupCommand(argv: readonly string[], env: Env, write: (text: string) => void): Promise<number> {
  const [flag, ...others] = argv
  if (flag === '--help') {
    write(usage)
    return 0
  }
  if ((flag !== undefined && flag !== '--dry-run') || others.length > 0) {
    write(`remora setup does not know ${JSON.stringify(others.at(-1) ?? flag)}.\n\n${usage}`)
    return 2
  }
  const { settings, problems } = loadSettings(env, readSettingFile)
  if (settings === undefined) {
    write(explainProblems(problems))
    return 2
  }
  if (settings.elasticsearchUrls.length === 0) {
    write(
      'REMORA_ELASTICSEARCH_URL is not set, so there is nothing to set up.\n  Set it to the address of your cluster.\n',
    )
    return 2
  }
  const connections = connectionsFor(settings, env, 1)
  try {
    const wish = wishOf(settings)
    const dry = flag === '--dry-run'
    const { text, exitCode } = reportOf(
      await setUp(askOver(connections, settings.requestTimeoutMs), wish, dry),
      wish,
      dry,
    )
    write(text)
    return exitCode
  } finally {
    await connections.close()
  }
}
