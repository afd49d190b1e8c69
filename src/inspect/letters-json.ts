/** Dead letters as JSON for a machine. */
import { limits } from '../base/limits.ts'
import type { Letter } from '../ship/letters/letter.ts'
import { idOf } from '../ship/letters/shapes.ts'
import { safeJson } from './json.ts'
import { plainReason, type LettersFound, type Tally } from './letters.ts'

export function lettersJson(found: LettersFound, source: boolean): string {
  const { byType, byStatus, byTarget, byFile, byReason, examples, ...rest } = found
  const value = {
    ...rest,
    obstacle: rest.obstacle ?? null,
    oldest: rest.oldest ?? null,
    newest: rest.newest ?? null,
    byStatus: countsOf(byStatus),
    byType: countsOf(byType),
    byTarget: countsOf(byTarget),
    byFile: countsOf(byFile),
    byReason: countsOf(byReason),
    examples: examples.map((letter) => shown(letter, source)),
  }
  return safeJson(value, 2)
}

export function letterJson(letter: Letter, source: boolean): string {
  return safeJson(shown(letter, source, true))
}

function shown(letter: Letter, source: boolean, exact = source): Record<string, unknown> {
  const { at, status, type, reason, target, path, offset } = letter
  return {
    at,
    status,
    type,
    reason: reason === undefined ? null : (exact ? reason : plainReason(reason)).slice(0, limits.letterReasonMax),
    target,
    path: path ?? null,
    offset: offset ?? null,
    id: idOf(letter) || null,
    ...(source && { action: letter.action, source: letter.source }),
  }
}

const countsOf = ({ rows, others }: Tally) => ({
  counts: rows.map(([value, count]) => ({ value: value.slice(0, limits.letterReasonMax), count })),
  others,
})
