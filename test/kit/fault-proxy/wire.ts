import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** The other side is gone, where more was to come or to go. */
export class Gone extends Error {}

/** A finished connection that the other side keeps is dropped after this time. */
const lingerMs = 2_000

/** One end of a connection, read and written in steps: what nobody asks for stays in the kernel's buffers. */
export class Wire {
  readonly #socket: Socket
  /** Read, and given back. */
  #left: Buffer | undefined
  #waiting: (() => void)[] = []
  #ended = false
  /** The other side has said that nothing more comes, or the connection broke. */
  readonly ended: Promise<void>

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('readable', () => {
      // The end shows only to who reads.
      if (socket.readableLength === 0) socket.read()
      this.#wake()
    })
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.#ended = true
        this.#wake()
        resolve()
      }
      socket.once('end', end)
      socket.once('close', end)
    })
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Neither ended by the other side nor closed by this one. */
  get isOpen(): boolean {
    return !this.#ended && this.#socket.writable
  }

  /** The next bytes that came; undefined: no more will come. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const left = this.#left
      this.#left = undefined
      if (left !== undefined) return left
      const bytes = this.#socket.read() as Buffer | null
      if (bytes !== null) return bytes
      if (this.#ended || this.#socket.destroyed) return undefined
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Gives back what was read too far. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#left = this.#left === undefined ? bytes : Buffer.concat([bytes, this.#left])
  }

  /** Waits for bytes. @returns whether there are any; false after `mostMs`, or at the end */
  async comes(mostMs: number): Promise<boolean> {
    const untilMs = performance.now() + mostMs
    while (this.#left === undefined && this.#socket.readableLength === 0) {
      const restMs = untilMs - performance.now()
      if (this.#ended || restMs <= 0) return false
      await Promise.race([new Promise<void>((resolve) => this.#waiting.push(resolve)), delay(restMs)])
    }
    return true
  }

  /** Resolves when there is room for more. @throws Gone */
  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#socket.writable) throw new Gone()
    if (this.#socket.write(bytes)) return
    const gone = new AbortController()
    this.#socket.once('close', () => gone.abort())
    try {
      await once(this.#socket, 'drain', { signal: gone.signal })
    } catch {
      throw new Gone()
    }
  }

  /** Says in order that nothing more comes, and takes what still does come: a close would answer that by a reset. */
  finish(): void {
    if (this.#socket.destroyed) return
    this.#socket.end()
    this.#socket.removeAllListeners('readable')
    this.#socket.resume()
    setTimeout(() => this.#socket.destroy(), lingerMs).unref()
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }

  close(): void {
    this.#socket.destroy()
  }
}
