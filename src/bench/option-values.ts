import { RemoraError } from '../base/errors.ts'
import { type Parsed, parseBytes, parseDurationMs, quoted } from '../base/units.ts'

/** Values of options, read with the name of the option at hand. All throw RemoraError `OPTION`. */

export function wrong(message: string, wayOut: string): RemoraError {
  return new RemoraError('OPTION', message, wayOut)
}

export function wholeOf(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN
  if (value >= min && value <= max) return value
  throw wrong(`${name} is not ${quoted(text)}`, `write a whole number from ${min} to ${max}`)
}

export function oneOf<T extends string>(name: string, text: string, all: readonly T[]): T {
  const found = all.find((each) => each === text)
  if (found === undefined) throw wrong(`${name} is not ${quoted(text)}`, `write one of ${all.join(', ')}`)
  return found
}

/** @returns ms */
export function durationOf(name: string, text: string, minMs: number, maxMs: number): number {
  const value = valueOf(name, parseDurationMs(text))
  if (value >= minMs && value <= maxMs) return value
  throw wrong(`${name} is not ${quoted(text)}`, `write ${minMs}ms to ${maxMs / 1_000}s`)
}

const bytesPerSecondMin = 10_000
const bytesPerSecondMax = 2e9

/** `20MB`, `20M`, `512Ki/s`: a rate is what people write so, whatever Kubernetes says of quantities. */
export function perSecondOf(name: string, text: string): number {
  const value = valueOf(name, parseBytes(text.replace(/B?(\/s)?$/, '')))
  if (value >= bytesPerSecondMin && value <= bytesPerSecondMax) return value
  throw wrong(
    `${name} is not ${quoted(text)}`,
    `write ${bytesPerSecondMin / 1e3}kB to ${bytesPerSecondMax / 1e9}GB per second, as in 20MB`,
  )
}

/** `2%`. @returns 0.02 */
export function shareOf(name: string, text: string, percentMax: number): number {
  const percent = text.endsWith('%') ? percentIn(text.slice(0, -1)) : NaN
  if (percent <= percentMax) return percent / 100
  throw wrong(`${name} is not ${quoted(text)}`, `write 0% to ${percentMax}%`)
}

/** `2`, where the option itself speaks of percent. @returns 0.02 */
export function percentOf(name: string, text: string, percentMax: number): number {
  const percent = percentIn(text)
  if (percent <= percentMax) return percent / 100
  throw wrong(`${name} is not ${quoted(text)}`, `write a number of percent from 0 to ${percentMax}`)
}

function percentIn(text: string): number {
  return /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN
}

function valueOf(name: string, read: Parsed<number>): number {
  if (read.ok) return read.value
  throw wrong(`${name}: ${read.message}`, read.wayOut)
}
