import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { assert } from '../../../src/base/errors.ts'
import type { Written } from './tally.ts'
import type { Progress, WriterOptions } from './writer.ts'

const script = fileURLToPath(new URL('writer.ts', import.meta.url))

/** The application and its rotator, as a process of its own that ends with this one. */
export class WriterProcess {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #written: Written | undefined
  progress: Progress = { lines: 0, destroyed: [] }

  constructor(options: WriterOptions) {
    this.#child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#closed = once(this.#child, 'close')
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const said: Progress | { written: Written } = JSON.parse(line)
      if ('written' in said) this.#written = said.written
      else this.progress = said
    })
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Lets it finish the rotation it is in. */
  async stop(): Promise<Written> {
    this.#child.stdin!.end()
    await this.#closed
    assert(this.#written !== undefined, 'the writer has ended without an account')
    return this.#written
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
