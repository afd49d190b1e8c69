import { createHash } from 'node:crypto'
import { limits } from '../../base/limits.ts'

/** Control characters, what turns the direction of writing, halves of a character, other line ends. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const hashCharacters = 8

/**
 * A name that a stranger has chosen, as the value of a label: a bounded number of visible characters. What is not the name as it
 * is ends with a hash of that, so that two names never share a series.
 */
export function labelOf(name: string): string {
  const visible = name.replace(invisible, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
  if (visible === name && name.length <= limits.metricPathMax) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, hashCharacters)
  const room = limits.metricPathMax - hashCharacters - 2
  // The end of a path tells more than its beginning. Halves of a character are no text.
  const end = visible.length <= room ? visible : `…${visible.slice(1 - room)}`.replace(/^…\p{Cs}/u, '…')
  return `${end}~${hash}`
}
