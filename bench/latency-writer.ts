import { closeSync, openSync, writeSync } from 'node:fs'
import { sleep, systemClock } from '../src/base/clock.ts'
import { Random } from '../test/model/random.ts'

export interface LatencyWriterPlan {
  readonly path: string
  readonly linesPerSecond: number
  readonly seconds: number
  readonly seed: number
}

/** Digits of a monotonic time in nanoseconds and of a line's number: what a line begins with. */
export const timeDigits = 16
export const numberDigits = 10
const rest = ' INFO  [http-nio-8080-exec-7] c.e.shop.orders.OrderService : order accepted, payment pending, warehouse 4'

/**
 * An application: a system call for each line, at moments that fall as random as requests do, for an even beat would fall
 * in with that of whoever polls. Each line begins with CLOCK_MONOTONIC as it is when the line is written, which is
 * the same for all processes of a machine.
 */
async function write({ path, linesPerSecond, seconds, seed }: LatencyWriterPlan): Promise<number> {
  const random = new Random(seed)
  const descriptor = openSync(path, 'a')
  const startMs = performance.now()
  const gapMs = () => (-Math.log(1 - random.next()) * 1_000) / linesPerSecond
  let dueMs = gapMs()
  let lines = 0
  for (;;) {
    const nowMs = performance.now() - startMs
    while (dueMs <= nowMs && dueMs < seconds * 1_000) {
      lines++
      dueMs += gapMs()
      const time = String(process.hrtime.bigint()).padStart(timeDigits, '0')
      writeSync(descriptor, `${time} ${String(lines).padStart(numberDigits, '0')}${rest}\n`)
    }
    if (nowMs >= seconds * 1_000) break
    await sleep(systemClock, 1)
  }
  closeSync(descriptor)
  return lines
}

if (import.meta.main) {
  const lines = await write(JSON.parse(process.argv[2] ?? ''))
  process.stdout.write(`${lines}\n`)
}
