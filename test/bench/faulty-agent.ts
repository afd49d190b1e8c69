import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * An agent with a fault, for the bench to find: ships each whole line, and
 * `skips` a span of some, `ends` after some, `hoards` memory meanwhile, or
 * `holds` some back until it is asked to stop.
 */
const [fault = '', url = '', logs = ''] = process.argv.slice(2)
const span = { from: 100, to: 120 }
const offsets = new Map<string, number>()
const held: Buffer[] = []
let seen = 0
const back: string[] = []
let isStopping = false
process.on('SIGTERM', () => (isStopping = true))

function newLines(name: string): string[] {
  const file = openSync(join(logs, name), 'r')
  const from = offsets.get(name) ?? 0
  const bytes = Buffer.alloc(1 << 20)
  const got = readSync(file, bytes, 0, bytes.length, from)
  closeSync(file)
  const end = bytes.lastIndexOf(0x0a, got - 1) + 1
  if (got === 0 || end === 0) return []
  offsets.set(name, from + end)
  return bytes.toString('utf8', 0, end - 1).split('\n')
}

function shipped(line: string): string[] {
  const isIn = ++seen >= span.from && seen < span.to
  if (isIn && fault === 'holds') back.push(line)
  return isIn && (fault === 'skips' || fault === 'holds') ? [] : [line]
}

for (;;) {
  if (fault === 'hoards') held.push(Buffer.alloc(8 << 20, 1))
  const lines = readdirSync(logs).flatMap((name) => newLines(name).flatMap(shipped))
  if (isStopping) lines.push(...back.splice(0))
  if (lines.length > 0) {
    const body = lines.map((message) => `{"create":{}}\n${JSON.stringify({ message })}\n`).join('')
    const headers = { 'content-type': 'application/x-ndjson' }
    await (await fetch(`${url}/remora-bench/_bulk`, { method: 'POST', headers, body })).text()
  }
  if (fault === 'ends' && seen > span.to) process.exit(3)
  if (isStopping && lines.length === 0) process.exit(0)
  await delay(20)
}
