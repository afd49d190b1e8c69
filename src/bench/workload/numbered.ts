import fs from 'node:fs'

/** Files beside a log, as rotators name them: `app.log.1` is the last one that was rotated. */

const copyStepBytes = 4 * 1024 * 1024

/** `.1` becomes `.2` and so on; the oldest is deleted. @param rotated  how many there have been so far */
export function shiftNumbered(path: string, keep: number, rotated: number): void {
  fs.rmSync(`${path}.${keep}`, { force: true })
  for (let n = Math.min(keep - 1, rotated); n >= 1; n--) {
    if (fs.existsSync(`${path}.${n}`)) fs.renameSync(`${path}.${n}`, `${path}.${n + 1}`)
  }
}

/** The first half of copytruncate, in steps between which the application may write. A step that is not full was the last one:
 * a copy that waited for nothing to be left would follow a busy application for ever. */
export function* copyNumbered(path: string): Generator<void, void> {
  const from = fs.openSync(path, 'r')
  const to = fs.openSync(`${path}.1`, 'w')
  const step = Buffer.allocUnsafe(copyStepBytes)
  try {
    for (let copied = 0; ;) {
      const got = fs.readSync(from, step, 0, step.length, copied)
      for (let at = 0; at < got;) at += fs.writeSync(to, step, at, got - at)
      if (got < step.length) return
      copied += got
      yield
    }
  } finally {
    fs.closeSync(from)
    fs.closeSync(to)
  }
}
