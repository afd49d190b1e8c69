import { execFile, execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, beforeAll } from 'vitest'

const run = promisify(execFile)
const runMsMax = 20_000
const lagMs = 200

/** Debian puts it where a user's PATH does not lead. */
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }

/** One log file and the real logrotate with one configuration for it. */
export class Logrotate {
  readonly #config: string
  readonly #state: string
  /** When its clock may show another second than that of the last rotation, wall clock. */
  #nextMs = 0

  /** @param directives  as in logrotate.conf(5), one each */
  constructor(directory: string, log: string, directives: readonly string[]) {
    this.#config = path.join(directory, 'logrotate.conf')
    this.#state = path.join(directory, 'logrotate.state')
    fs.writeFileSync(this.#config, `${log} {\n${directives.map((line) => `  ${line}\n`).join('')}}\n`, { mode: 0o644 })
  }

  /** Rotates now, whatever the size and the age. */
  async rotate(): Promise<void> {
    // A date in a name tells seconds apart, no less; and `time(2)` lags a tick of the kernel behind.
    while (Date.now() < this.#nextMs) await delay(20)
    await run('logrotate', ['--force', '--state', this.#state, this.#config], { timeout: runMsMax, env })
    // Its own clock was read some time after it was started.
    this.#nextMs = (Math.floor(Date.now() / 1000) + 1) * 1000 + lagMs
  }
}

/** A `describe` for tests that need these programs: skipped where one is missing, but a failure where `CI` is set. */
export function describePrograms(programs: readonly string[], name: string, define: () => void): void {
  const missing = programs.filter((program) => !isThere(program))
  const maySkip = (process.env['CI'] ?? '') === ''
  describe.skipIf(maySkip && missing.length > 0)(`${name} (needs ${programs.join(', ')})`, () => {
    beforeAll(() => expect(missing, 'CI is set, so these programs must be installed').toEqual([]))
    define()
  })
}

function isThere(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore', env })
    return true
  } catch {
    return false
  }
}
