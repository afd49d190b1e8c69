import { bad, formatBytes, good, type Parsed, parseBytes, quoted } from '../../base/units.ts'
import type { Limits } from '../types.ts'

const cpusMin = 0.01
const cpusMax = 1024
const help = 'write processors as Kubernetes does: 200m is a fifth of one, 1.5 one and a half'

/** Of one processor's time; the kernel's smallest quota is 1 ms of each 100. */
export function parseCpus(text: string): Parsed<number> {
  const match = /^(\d{1,8}(?:\.\d{1,6})?)(m?)$/.exec(text)
  if (match === null) return bad(`${quoted(text)} is not a number of processors`, help)
  const cpus = Number(match[1]) / (match[2] === 'm' ? 1_000 : 1)
  if (cpus < cpusMin || cpus > cpusMax) {
    return bad(`${quoted(text)} is not between ${cpusText(cpusMin)} and ${cpusMax} processors`, help)
  }
  return good(cpus)
}

/** Below this Node itself does not start. */
const memoryBytesMin = 16 * 2 ** 20

export function parseMemory(text: string): Parsed<number> {
  const parsed = parseBytes(text)
  if (!parsed.ok || parsed.value >= memoryBytesMin) return parsed
  return bad(`${quoted(text)} is less memory than Node itself needs`, `write at least ${formatBytes(memoryBytesMin)}`)
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
