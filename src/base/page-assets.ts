/** What a page needs to stand for itself: its libraries and its rules are in it. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

export interface ChartLibrary {
  /** Makes `uPlot`. */
  readonly script: string
  readonly style: string
}

/** uPlot 1.6, with its licence, which wants to be where it is. Read each time: nobody keeps it. @throws Error when it is not installed */
export function chartLibrary(): ChartLibrary {
  const { resolve } = createRequire(import.meta.url)
  const read = (name: string) => readFileSync(resolve(`uplot/${name}`), 'utf8')
  return {
    script: `/*\n${read('LICENSE')}*/\n${read('dist/uPlot.iife.min.js')}`,
    style: read('dist/uPlot.min.css'),
  }
}

/** A script or style that is in a page as it stands. Source: Content Security Policy Level 3, 2.3.1 ("hash-source"). */
export function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
