import { logBlocks } from '../log.ts'

export const microMixes = ['mixed'] as const
const seed = 1

/** Whole lines of a mix, `bytes` at most. */
export function textOf(_mix: (typeof microMixes)[number], bytes: number): Buffer {
  const { value } = logBlocks(seed, bytes).next()
  if (!Buffer.isBuffer(value)) throw new Error('the generator gave nothing')
  return Buffer.from(value)
}

/** Quotes, backslashes, control characters and invalid UTF-8 as the letter x: nothing is left to change on the way. */
export function smooth(text: Buffer): Buffer {
  const smoothed = Buffer.from(text)
  for (const [at, byte] of text.entries()) {
    const isEscaped = byte === 0x22 || byte === 0x5c || (byte < 0x20 && byte !== 0x0a)
    if (isEscaped || byte >= 0x80) smoothed[at] = 0x78
  }
  return smoothed
}
