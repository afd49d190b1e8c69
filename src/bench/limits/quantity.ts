import { bad, formatBytes, good, type Parsed, parseBytes, quoted } from '../../base/units.ts'
import type { Limits } from '../types.ts'

const cpusMin = 0.01
const cpusMax = 1024
const help = 'write processors as Kubernetes does: 200m is a fifth of one, 1.5 one and a half'

/** An exact fraction. */
interface Quantity {
  readonly numerator: bigint
  readonly denominator: bigint
}

const textCharactersMax = 60
const exponentMax = 60
const powersOf = (base: bigint, suffixes: readonly string[]) =>
  suffixes.map((name, at): [string, bigint] => [name, base ** BigInt(at)])
const multipliers = new Map<string, bigint>([
  ...powersOf(1_000n, ['', 'k', 'M', 'G', 'T', 'P', 'E']),
  ...powersOf(1_024n, ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']),
])
const divisors = new Map<string, bigint>(powersOf(1_000n, ['', 'm', 'u', 'n']))

/**
 * Whatever the API server takes for a quantity: `.5`, `1.`, `1e-1`, `100000u`, `128974848000m`; undefined for all else.
 * Source: Kubernetes, apimachinery, `pkg/api/resource/quantity.go`, the grammar at `Quantity`.
 */
function parseQuantity(text: string): Quantity | undefined {
  const match = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))([numkMGTPE]?|[KMGTPE]i|[eE][+-]?\d{1,4})$/.exec(text)
  if (match === null || text.length > textCharactersMax) return undefined
  const [, sign = '', whole = '', behind = '', alone = '', suffix = ''] = match
  const fraction = behind + alone
  const exponent = Number(/^[eE]([+-]?\d+)$/.exec(suffix)?.[1] ?? 0)
  if (Math.abs(exponent) > exponentMax) return undefined
  const size = BigInt(`0${whole}${fraction}`) * (multipliers.get(suffix) ?? 1n) * 10n ** BigInt(Math.max(0, exponent))
  const denominator = 10n ** BigInt(fraction.length + Math.max(0, -exponent)) * (divisors.get(suffix) ?? 1n)
  return { numerator: sign === '-' ? -size : size, denominator }
}

/** So many of `each`, rounded up, as Kubernetes does. */
function roundedUp({ numerator, denominator }: Quantity, each = 1n): number {
  return Number((numerator * each + denominator - 1n) / denominator)
}

/** Of one processor's time, in whole thousandths as the kubelet takes them; the kernel's smallest quota is 1 ms of each 100. */
export function parseCpus(text: string): Parsed<number> {
  const quantity = parseQuantity(text)
  if (quantity === undefined) return bad(`${quoted(text)} is not a number of processors`, help)
  const cpus = roundedUp(quantity, 1_000n) / 1_000
  if (cpus < cpusMin || cpus > cpusMax) {
    return bad(`${quoted(text)} is not between ${cpusText(cpusMin)} and ${cpusMax} processors`, help)
  }
  return good(cpus)
}

/** Below this Node itself does not start. */
const memoryBytesMin = 16 * 2 ** 20
const memoryHelp = `write at least ${formatBytes(memoryBytesMin)}, as Kubernetes does: 64Mi, 0.5Gi or 64e6`
/** `16384m` */
const meantOtherwiseBytesMax = 17

/** Whole bytes. */
export function parseMemory(text: string): Parsed<number> {
  const quantity = parseQuantity(text)
  const bytes = quantity === undefined ? 0 : roundedUp(quantity)
  if (bytes > Number.MAX_SAFE_INTEGER) return bad(`${quoted(text)} is more memory than any machine has`, memoryHelp)
  if (bytes >= memoryBytesMin) return good(bytes)
  // It knows what may have been meant by `64MB`, and by `64m`, which nobody means.
  const parsed = parseBytes(text)
  if (!parsed.ok && bytes <= meantOtherwiseBytesMax) return parsed
  return bad(`${quoted(text)} is less memory than Node itself needs`, memoryHelp)
}

/** As a manifest has it: 0.2 is `200m`, 1 is `1`. */
export function cpusText(cpus: number): string {
  return cpus < 1 ? `${Math.round(cpus * 1_000)}m` : String(Math.round(cpus * 1_000) / 1_000)
}

/** `200m CPU, 64Mi` */
export function limitsText({ cpus, memoryBytes }: Limits): string {
  const parts = [
    cpus === undefined ? 'no CPU limit' : `${cpusText(cpus)} CPU`,
    memoryBytes === undefined ? 'no memory limit' : formatBytes(memoryBytes),
  ]
  return cpus === undefined && memoryBytes === undefined ? 'unlimited' : parts.join(', ')
}
