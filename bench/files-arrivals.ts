import type { ChildProcess } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { sleep, systemClock } from '../src/base/clock.ts'
import { Sink } from './sink.ts'

const arriveMsMax = 300_000

/** Lines that arrived, and for each file when the last one did. */
export class Arrivals {
  readonly counts: number[]
  readonly atMs: number[]
  /** Called with the file and the time of arrival. */
  note: (file: number, count: number, atMs: number) => void = () => {}
  readonly sink: Sink
  readonly #open: (settled: void) => void
  readonly listening: Promise<void>

  constructor(files: number) {
    this.counts = Array.from({ length: files }, () => 0)
    this.atMs = Array.from({ length: files }, () => 0)
    this.sink = new Sink(true, (message) => {
      const [file, count] = message.split(' ', 2).map(Number) as [number, number]
      const nowMs = performance.now()
      this.counts[file]!++
      this.atMs[file] = nowMs
      this.note(file, count, nowMs)
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.listening = promise
    this.#open = resolve
    this.sink.server.listen(0, '127.0.0.1', () => this.#open())
  }

  get port(): number {
    return (this.sink.server.address() as AddressInfo).port
  }

  /** False when it takes too long. */
  async reach(lines: number, child: ChildProcess): Promise<boolean> {
    const untilMs = performance.now() + arriveMsMax
    while (this.sink.totals().documents < lines) {
      if (performance.now() > untilMs || child.exitCode !== null || child.signalCode !== null) return false
      await sleep(systemClock, 20)
    }
    return true
  }

  close(): void {
    this.sink.server.close()
    this.sink.server.unref()
  }
}
