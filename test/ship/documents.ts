import * as fc from 'fast-check'

/** A bulk body of so many documents, each another, of different lengths. */
export function documentsOf(count: number, lengthOf = (index: number) => (index * 7) % 40): string[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `id-${index}`
    return `${JSON.stringify({ create: { _id: id } })}\n${JSON.stringify({ message: `${id} ${'x'.repeat(lengthOf(index))}` })}\n`
  })
}

export const idsOf = (body: Uint8Array): number[] =>
  Array.from(
    Buffer.from(body)
      .toString()
      .matchAll(/"_id":"id-(\d+)"/g),
    ([, index]) => Number(index),
  )

/** The documents somewhere inside a larger buffer, as in a slot. */
export function placed(documents: readonly string[], before: number, after: number) {
  const text = Buffer.from(documents.join(''))
  // Behind the batch a slot holds what was there before: whole documents too.
  const stale = Buffer.from('{"create":{"_id":"stale"}}\n{"message":"stale"}\n'.repeat(4))
  const body = Buffer.concat([Buffer.alloc(before, 0xa5), text, stale, Buffer.alloc(after, 0xa5)])
  return { body, from: before, to: before + text.length }
}

export const lengths = fc.array(fc.nat(60), { minLength: 1, maxLength: 30 })
