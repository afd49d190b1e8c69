import { fileURLToPath } from 'node:url'
import { RemoraError } from '../../base/errors.ts'
import { cleanEnv } from '../machine/process.ts'
import { TalkingChild } from '../machine/talking.ts'
import type { KeeperSays } from './keeper-script.ts'

const script = fileURLToPath(new URL('keeper-script.ts', import.meta.url))

export interface Keeper {
  /**
   * @param isCounted  the agent had ended, and all documents were read: nothing more is on its way
   * @throws RemoraError when the index is still there
   */
  remove(isCounted: boolean): Promise<void>
}

/**
 * Who sees to it that the index goes: a process that outlives the bench. It is there before the index is, so that neither
 * an error, nor Ctrl-C, nor SIGKILL leaves one behind.
 */
export async function startKeeper(name: string, settings: Readonly<Record<string, string>>): Promise<Keeper> {
  const ready = Promise.withResolvers<void>()
  const removed = Promise.withResolvers<void>()
  const failed = (message: string) =>
    new RemoraError(
      'INDEX_LEFT',
      message,
      `Delete it by hand: DELETE /${name}. It holds nothing but the bench's lines.`,
    )
  const heard = (said: unknown) => {
    const what = said as KeeperSays
    if (what.kind === 'ready') ready.resolve()
    else if (what.kind === 'deleted') removed.resolve()
    else removed.reject(failed(what.message))
  }
  const ended = (how: string) => {
    const error = failed(`nobody deletes the index ${name} any more: its keeper ended with ${how}`)
    for (const { reject } of [ready, removed]) reject(error)
  }
  const child = new TalkingChild(script, name, cleanEnv(settings), heard, ended, true)
  removed.promise.catch(() => undefined)
  await ready.promise
  return {
    async remove(isCounted) {
      child.tell(isCounted ? 'counted' : 'remove')
      await removed.promise
      await child.ended
    },
  }
}
