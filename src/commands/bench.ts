import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, RemoraError } from '../base/errors.ts'
import type { Env } from '../config/load.ts'
import type { Signals } from './signals.ts'

export async function benchCommand(
  argv: readonly string[],
  env: Env,
  write: (text: string) => void,
  signals: Signals,
): Promise<number> {
  void [argv, env, write, signals, mkdirSync, tmpdir, join, messageOf, RemoraError]
  return 0
}
