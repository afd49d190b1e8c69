import { ExpectedLines } from '../../../src/bench/sink/expected.ts'
import { logName } from '../../../src/bench/workload/head.ts'
import { LineRing, textsOf } from '../../../src/bench/workload/lines.ts'
import type { Mix } from '../../../src/bench/types.ts'

/** A document of a bulk request. */
export interface Sent {
  readonly file: number
  readonly number: number
  /** Empty: none. */
  readonly id: string
  /** In the place of the line. */
  readonly text?: string
  /** In the place of what it is. */
  readonly offset?: number
  readonly path?: string
}

/** How an agent writes its documents. */
export type Style = 'remora' | 'fields first' | 'spaced' | 'escaped' | 'index'

export const styles: readonly Style[] = ['remora', 'fields first', 'spaced', 'escaped', 'index']

/** Lines of a workload as texts, and bulk bodies of them as several agents write those. */
export class Bodies {
  readonly #ring: LineRing
  readonly #expected: ExpectedLines
  /** Of the heads. */
  timeUs: number

  constructor(mix: Mix, seed: number, timeUs = Date.UTC(2026, 10, 26, 4, 20, 14) * 1e3 + 123_456) {
    const texts = textsOf(mix, seed)
    this.#ring = new LineRing(texts, seed)
    this.#expected = new ExpectedLines(texts, seed, 16)
    this.timeUs = timeUs
  }

  line(file: number, number: number): string {
    const ring = this.#ring
    ring.put(file, number, this.timeUs, 1)
    return ring.bytes.toString('utf8', ring.from, ring.to - 1)
  }

  body(documents: readonly Sent[], style: Style): Buffer {
    return Buffer.from(documents.map((each) => this.#pair(each, style)).join(''))
  }

  #pair(sent: Sent, style: Style): string {
    const { file, number, id, text = this.line(file, number) } = sent
    const { offset = this.#expected.offsetOf(file, number), path = `/var/log/app/${logName(file)}` } = sent
    const action = id === '' ? {} : { _id: id }
    const time = '2026-11-26T04:20:15.000Z'
    if (style === 'index') return `${JSON.stringify({ index: action })}\n${JSON.stringify({ msg: text })}\n`
    const head = `${JSON.stringify({ create: action })}\n`
    if (style === 'fields first') {
      const log = { offset, file: { path } }
      return `${head}${JSON.stringify({ '@timestamp': time, host: { name: 'a"b' }, log, message: text })}\n`
    }
    const message = style === 'escaped' ? escapedAll(text) : JSON.stringify(text)
    const space = style === 'spaced' ? ' ' : ''
    return `${head}{"@timestamp":"${time}","message":${space}${message},"log":{"file":{"path":"${path}"},"offset":${offset}}}\n`
  }
}

/** All that may be escaped is. */
function escapedAll(text: string): string {
  const units = Array.from({ length: text.length }, (_, n) => text.charCodeAt(n))
  return `"${units.map((unit) => (unit > 0x7e || unit < 0x20 || unit === 0x22 || unit === 0x5c || unit === 0x2f ? `\\u${unit.toString(16).padStart(4, '0')}` : String.fromCharCode(unit))).join('')}"`
}
