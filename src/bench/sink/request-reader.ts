import type { Socket } from 'node:net'
export interface RequestHead {
  readonly method: string
  /** Path and query as sent. */
  readonly target: string
  readonly contentLength: number
  readonly isCompressed: boolean
  /** The body comes only after a `100 Continue`. */
  readonly isWaiting: boolean
}

/** What a reader tells, in order: one `head`, any number of `body`, one `end`. */
export interface RequestEvents {
  head(head: RequestHead): void
  /** A view of the chunk given to `feed`. */
  body(part: Buffer): void
  end(): void
}

const headBytesMax = 1 << 16
const headEnd = Buffer.from('\r\n\r\n')

/**
 * Reads HTTP/1.1 requests whose length is announced, from chunks cut anywhere.
 *
 *   head ──"\r\n\r\n"──▶ body ──contentLength bytes──▶ head …
 *
 * Only what a bulk client sends is understood: `feed` throws on a chunked body and on an oversized head.
 */
export class RequestReader {
  private readonly events: RequestEvents
  private pendingHead: Buffer | undefined
  private bodyLeft = -1

  constructor(events: RequestEvents) {
    this.events = events
  }

  feed(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.bodyLeft < 0) {
        const after = this.readHead(rest)
        if (after === undefined) return
        rest = after
      } else {
        const part = rest.length > this.bodyLeft ? rest.subarray(0, this.bodyLeft) : rest
        this.bodyLeft -= part.length
        this.events.body(part)
        rest = rest.subarray(part.length)
      }
      if (this.bodyLeft === 0) {
        this.bodyLeft = -1
        this.events.end()
      }
    }
  }

  /** Returns what follows the head, or undefined while it is incomplete. */
  private readHead(bytes: Buffer): Buffer | undefined {
    const held = this.pendingHead === undefined ? bytes : Buffer.concat([this.pendingHead, bytes])
    const end = held.indexOf(headEnd)
    if (end < 0) {
      if (held.length > headBytesMax) throw new Error(`a request head is longer than ${headBytesMax} bytes`)
      this.pendingHead = Buffer.from(held)
      return undefined
    }
    this.pendingHead = undefined
    const head = headFrom(held.toString('latin1', 0, end))
    this.bodyLeft = head.contentLength
    this.events.head(head)
    return held.subarray(end + headEnd.length)
  }
}

function headFrom(text: string): RequestHead {
  const [method = '', target = ''] = text.split(' ', 2)
  if (/\r\ntransfer-encoding:/i.test(text)) throw new Error('a body without an announced length is not understood')
  const isCompressed = /\r\ncontent-encoding:(?! *identity)/i.test(text)
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)
  const isWaiting = /\r\nexpect: *100-continue/i.test(text)
  return { method, target, contentLength: Number(length?.[1] ?? 0), isCompressed, isWaiting }
}

/** Reads requests with their whole bodies from a connection; one that makes no sense closes it. */
export function serveWhole(
  socket: Socket,
  answer: (head: RequestHead, body: Buffer) => void,
  failed: (error: unknown) => void,
): void {
  let head: RequestHead = { method: '', target: '', contentLength: 0, isCompressed: false, isWaiting: false }
  let parts: Buffer[] = []
  const reader = new RequestReader({
    head: (next) => {
      head = next
      parts = []
    },
    body: (part) => parts.push(Buffer.from(part)),
    end: () => answer(head, parts.length === 1 ? parts[0]! : Buffer.concat(parts)),
  })
  socket.on('data', (chunk: Buffer) => {
    try {
      reader.feed(chunk)
    } catch (error) {
      failed(error)
      socket.destroy()
    }
  })
  socket.on('error', () => socket.destroy())
}
