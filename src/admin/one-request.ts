import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** Source: RFC 9112, 2.1. */
const headEnd = Buffer.from('\r\n\r\n')

/**
 * A connection as an HTTP server may see it: up to the end of the first request's head, and not a byte beyond. Whatever else
 * comes stays unread in the kernel. A server that has all of it parses a piece of 64 KiB to its end before anything can
 * stop it, and thousands of requests that come in one piece are megabytes of objects: ten such connections filled the heap.
 */
export class OneRequest extends Duplex {
  readonly #socket: Socket
  /** The last bytes that came, in which the end of the head may have begun. */
  #tail: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    socket.on('data', this.#take)
    socket.on('end', () => this.push(null))
    socket.on('error', () => this.destroy())
    socket.on('close', () => this.destroy())
  }

  readonly #take = (chunk: Buffer): void => {
    const seen = Buffer.concat([this.#tail, chunk])
    const at = seen.indexOf(headEnd)
    if (at === -1) {
      this.#tail = Buffer.from(seen.subarray(-(headEnd.length - 1)))
      this.push(chunk)
      return
    }
    this.#socket.off('data', this.#take).pause()
    this.push(chunk.subarray(0, at + headEnd.length - this.#tail.length))
  }

  /** A head is short, and who sends more than one is not waited for. */
  override _read(): void {}

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done)
  }

  /** What is unread makes it a reset, which is no harm to who reads the answer first. */
  override _final(done: (error?: Error | null) => void): void {
    this.#socket.destroySoon()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}
