import type { Readable } from 'node:stream'

/** All of an answer; undefined when it is longer than it may be: what is behind the bound is not read. */
export async function collect(stream: Readable, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Undefined when it is no JSON. */
export function parseJson(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'))
  } catch {
    return undefined
  }
}

/** An answer as JSON; undefined when it is none. @throws when it is longer than an answer to this question can be */
export async function readJson(stream: Readable, bytesMax: number): Promise<unknown> {
  const text = await collect(stream, bytesMax)
  if (text === undefined) throw new Error('the answer is longer than one to this question can be')
  return parseJson(text)
}
