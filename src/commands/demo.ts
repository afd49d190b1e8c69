import { parseArgs } from 'node:util'
import { systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Env } from '../config/load.ts'
import { runDemo } from '../demo/demo.ts'
import { screenOf } from '../demo/screen.ts'

const usage = `remora demo           a sample application writes and rotates logs, the agent ships them, and you see the account
remora demo --short   the same in a few seconds

With REMORA_ELASTICSEARCH_URL the documents go to your own server, else to an embedded one that keeps them in a file.
Ctrl-C ends the writing early, a second one everything at once.
`

const long = { seconds: 20, rate: 5_000, rotateSeconds: 4 }
const short = { seconds: 6, rate: 5_000, rotateSeconds: 2 }

/** Every stage has its own end; this is for a fault in the demo itself. */
const lastMs = 58_000
/** One Ctrl-C may come twice: from the terminal, and passed on by npm. */
const sameSignalMs = 500

/**
 * `remora demo`.
 *
 * @returns the exit code: 0 when everything written has arrived, 1 when not, 2 for bad arguments or settings, 130 when
 *          told to stop at once
 */
export async function demoCommand(argv: readonly string[], env: Env): Promise<number> {
  let length = long
  try {
    const options = { short: { type: 'boolean' }, help: { type: 'boolean' } } as const
    const { values } = parseArgs({ args: [...argv], options, strict: true })
    if (values.help === true) {
      process.stdout.write(usage)
      return 0
    }
    if (values.short === true) length = short
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${usage}`)
    return 2
  }
  const { early, now } = listen()
  const last = setTimeout(() => {
    process.stderr.write('\nThe demo took too long, and gives up.\n')
    process.exit(1)
  }, lastMs)
  try {
    return await runDemo({ env, screen: screenOf(process.stdout), ...length, early, now })
  } finally {
    clearTimeout(last)
  }
}

/** The first signal asks for an early end with an account, the second for one at once. */
function listen(): { early: AbortSignal; now: AbortSignal } {
  const [early, now] = [new AbortController(), new AbortController()]
  let firstAtMs: number | undefined
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const atMs = systemClock.monotonicMs()
      firstAtMs ??= atMs
      early.abort()
      if (atMs - firstAtMs > sameSignalMs) now.abort()
    })
  }
  // Nobody reads any more (`| head`, a closed terminal).
  process.stdout.on('error', () => now.abort())
  return { early: early.signal, now: now.signal }
}
