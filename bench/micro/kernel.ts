import { Kernel } from '../../src/encode/kernel.ts'
import { Templates } from '../../src/encode/template.ts'
import { nameOf } from '../../src/follow/names.ts'
import type { Case } from './case.ts'
import { broken, microMixes, smooth, textOf } from './texts.ts'

/** A line of a few bytes becomes a document of 300. */
const outputBytes = 12 << 20
const lineBytesMax = 1 << 16
const documentsMax = 1 << 17
/** Of one MiB, so that one call is long enough to be timed. */
const copiesAtOnce = 8

/** The encoder on about one MiB of each mix of lines, without and with ids; and the copying of as many bytes, for scale. */
export function kernelCases(): Case[] {
  const mixed = textOf('mixed')
  const cases = microMixes.flatMap((mix) => encoding(mix, textOf(mix)))
  cases.push(
    ...encoding('multibyte, none of it UTF-8', broken(textOf('multibyte'))),
    ...encoding('mixed, nothing to escape', smooth(mixed)),
  )
  const target = Buffer.allocUnsafeSlow(mixed.length)
  const copy = () => {
    for (let copies = 0; copies < copiesAtOnce; copies++) mixed.copy(target)
    return target[0]
  }
  const bytes = mixed.length * copiesAtOnce
  const { items } = encoding('mixed', mixed)[0]!
  cases.push({
    group: 'kernel',
    name: 'copying the mixed lines',
    item: 'line',
    items: items * copiesAtOnce,
    bytes,
    run: copy,
  })
  return cases
}

/** @throws Error when the encoder leaves lines over */
function encoding(name: string, text: Buffer): Case[] {
  const kernel = new Kernel(text.length + lineBytesMax, outputBytes, lineBytesMax)
  kernel.input.set(text)
  const templates = new Templates(new Map([['kubernetes.pod.uid', '6f1c2f0a-9f5e-4a5e-8d53-7c1d2b8e4f60']]))
  const origin = { path: '/var/log/app/app.log', readAtMs: Date.UTC(2026, 10, 22), seenMs: 0 }
  const generationIds = [undefined, nameOf(['bench'])]
  return generationIds.map((generationId) => {
    const template = templates.of({ ...origin, generationId })
    const run = () => {
      kernel.use(template)
      return kernel.encode(0, text.length, 0, 0, documentsMax, false, 'line')
    }
    const { documents, consumedBytes, stop } = run()
    if (consumedBytes !== text.length) throw new Error(`${name}: the encoder stopped at ${consumedBytes}: ${stop}`)
    const idName = generationId === undefined ? name : `${name}, _id`
    return { group: 'kernel', name: idName, item: 'line', items: documents, bytes: text.length, run }
  })
}
