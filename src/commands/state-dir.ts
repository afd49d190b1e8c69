import path from 'node:path'
import { loadSettings, type Env } from '../config/load.ts'
import { readSettingFile } from '../config/read-file.ts'

/** Other settings that are wrong are no reason to show nothing. */
export function stateDirIn(env: Env): string {
  const ofState = Object.entries(env).filter(([name]) => name.startsWith('REMORA_STATE_DIR'))
  return loadSettings(Object.fromEntries(ofState), readSettingFile).settings?.stateDir ?? env['REMORA_STATE_DIR'] ?? '.'
}

/** The state directory that somebody names on the command line; the one of the letters in it means the same. */
export function namedStateDir(named: string | undefined, env: Env): string {
  const directory = path.resolve(named ?? stateDirIn(env))
  return path.basename(directory) === 'dead-letters' ? path.dirname(directory) : directory
}
