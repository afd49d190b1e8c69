import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { assert } from '../../src/base/errors.ts'
import { startBulkServer, type BulkServer } from '../../src/demo/bulk-server.ts'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { startAgent, type AgentProcess } from './agent-process.ts'

const arriveMsMax = 30_000

/** A directory with logs, the strict bulk server, and one agent process after another. */
export class Scene {
  readonly directory: string
  readonly stateDir: string
  readonly #documents: string
  readonly #settings: Readonly<Record<string, string>>
  #server!: BulkServer
  #agent: AgentProcess | undefined
  readonly #said: string[] = []

  private constructor(name: string, glob: string, settings: Readonly<Record<string, string>>) {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), `remora-${name}-`))
    this.stateDir = path.join(this.directory, 'state')
    this.#documents = path.join(this.directory, 'documents.ndjson')
    fs.mkdirSync(path.join(this.directory, 'logs'))
    this.#settings = { REMORA_PATHS: this.log(glob), REMORA_POD_UID: name, ...settings }
  }

  /** Plays, and leaves nothing behind. @param glob  below the log directory */
  static async play<T>(
    name: string,
    glob: string,
    play: (scene: Scene) => Promise<T>,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const scene = new Scene(name, glob, settings)
    scene.#server = await startBulkServer({ documentsPath: scene.#documents })
    try {
      return await play(scene)
    } finally {
      await scene.#agent?.end('SIGKILL')
      await scene.#server.close()
      fs.rmSync(scene.directory, { recursive: true, force: true })
    }
  }

  /** The path of a file in the log directory. */
  log(name: string): string {
    return path.join(this.directory, 'logs', name)
  }

  start(): void {
    this.#agent = startAgent({
      REMORA_STATE_DIR: this.stateDir,
      REMORA_ELASTICSEARCH_URL: this.#server.url,
      REMORA_SCAN_INTERVAL: '1s',
      REMORA_LOG_LEVEL: 'debug',
      ...this.#settings,
    })
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const agent = this.#agent!
    if (signal === 'SIGTERM') await begun(agent)
    const code = await agent.end(signal)
    this.#said.push(agent.output())
    const wanted = signal === 'SIGTERM' ? 0 : null
    assert(code === wanted, code === wanted ? '' : `the agent ended with ${code}, ${this.said()}`)
  }

  /** Keeps what the processes have said that have ended: it is too long for a message. @returns where it is */
  said(): string {
    const to = `${this.directory}.out`
    fs.writeFileSync(to, this.#said.join('--- next process\n'))
    return `what the agents said is in ${to}`
  }

  get documents(): number {
    return this.#server.account().documents
  }

  /** Waits for so many documents; not for ever, for the account of a test says more than that it waited. */
  async arrived(documents: number): Promise<void> {
    const untilMs = performance.now() + arriveMsMax
    while (this.documents < documents && performance.now() < untilMs) await delay(20)
  }

  /** How often each message is stored. */
  async messages(): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    for await (const { _source: source } of readDocuments(this.#documents)) {
      const { message } = source as { message: string }
      found.set(message, (found.get(message) ?? 0) + 1)
    }
    return found
  }
}

/** Before it has said that it starts, nobody takes a signal. */
async function begun(agent: AgentProcess): Promise<void> {
  const untilMs = performance.now() + arriveMsMax
  while (!agent.output().includes('"START"') && performance.now() < untilMs) await delay(20)
}

interface Few {
  readonly count: number
  readonly first: string | undefined
  readonly last: string | undefined
}

export interface Differences {
  readonly lost: Few
  readonly doubled: Few
  readonly foreign: Few
}

const few = (texts: readonly string[]): Few => ({ count: texts.length, first: texts[0], last: texts.at(-1) })

export const noDifferences: Differences = { lost: few([]), doubled: few([]), foreign: few([]) }

/** Distinct lines against what is stored. */
export function differencesOf(lines: readonly string[], found: ReadonlyMap<string, number>): Differences {
  const known = new Set(lines)
  return {
    lost: few(lines.filter((line) => !found.has(line))),
    doubled: few(lines.filter((line) => (found.get(line) ?? 0) > 1)),
    foreign: few([...found.keys()].filter((message) => !known.has(message))),
  }
}
