/**
 * The application of the tests: writes numbered lines at a rate, rotates by rename, and prints how many it has written, after
 * each piece. Runs in the Pod, in Remora's own image, as the text that `writerCommand` makes of this file; so it imports
 * nothing but Node.
 */
import { appendFileSync, renameSync, writeSync } from 'node:fs'

export interface Writing {
  /** In each line, so that those of two runs differ. */
  readonly run: string
  readonly path: string
  readonly lineBytes: number
  readonly bytesPerSecond: number
  /** Then it ends by itself; without it, at SIGTERM. */
  readonly lines?: number
  /** Of a file, before it is renamed. */
  readonly rotateLines: number
  /** At SIGTERM: `end` writes ten last lines and ends; `linger` goes on writing until it is killed. */
  readonly atTerm: 'end' | 'linger'
  /** Octal; the container's own without it. */
  readonly umask?: string
}

const tickMs = 50
const lastLines = 10

/** Line `n`, from 1; without its newline. */
export function lineOf({ run, lineBytes }: Pick<Writing, 'run' | 'lineBytes'>, n: number): string {
  const start = `${run} order ${n} `
  return start + (n % 7).toString().repeat(Math.max(1, lineBytes - start.length - 1))
}

function write(writing: Writing): void {
  if (writing.umask !== undefined) process.umask(writing.umask)
  const perTick = Math.max(1, Math.round((writing.bytesPerSecond * tickMs) / 1_000 / writing.lineBytes))
  const linesMax = writing.lines ?? Number.MAX_SAFE_INTEGER
  let written = 0
  let rotations = 0
  const add = (lines: number) => {
    let text = ''
    for (let n = written + 1; n <= written + lines; n++) text += `${lineOf(writing, n)}\n`
    appendFileSync(writing.path, text)
    written += lines
    // Not more than was written, whenever it is killed.
    writeSync(1, `wrote ${written}\n`)
  }
  const timer = setInterval(() => {
    add(Math.min(perTick, linesMax - written))
    if (written >= linesMax) clearInterval(timer)
    else if (written >= (rotations + 1) * writing.rotateLines) {
      renameSync(writing.path, `${writing.path}.${++rotations}`)
    }
  }, tickMs)
  process.on('SIGTERM', () => {
    if (writing.atTerm === 'linger') return
    clearInterval(timer)
    add(Math.min(lastLines, linesMax - written))
  })
}

const asked = process.env['TEST_WRITING']
if (asked !== undefined) write(JSON.parse(asked) as Writing)
