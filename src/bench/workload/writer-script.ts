/** The process of the writer: a plan as its argument, `begin` and `stop` on stdin, what it has done as JSON on stdout. */
import { createInterface } from 'node:readline'
import { codeOf, messageOf, RemoraError } from '../../base/errors.ts'
import { noRoom } from '../room.ts'
import type { Written } from '../target.ts'
import { WorkloadWriter, type WriterPlan } from './writer.ts'

const progressMs = 50

export type WriterSays =
  | { readonly kind: 'ready' }
  | { readonly kind: 'begun' }
  | { readonly kind: 'progress'; readonly lines: number; readonly bytes: number }
  | { readonly kind: 'written'; readonly written: Written }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly wayOut: string }

const say = (what: WriterSays) => process.stdout.write(`${JSON.stringify(what)}\n`)

async function write(writer: WorkloadWriter, isBacklog: boolean): Promise<void> {
  const timer = setInterval(() => say({ kind: 'progress', ...writer.progress() }), progressMs)
  // One that fails must end too: a timer would keep this process, and who waits for it, for ever.
  const written = await writer.run(() => isBacklog || say({ kind: 'begun' })).finally(() => clearInterval(timer))
  say({ kind: 'progress', ...writer.progress() })
  if (isBacklog) say({ kind: 'begun' })
  say({ kind: 'written', written })
  process.stdin.destroy()
}

/** A full disk is nobody's fault here: the run must not be told as one that the agent failed. */
function fail(caught: unknown): void {
  const isFull = codeOf(caught) === 'ENOSPC' || codeOf(caught) === 'EDQUOT'
  const error = isFull ? noRoom(`the writer could not go on: ${messageOf(caught)}`) : caught
  const { code, wayOut } = error instanceof RemoraError ? error : { code: '', wayOut: '' }
  say({ kind: 'failed', code, message: messageOf(error), wayOut })
  process.exitCode = 1
  process.stdin.destroy()
}

try {
  const plan: WriterPlan = JSON.parse(process.argv[2] ?? '')
  const writer = new WorkloadWriter(plan)
  let begun = false
  const commands = createInterface({ input: process.stdin })
  commands.on('line', (command) => {
    if (command === 'stop') writer.stopped = true
    if (command !== 'begin' || begun) return
    begun = true
    write(writer, plan.workload.rate.kind === 'backlog').catch(fail)
  })
  // The other end of this pipe is gone, and with it everybody who wanted these lines.
  process.stdin.on('end', () => process.exit(0))
  say({ kind: 'ready' })
} catch (error) {
  fail(error)
}
