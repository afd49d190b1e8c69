import { BodyReader, bodyOf, headOf, statusOf, type Body, type Head } from './framing.ts'
import { Gone, type Wire } from './wire.ts'

/** A message that comes on a wire: its head is known, and none of its bytes has been taken. */
export class Message {
  readonly head: Head
  readonly body: Body
  readonly #from: Wire
  readonly #reader: BodyReader
  /** Bytes of it that were taken. */
  #at = 0

  /** @param method  of the request that it answers; undefined: it is a request */
  constructor(from: Wire, head: Head, method?: string) {
    this.#from = from
    this.head = head
    this.body = bodyOf(head, method)
    this.#reader = new BodyReader(this.body)
  }

  /** Waits for the head; undefined: the other side ended before. */
  static async on(wire: Wire, method?: string): Promise<Message | undefined> {
    let came: Buffer = Buffer.alloc(0)
    for (;;) {
      const more = await wire.next()
      if (more === undefined) return undefined
      came = Buffer.concat([came, more])
      const head = headOf(came)
      if (head === undefined) continue
      wire.unread(came)
      return new Message(wire, head, method)
    }
  }

  /** Of a body whose length is told; of others it is taken for this long. */
  get bodyBytes(): number {
    return typeof this.body === 'number' ? this.body : 1024
  }

  /**
   * Takes it up to a byte.
   *
   * @param take  gets the bytes, in pieces; what it waits for holds the reading
   * @returns     whether all of it was taken
   * @throws      Gone when it broke off
   */
  async take(take: (bytes: Buffer) => Promise<void> | void, upTo = Infinity): Promise<boolean> {
    while (!this.isWhole && this.#at < upTo) {
      const bytes = await this.#from.next()
      if (bytes === undefined) {
        if (this.body === 'close' && this.#at >= this.head.bytes) return true
        throw new Gone()
      }
      const wanted = bytes.subarray(0, Math.min(bytes.length, upTo - this.#at))
      const inHead = Math.min(wanted.length, Math.max(0, this.head.bytes - this.#at))
      const taken = inHead + this.#reader.feed(wanted.subarray(inHead))
      this.#from.unread(bytes.subarray(taken))
      this.#at += taken
      await take(bytes.subarray(0, taken))
    }
    return this.isWhole
  }

  get isWhole(): boolean {
    return this.#at >= this.head.bytes && this.#reader.isWhole
  }
}

/** An answer of which every byte is there. */
export interface WholeAnswer {
  readonly head: Head
  readonly status: number
  /** As it came. */
  readonly bytes: Buffer
  /** Its content, whatever it was framed in. */
  readonly content: Buffer
}

/** Reads the answer to a request, passing over interim ones. @throws Gone */
export async function readAnswer(from: Wire, method: string): Promise<WholeAnswer> {
  for (;;) {
    const message = await Message.on(from, method)
    if (message === undefined) throw new Gone()
    const pieces: Buffer[] = []
    await message.take((bytes) => void pieces.push(bytes))
    const status = statusOf(message.head)
    if (status < 200) continue
    const bytes = Buffer.concat(pieces)
    const content: Buffer[] = []
    new BodyReader(message.body, (data) => content.push(data)).feed(bytes.subarray(message.head.bytes))
    return { head: message.head, status, bytes, content: Buffer.concat(content) }
  }
}

/** A whole answer as bytes. @param lengthBytes  what it says of its length, if that is not the truth */
export function answerBytes(
  status: number,
  content: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
  lengthBytes = content.length,
): Buffer {
  const fields = Object.entries({ ...headers, 'content-length': String(lengthBytes) })
  const head = `HTTP/1.1 ${status} Whatever\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  return Buffer.concat([Buffer.from(head), content])
}
