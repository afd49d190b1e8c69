import type { Mix } from '../../src/bench/types.ts'
import { LineRing, startOf, textsOf } from '../../src/bench/workload/lines.ts'

/** What lines are made of in a workload. */
export const microMixes = ['short', 'long', 'json', 'stack', 'multibyte', 'mixed'] as const satisfies Mix['kind'][]
type MicroMix = (typeof microMixes)[number]

const seed = 1
const timeUs = Date.UTC(2026, 10, 26, 4, 30) * 1e3

/** About a MiB of whole lines of a mix, as a writer of that workload puts them into a file. */
export function textOf(kind: MicroMix): Buffer {
  const ring = new LineRing(textsOf({ kind }, seed), seed)
  // The line with which a round begins: so all of it lies in one piece.
  const first = ring.count - startOf(seed, 0, ring.count)
  ring.put(0, first, timeUs, ring.bytes.length)
  return Buffer.from(ring.bytes.subarray(ring.from, ring.to))
}

/** The same with a letter for all that the encoder changes, or must look at: nothing is left to do but to copy. */
export function smooth(text: Buffer): Buffer {
  return text.map((byte) => {
    const isEscaped = byte === 0x22 || byte === 0x5c || (byte < 0x20 && byte !== 0x0a)
    return isEscaped || byte >= 0x80 ? 0x78 : byte
  }) as Buffer
}

/** The same as if it were written in Latin-1: a byte that no UTF-8 has for each that is not ASCII. */
export function broken(text: Buffer): Buffer {
  return text.map((byte) => (byte >= 0x80 ? 0xfc : byte)) as Buffer
}
