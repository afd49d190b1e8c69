import { closeSync, openSync, readFileSync, renameSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { keptDir } from '../src/bench/machine/kept.ts'
import { events } from './text.ts'

/** Raise this when the same seed gives other bytes: kept files of older versions are then made anew. */
export const generatorVersion = 1

export interface LogFacts {
  readonly version: number
  readonly seed: number
  readonly bytesAsked: number
  readonly bytes: number
  readonly lines: number
  /** Lines that are not valid UTF-8. */
  readonly invalidLines: number
  readonly longestEventBytes: number
}

export interface LogFile extends LogFacts {
  readonly path: string
  /** False when a file of an earlier run was good enough. */
  readonly fresh: boolean
}

const blockBytes = 1 << 20
/** More than the longest event can have, so that the room is looked at once per event. */
const eventBytesMax = 1 << 16

/**
 * A mixed log in blocks of about 1 MiB, ending with a whole line at or just below `bytesMax`. Each block is a view that
 * is written over by the next step: use it before asking for another.
 */
export function* logBlocks(seed: number, bytesMax: number): Generator<Buffer, LogFacts> {
  const block = Buffer.allocUnsafe(blockBytes + eventBytesMax)
  let used = 0
  let bytes = 0
  let lines = 0
  let invalidLines = 0
  let longestEventBytes = 0
  for (const event of events(seed)) {
    let wrote = block.write(event.text, used, event.encoding === 'latin1' ? 'latin1' : 'utf8')
    if (event.encoding === 'cut') wrote -= 1
    if (wrote + 1 > eventBytesMax) throw new Error(`an event of ${wrote} bytes is longer than ${eventBytesMax}`)
    block[used + wrote] = 0x0a
    wrote += 1
    if (bytes + wrote > bytesMax) break
    used += wrote
    bytes += wrote
    lines += event.lines
    if (event.encoding !== 'utf8') invalidLines += 1
    if (wrote > longestEventBytes) longestEventBytes = wrote
    if (used >= blockBytes) {
      yield block.subarray(0, used)
      used = 0
    }
  }
  if (used > 0) yield block.subarray(0, used)
  return { version: generatorVersion, seed, bytesAsked: bytesMax, bytes, lines, invalidLines, longestEventBytes }
}

/** The generated log in `dir`, made only when none with the same seed, size and generator version is there. */
export function ensureLog(seed: number, bytesMax: number, dir = keptDir()): LogFile {
  const path = join(dir, `mixed-v${generatorVersion}-seed${seed}-${bytesMax}.log`)
  const factsPath = `${path}.json`
  const kept = keptFacts(path, factsPath)
  if (kept !== undefined && kept.version === generatorVersion && kept.seed === seed && kept.bytesAsked === bytesMax) {
    return { ...kept, path, fresh: false }
  }
  const partial = `${path}.${process.pid}.partial`
  const fd = openSync(partial, 'w')
  let facts: LogFacts
  try {
    const blocks = logBlocks(seed, bytesMax)
    let step = blocks.next()
    for (; step.done !== true; step = blocks.next()) writeWhole(fd, step.value)
    facts = step.value
  } finally {
    closeSync(fd)
  }
  renameSync(partial, path)
  writeFileSync(factsPath, `${JSON.stringify(facts)}\n`)
  return { ...facts, path, fresh: true }
}

function writeWhole(fd: number, bytes: Buffer): void {
  for (let from = 0; from < bytes.length;) from += writeSync(fd, bytes, from)
}

function keptFacts(path: string, factsPath: string): LogFacts | undefined {
  try {
    const facts: LogFacts = JSON.parse(readFileSync(factsPath, 'utf8'))
    return statSync(path).size === facts.bytes ? facts : undefined
  } catch {
    return undefined
  }
}
