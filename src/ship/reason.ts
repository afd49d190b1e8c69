import type { Readable } from 'node:stream'
import { limits } from '../base/limits.ts'
import { boundedReason, errorTypeIn, parseAnswer, type Answer } from './answer.ts'

/** Asks for what is left out otherwise: a reason repeats the whole value that it complains of. */
export const reasonFilterPath = 'errors,items.*.status,items.*.failure_store,items.*.error.type,items.*.error.reason'

/**
 * Reads the answer to a request of one document, with the reason, of which the first characters are enough: what is longer
 * than the bound is not read, and the beginning is made whole.
 */
export async function readReason(stream: Readable): Promise<Answer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > limits.reasonAnswerBytesMax) {
      stream.destroy()
      return salvage(Buffer.concat(chunks).toString('utf8', 0, limits.reasonAnswerBytesMax))
    }
  }
  return parseAnswer(Buffer.concat(chunks).toString('utf8'), 1)
}

/** Elasticsearch writes status, type and reason in this order. Source: `BulkItemResponse.toXContent`. */
function salvage(text: string): Answer {
  const status = /"status":(\d{3})\b/.exec(text)?.[1]
  const errorType = /"type":"([^"\\]{0,200})"/.exec(text)?.[1]
  const reason = /"reason":"((?:[^"\\]|\\u[0-9a-fA-F]{4}|\\["\\/bfnrt]){0,2000})/.exec(text)?.[1]
  if (status === undefined || errorType === undefined || reason === undefined) {
    return { kind: 'malformed', why: 'the answer is far longer than one to this request can be' }
  }
  const item = {
    status: Number(status),
    errorType: errorTypeIn(errorType),
    reason: boundedReason(JSON.parse(`"${reason}"`)),
  }
  return { kind: 'items', items: [item] }
}
