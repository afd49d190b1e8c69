/** What `image.ts` waits for: the first document that a server has. */
import { setTimeout as delay } from 'node:timers/promises'

/**
 * @param answer  what the server has sent so far to a bulk request, its head first
 * @returns whether it says that a document is there now; an error, or a refusal of all, is no such answer
 */
export function saysTaken(answer: string): boolean {
  return answer.startsWith('HTTP/1.1 200 ') && /"errors":false|"status":201\b/.test(answer)
}

/** @throws Error when it takes longer */
export async function within<T>(wanted: Promise<T>, msMax: number, what: string): Promise<T> {
  const over = new AbortController()
  const late = delay(msMax, undefined, { signal: over.signal }).then(() => {
    throw new Error(`no ${what} within ${msMax / 1_000} s`)
  })
  try {
    return await Promise.race([wanted, late])
  } finally {
    over.abort()
    late.catch(() => {})
  }
}
