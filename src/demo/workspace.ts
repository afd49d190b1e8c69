import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf, RemoraError } from '../base/errors.ts'

/** The demo's directory, under the system's directory for temporary files. */
export class Workspace {
  readonly logs: string
  readonly state: string
  readonly agentLog: string
  readonly documents: string
  readonly #directory: string
  readonly #kept = new Set<string>()

  /** @throws RemoraError `TEMP_UNWRITABLE` */
  constructor() {
    try {
      // Without symlinks, as the agent names files: /tmp is one on some systems.
      this.#directory = realpathSync(mkdtempSync(join(tmpdir(), 'remora-demo-')))
      mkdirSync(join(this.#directory, 'logs'))
    } catch (error) {
      throw new RemoraError(
        'TEMP_UNWRITABLE',
        `the demo cannot make a directory for its files in ${tmpdir()}: ${messageOf(error)}`,
        'Set TMPDIR to a directory that you can write to, with 200 MB free.',
        { cause: error },
      )
    }
    this.logs = join(this.#directory, 'logs')
    this.state = join(this.#directory, 'state')
    this.agentLog = join(this.#directory, 'agent.log')
    this.documents = join(this.#directory, 'documents.ndjson')
  }

  /** These files stay. */
  keep(...paths: readonly string[]): void {
    for (const path of paths) this.#kept.add(path)
  }

  /** Removes what is not to stay; the directory itself when nothing is. Throws nothing. */
  tidy(): void {
    try {
      const gone = readdirSync(this.#directory).map((name) => join(this.#directory, name))
      for (const path of gone) if (!this.#kept.has(path)) rmSync(path, { recursive: true, force: true })
      if (this.#kept.size === 0) rmSync(this.#directory, { recursive: true, force: true })
    } catch {
      // Temporary files: the system takes them away in its own time.
    }
  }
}

/** A glob for the logs of a directory, whatever characters its path has. */
export function logsGlob(directory: string): string {
  return `${directory.replaceAll(/[*?[{},]/g, '[$&]')}/*.log`
}
