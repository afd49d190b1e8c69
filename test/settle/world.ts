import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { Checkpoint, type Loaded } from '../../src/settle/checkpoint.ts'
import type { StateReport } from '../../src/settle/report.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { numberOf } from './states.ts'

export function diskError(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: ${call}`), { code })
}

/** A real directory, and what its checkpoints say. */
export class StateWorld {
  readonly directory: string
  readonly clock = new VirtualClock()
  readonly reports: StateReport[] = []
  /** Calls, with or without the name of a file, and the code of the error that they throw. */
  readonly broken = new Map<string, string>()
  /** Awaited before each write, one after the other. */
  readonly gates: Promise<void>[] = []
  wallMs: () => number = () => this.clock.wallMs

  constructor(directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-state-'))) {
    this.directory = directory
    onTestFinished(() => fs.rmSync(directory, { recursive: true, force: true }))
  }

  at(name: string): string {
    return path.join(this.directory, name)
  }

  write(name: string, text: string): void {
    fs.writeFileSync(this.at(name), text)
  }

  textOf(name: string): string | undefined {
    return fs.existsSync(this.at(name)) ? fs.readFileSync(this.at(name), 'utf8') : undefined
  }

  get names(): string[] {
    return fs.readdirSync(this.directory).toSorted()
  }

  get codes(): string[] {
    return this.reports.map(({ code }) => code)
  }

  open(writer = 'me'): Checkpoint {
    const clock: Clock = { ...this.clock.view(() => true), nowMs: () => this.wallMs() }
    const say = (report: StateReport) => void this.reports.push(report)
    return new Checkpoint({ disk: this.#disk(), clock, directory: this.directory, writer, say })
  }

  /** The number of the state that another process would begin with; 0: none. */
  get number(): number {
    const quiet = { disk: systemDisk, clock: this.clock.view(() => true), say: () => undefined }
    return numberIn(new Checkpoint({ ...quiet, directory: this.directory, writer: 'reader' }).load())
  }

  #disk(): Disk {
    const before = (call: string, file: string) => {
      const code = this.broken.get(`${call} ${path.basename(file)}`) ?? this.broken.get(call)
      if (code !== undefined) throw diskError(code, call)
    }
    return {
      ...systemDisk,
      readText: (file, bytesMax) => {
        before('readText', file)
        return systemDisk.readText(file, bytesMax)
      },
      rename: (from, to) => {
        before('rename', from)
        systemDisk.rename(from, to)
      },
      makeDirectory: (directory) => {
        before('makeDirectory', directory)
        systemDisk.makeDirectory(directory)
      },
      replace: async (file, previous, text) => {
        before('replace', file)
        await this.gates.shift()
        await systemDisk.replace(file, previous, text)
      },
    }
  }
}

export const numberIn = ({ newest }: Loaded): number => (newest === undefined ? 0 : numberOf(newest.read.state))
