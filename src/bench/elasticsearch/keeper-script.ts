/**
 * Deletes the throw-away index when it is told to, or when the bench is gone, however it went: the name is its argument,
 * the way to the server is in its environment.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, RemoraError } from '../../base/errors.ts'
import { assertThrowAway, remoteOf } from './connection.ts'

export type KeeperSays =
  | { readonly kind: 'ready' }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'failed'; readonly message: string }

const triesMax = 5
const retryMs = 2_000
/** What an agent sent before it was killed may still be read from the server's socket, which makes the index anew. */
const againMs = 1_500

const say = (what: KeeperSays) => process.stdout.write(`${JSON.stringify(what)}\n`)

const name: string = JSON.parse(process.argv[2] ?? '')
assertThrowAway(name)
const remote = remoteOf(process.env)

/** @returns why it is still there, or an empty string */
async function remove(): Promise<string> {
  let reason = ''
  for (let tried = 0; tried < triesMax; tried++) {
    if (tried > 0) await delay(retryMs)
    try {
      const { status } = await remote.ask('DELETE', `/${name}`)
      if (status === 200 || status === 404) return ''
      reason = `status ${status}`
      if (status === 401 || status === 403) return reason
    } catch (error) {
      reason = messageOf(error)
    }
  }
  return reason
}

async function end(isTold: boolean, again: boolean): Promise<void> {
  let reason = await remove()
  if (again && reason === '') {
    await delay(againMs)
    // Nearly always it is gone already.
    reason = await remove()
  }
  if (reason === '') say({ kind: 'deleted' })
  else {
    const message = `the index ${name} could not be deleted: ${reason}`
    say({ kind: 'failed', message })
    if (!isTold) process.stderr.write(`${message}. Delete it by hand: DELETE /${name}\n`)
    process.exitCode = 1
  }
  await remote.close()
  process.stdin.destroy()
}

let isEnding = false
const once = (isTold: boolean, again: boolean) => {
  if (isEnding) return
  isEnding = true
  end(isTold, again).catch((error: unknown) => {
    process.stderr.write(`${error instanceof RemoraError ? error.message : String(error)}\n`)
    process.exit(1)
  })
}
// Nobody may listen any more.
process.stdout.on('error', () => undefined)
process.stdin.on('data', (word) => once(true, String(word).trim() !== 'counted')).on('end', () => once(false, true))
say({ kind: 'ready' })
