import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'

/** Of the PID namespace: the same PID is another process in another one. 0: not known. */
export function pidNamespace(): number {
  try {
    return Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0)
  } catch {
    return 0
  }
}

/**
 * Where a PID is one of ours, in twelve hexadecimal digits: this boot of this machine, this user, this PID namespace. Engines
 * and directories may be shared by several machines, and the first namespace has the same number on each of them.
 * Source: proc(5), `sys/kernel/random/boot_id`.
 */
export function ownerScope(): string {
  const facts = [bootId(), String(process.getuid?.() ?? 0), String(pidNamespace())]
  return createHash('sha256').update(facts.join('\0')).digest('hex').slice(0, 12)
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return ''
  }
}
