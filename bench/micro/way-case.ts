import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cases } from './case.ts'
import { textOf } from './texts.ts'
import { measureWay } from './way.ts'

/** So many MiB: batches enough that what is steady outweighs a look at a counter. */
const times = 64

/** All of the way together, and what holds it together. */
export function wayCases(): Cases {
  const text = textOf('mixed')
  let linesOfText = 0
  for (const byte of text) if (byte === 10) linesOfText++
  const items = linesOfText * times
  let directory: string | undefined
  const pathOf = () => {
    if (directory === undefined) {
      directory = mkdtempSync(join(tmpdir(), 'remora-micro-'))
      const descriptor = openSync(join(directory, 'app.log'), 'w')
      for (let time = 0; time < times; time++) writeSync(descriptor, text)
      closeSync(descriptor)
    }
    return join(directory, 'app.log')
  }
  const time = async () => {
    const cost = await measureWay(pathOf(), items)
    // As for the whole log, start-up apart.
    const share = items / cost.lines
    return { cpuNs: cost.cpuNs * share, allocatedBytes: cost.allocatedBytes * share }
  }
  const name = 'file to verdict, no network'
  return {
    cases: [{ group: 'way', name, item: 'line', items, bytes: text.length * times, time }],
    close() {
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}
