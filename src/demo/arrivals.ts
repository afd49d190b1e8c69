import { basename } from 'node:path'
import { LineHashSum } from './application-hash.ts'

/** More than the sample application writes in any run: a forged number must not make a table of gigabytes. */
const numberLimit = 10_000_000

/** What arrived of one log, whatever its rotated files are called. */
export class LogArrivals {
  readonly sum = new LineHashSum()
  /** Texts without a mark of the sample application, which it has not written. */
  unmarked = 0
  readonly #mark: RegExp
  /** How often each line arrived, by its number from 1, 255 times at most. */
  #times = new Uint8Array(1024)

  /** @param name  `orders.log`, whose lines carry `orders-0000001` and so on */
  constructor(name: string) {
    const stem = name.replace(/\.log$/, '').replaceAll(/\W/g, String.raw`\$&`)
    this.#mark = new RegExp(String.raw`\b${stem}-(\d{7,8})\b`)
  }

  add(text: string): void {
    this.sum.add(text)
    const number = Number(this.#mark.exec(text)?.[1] ?? 0)
    if (number === 0 || number >= numberLimit) {
      this.unmarked++
      return
    }
    if (number >= this.#times.length) {
      const longer = new Uint8Array(number * 2)
      longer.set(this.#times)
      this.#times = longer
    }
    this.#times[number] = Math.min(255, this.times(number) + 1)
  }

  /** How often line `number` arrived. */
  times(number: number): number {
    return this.#times[number] ?? 0
  }

  /** No line with a higher number arrived. */
  get numberMax(): number {
    return this.#times.length - 1
  }
}

/** All documents of a run, as they are found at their destination. */
export class Arrivals {
  readonly ids = new Set<string>()
  /** By the first name of the log, `orders.log`. */
  readonly logs = new Map<string, LogArrivals>()
  documents = 0

  /** @param path  `log.file.path` */
  add(id: string, path: string, text: string): void {
    this.documents++
    this.ids.add(id)
    const name = /^.*?\.log/.exec(basename(path))?.[0] ?? basename(path)
    let log = this.logs.get(name)
    if (log === undefined) this.logs.set(name, (log = new LogArrivals(name)))
    log.add(text)
  }

  /** `LineHashSum` of all texts. */
  hash(): string {
    const all = new LineHashSum()
    for (const { sum } of this.logs.values()) all.merge(sum)
    return all.value()
  }
}
