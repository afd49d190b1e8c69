import { styleText } from 'node:util'
import type { Style } from './closing.ts'

/** Colours where they are shown: on a terminal, and NO_COLOR is respected. */
export function styleFor(stream: NodeJS.WriteStream): Style {
  return (format, text) => styleText(format, text, { stream })
}
