import type { Readable } from 'node:stream'

/** An answer as JSON; undefined when it is none. @throws when it is longer than an answer to this question can be */
export async function readJson(stream: Readable, bytesMax: number): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new Error('the answer is longer than one to this question can be')
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}
