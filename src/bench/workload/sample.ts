import { closeSync, constants, fstatSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, RemoraError } from '../../base/errors.ts'
import { onExit } from '../machine/process.ts'
import { temporaryDirectory } from '../machine/temporary.ts'
import type { Workload } from '../types.ts'
import type { LineText } from './text.ts'

/** The first lines of a larger file are enough of a sample; writer and sink both hold them. */
export const sampleBytesMax = 16 * 1024 * 1024
/** The same of its lines: each takes room of its own. */
export const sampleLinesMax = 200_000
/** With its head a line must fit into the default of `REMORA_MAX_LINE_BYTES`. */
export const sampleLineBytesMax = 60 * 1024

const newline = 0x0a
const carriageReturn = 0x0d

/**
 * The lines of the user's file, each behind a head of its own. Of `\r` before a newline nothing is written; what
 * follows the last newline is left out.
 *
 * @throws RemoraError with file and line
 */
export function readSample(path: string): LineText[] {
  const bytes = readStart(path)
  const lines: LineText[] = []
  const nothing = Buffer.alloc(0)
  for (let at = 0; lines.length < sampleLinesMax;) {
    const end = bytes.indexOf(newline, at)
    if (end < 0) break
    let to = end
    // All of them, for a copy is read once more.
    while (to > at && bytes[to - 1] === carriageReturn) to--
    if (to - at > sampleLineBytesMax) throw tooLong(path, lines.length + 1, `has ${to - at} bytes`)
    lines.push({ before: nothing, after: Buffer.concat([Buffer.from(' '), bytes.subarray(at, to)]) })
    at = end + 1
  }
  if (lines.length > 0) return lines
  if (bytes.length > sampleLineBytesMax) throw tooLong(path, 1, `has no end within ${bytes.length} bytes`)
  throw new RemoraError(
    'SAMPLE_EMPTY',
    `the sample ${path} has no complete line: line 1 ends without a newline, or the file is empty`,
    'Give a text file with at least one line that ends with a newline.',
  )
}

/** Of this process, by the path of the sample. */
const kept = new Map<string, string>()

/**
 * The workload with a copy of its sample, for writer and sink must read the same lines, and a log may grow between them.
 *
 * @throws RemoraError with file and line when it cannot be taken
 */
export function withKeptSample(workload: Workload): Workload {
  const { mix } = workload
  if (mix.kind !== 'sample') return workload
  let path = kept.get(mix.path)
  if (path === undefined) {
    const lines = readSample(mix.path)
    const directory = temporaryDirectory('sample')
    onExit(() => rmSync(directory, { recursive: true, force: true }))
    path = join(directory, 'sample')
    // Behind its head each text begins with a space.
    writeFileSync(path, Buffer.concat(lines.flatMap(({ after }) => [after.subarray(1), Buffer.from('\n')])), {
      mode: 0o600,
    })
    kept.set(mix.path, path)
  }
  return { ...workload, mix: { kind: 'sample', path } }
}

function readStart(path: string): Buffer {
  try {
    // Not waiting for who writes into a pipe.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      if (!fstatSync(descriptor).isFile()) throw new Error('it is not a regular file')
      const bytes = Buffer.allocUnsafe(sampleBytesMax)
      let have = 0
      while (have < bytes.length) {
        const got = readSync(descriptor, bytes, have, bytes.length - have, have)
        if (got === 0) break
        have += got
      }
      return bytes.subarray(0, have)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw new RemoraError(
      'SAMPLE_UNREADABLE',
      `the sample ${path} cannot be read: ${messageOf(error)}`,
      'Give the path of a log file that this user may read.',
    )
  }
}

const tooLong = (path: string, line: number, what: string) =>
  new RemoraError(
    'SAMPLE_LINE_TOO_LONG',
    `the sample ${path} has a line that is too long: line ${line} ${what}, and ${sampleLineBytesMax} are the most`,
    'Leave that line out of the sample: the agent would cut it, and no line could be compared with what was written.',
  )
