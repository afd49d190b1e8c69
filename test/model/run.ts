import { parseArgs } from 'node:util'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { scheduleOf, type Schedule } from './schedule.ts'
import { shrink } from './shrink.ts'
import { runSchedule } from './world.ts'

/**
 * Runs seeds without a test around them: `node test/model/run.ts --from 1 --count 100000 --workers 2`. Prints how far it
 * is, and the first seed that breaks with its shrunk schedule; exits with 1 then.
 */
const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '10000' },
    workers: { type: 'string', default: '1' },
    /** Every so manieth seed. */
    step: { type: 'string', default: '1' },
    /** Say what broke, without making it smaller. */
    raw: { type: 'boolean', default: false },
    /** Go on behind a seed that breaks, for so many of them. */
    failures: { type: 'string', default: '1' },
  },
})
const [from, count, workers, step, failuresMax] = [
  values.from,
  values.count,
  values.workers,
  values.step,
  values.failures,
].map(Number) as [number, number, number, number, number]

async function brokenBy(schedule: Schedule): Promise<readonly string[]> {
  try {
    return (await runSchedule(schedule)).broken
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)]
  }
}

/** As much as a person needs to see it again. */
async function tell(seed: number, broken: readonly string[]): Promise<string> {
  if (values.raw) return `seed ${seed}: ${broken[0]?.slice(0, 300)}`
  const sort = kindOf(broken)
  const smallest = await shrink(scheduleOf(seed), async (schedule) => kindOf(await brokenBy(schedule)) === sort)
  const lines = [`seed ${seed}: ${(await brokenBy(smallest)).join('\n')}`, JSON.stringify(smallest.conditions)]
  return [...lines, ...smallest.actions.map((action) => JSON.stringify(action))].join('\n')
}

/** What broke, without the seed's own numbers: another fault must not take over while a schedule is made smaller. */
function kindOf(broken: readonly string[]): string {
  return broken[0]?.replaceAll(/"[^"]*"|[\d#]+|\/logs\S*|[\w-]{12,}/g, '').slice(0, 40) ?? ''
}

async function runHere(): Promise<number> {
  let failures = 0
  const startedMs = Date.now()
  let saidMs = startedMs
  for (let seed = from, done = 1; seed < from + count; seed += step, done++) {
    const broken = await brokenBy(scheduleOf(seed))
    if (broken.length > 0) {
      console.log(await tell(seed, broken))
      if (++failures >= failuresMax) return failures
    }
    if (Date.now() - saidMs < 30_000) continue
    saidMs = Date.now()
    console.log(`${done} seeds in ${Math.round((saidMs - startedMs) / 1000)} s, ${failures} broken`)
  }
  return failures
}

/** The same seeds shared out to processes. */
async function runInWorkers(): Promise<number> {
  const startedMs = Date.now()
  const codes = Array.from({ length: workers }, (_, worker) => {
    const shared = ['--from', String(from + worker), '--count', String(count - worker), '--step', String(workers)]
    const rest = ['--failures', values.failures, ...(values.raw ? ['--raw'] : [])]
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...shared, ...rest], { stdio: 'inherit' })
    return new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
  })
  const failed = (await Promise.all(codes)).filter((code) => code !== 0).length
  const tookS = Math.round((Date.now() - startedMs) / 1000)
  console.log(`${count} seeds from ${from} in ${tookS} s: ${failed === 0 ? 'no promise broken' : 'BROKEN'}`)
  return failed
}

process.exitCode = (await (workers > 1 ? runInWorkers() : runHere())) > 0 ? 1 : 0
