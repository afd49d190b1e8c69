/** The connections of these settings, made anew when the files change that they come from. */
import { fieldsOf, textOf, type Logger, type Notice } from '../admin/logger.ts'
import { systemClock } from '../base/clock.ts'
import { connectionFiles, loadSettings, type Env } from '../config/load.ts'
import { readSettingFile } from '../config/read-file.ts'
import type { Settings } from '../config/types.ts'
import { accessOf, type Access } from '../connect/access.ts'
import { Connections } from '../ship/connections.ts'
import { CredentialFiles } from '../ship/credential-files.ts'

/**
 * @param connections  sockets to each node
 * @throws RemoraError when a file that the settings name cannot be read
 */
export function connectionsFor(settings: Settings, env: Env, connections: number, logger?: Logger): Connections {
  const files = connectionFiles(env, settings)
  const say = (level: 'info' | 'warn', notice: Notice) => logger?.[level](fieldsOf(notice), textOf(notice))
  return new Connections({
    clock: systemClock,
    random: Math.random,
    settings: {
      ...accessOf(settings, readSettingFile),
      urls: settings.elasticsearchUrls,
      requestTimeoutMs: settings.requestTimeoutMs,
      connections,
      gzipLevel: settings.compression === 'gzip' ? settings.compressionLevel : undefined,
    },
    files:
      files.size === 0
        ? undefined
        : new CredentialFiles({
            files,
            readFile: readSettingFile,
            readAccess: () => accessAgain(env),
            adopted: (variables) => say('info', adopted(variables)),
            kept: (why) => say('warn', kept(why)),
          }),
  })
}

/** With every check of a start: half of a file, or a key that does not fit yet, is no reason to let go of what works. */
function accessAgain(env: Env): Access | string {
  const { settings, problems } = loadSettings(env, readSettingFile)
  if (settings === undefined) {
    return problems
      .slice(0, 3)
      .map(({ variable, message }) => `${variable}: ${message}`)
      .join('; ')
  }
  try {
    return accessOf(settings, readSettingFile)
  } catch {
    return 'a file has gone while it was read'
  }
}

const adopted = (variables: readonly string[]): Notice => ({
  code: 'CREDENTIALS_RELOADED',
  message: `${variables.join(', ')} changed: new connections are made with what is in there now`,
})

const kept = (why: string): Notice => ({
  code: 'CREDENTIALS_UNUSABLE',
  message: `what changed cannot be used, so what was read before stays in use: ${why}`,
  wayOut: 'Mend the file; it is looked at again every 10 s, and after each refusal.',
})
