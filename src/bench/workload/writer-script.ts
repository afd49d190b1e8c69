/** The process of the writer: a plan as its argument, `begin` and `stop` on stdin, what it has done as JSON on stdout. */
import { createInterface } from 'node:readline'
import { messageOf, RemoraError } from '../../base/errors.ts'
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
  const written = await writer.run(() => isBacklog || say({ kind: 'begun' }))
  clearInterval(timer)
  say({ kind: 'progress', ...writer.progress() })
  if (isBacklog) say({ kind: 'begun' })
  say({ kind: 'written', written })
  process.stdin.destroy()
}

function fail(error: unknown): void {
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
