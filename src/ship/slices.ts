import { Readable } from 'node:stream'
import { limits } from '../base/limits.ts'
import type { Payload } from './exchange.ts'

/**
 * A view of a slot as a body that is written slice by slice, each when the socket has taken the one before. For a socket
 * that encrypts: Node encrypts all that it is given at once, out of a copy, and both stay beside V8 until the kernel has
 * taken the last byte. Slices are views, too. Figures: ARCHITECTURE.md.
 */
export function inSlices(body: Buffer): Payload {
  const { encryptBytes } = limits
  // One write either way.
  if (body.length <= encryptBytes) return { content: body, release: () => undefined }
  let at = 0
  const stream = new Readable({
    highWaterMark: encryptBytes,
    read() {
      const from = at
      at = Math.min(at + encryptBytes, body.length)
      this.push(from === body.length ? null : body.subarray(from, at))
    },
  })
  // Whoever sends it listens as long as it is sent.
  stream.on('error', () => undefined)
  // Destroyed before its end, it ends the connection: the server never takes a part of the documents for all.
  return { content: stream, contentBytes: body.length, release: () => void stream.destroy() }
}
