/** Answers of a stranger are `unknown`, and are looked at in these ways only: nothing in here throws. */
import type { Reply } from './ask.ts'

export function at(value: unknown, ...keys: readonly (string | number)[]): unknown {
  let found = value
  for (const key of keys) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<string | number, unknown>)[key]
  }
  return found
}

export function textAt(value: unknown, ...keys: readonly (string | number)[]): string {
  const found = at(value, ...keys)
  return typeof found === 'string' ? found : ''
}

/** Why a request was refused, on one line: it repeats what we have sent, never a log line. */
export function reasonOf(reply: Reply): string {
  if (reply.kind === 'failed') return reply.message
  const reasons: string[] = []
  let error = at(reply.body, 'error')
  if (typeof error === 'string') reasons.push(error)
  for (let depth = 0; depth < 4 && typeof error === 'object' && error !== null; depth++) {
    reasons.push(textAt(error, 'reason'))
    error = at(error, 'caused_by')
  }
  const reason = reasons.filter((each) => each !== '').join(': ')
  // oxlint-disable-next-line no-control-regex
  const clean = reason.slice(0, 400).replace(/[\0-\x1f\x7f]+/g, ' ')
  return `it answers ${reply.status}${clean === '' ? '' : `, ${clean}`}`
}

/** Later it may work: no answer, too much to do, starting, or credentials that somebody has to mend. */
export function isForLater(reply: Reply): boolean {
  return reply.kind === 'failed' || reply.status === 401 || reply.status === 429 || reply.status >= 500
}
