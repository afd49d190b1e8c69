/** What stands at a place where a zstd frame may begin. `none`: no frame; `cut`: the file ends within its header. */
export type FrameHeader =
  | { readonly kind: 'frame'; readonly bytes: number; readonly windowBytes: number; readonly checksum: boolean }
  | { readonly kind: 'skippable'; readonly bytes: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'cut' }

const magic = 0xfd2fb528
const skippableMagic = 0x184d2a50
/** Magic, descriptor, window, dictionary, content size at their longest. */
export const frameHeaderBytesMax = 18

/**
 * What a frame says of itself. Source: RFC 8878, sections 3.1.1.1 and 3.1.2.
 *
 * @param head  what begins there, `frameHeaderBytesMax` or all that the file has
 */
export function frameHeader(head: Buffer): FrameHeader {
  if (head.length === 0) return { kind: 'none' }
  if (head.length < 4) return { kind: couldBegin(head) ? 'cut' : 'none' }
  const found = head.readUInt32LE(0)
  // `& ~15` as a signed number would not compare.
  if (found - (found % 16) === skippableMagic) {
    return head.length < 8 ? { kind: 'cut' } : { kind: 'skippable', bytes: 8 + head.readUInt32LE(4) }
  }
  if (found !== magic) return { kind: 'none' }
  if (head.length < 5) return { kind: 'cut' }
  const descriptor = head[4]!
  const single = (descriptor & 32) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? Number(single) : 1 << sizeFlag
  const bytes = 5 + Number(!single) + dictionaryBytes + sizeBytes
  if (head.length < bytes) return { kind: 'cut' }
  const windowBytes = single ? contentBytes(head, bytes - sizeBytes, sizeBytes) : windowOf(head[5]!)
  return { kind: 'frame', bytes, windowBytes, checksum: (descriptor & 4) !== 0 }
}

function couldBegin(head: Buffer): boolean {
  const known = Buffer.from('28b52ffd', 'hex')
  if (known.subarray(0, head.length).equals(head)) return true
  return (
    head[0]! >> 4 === 5 &&
    Buffer.from('2a4d18', 'hex')
      .subarray(0, head.length - 1)
      .equals(head.subarray(1))
  )
}

function windowOf(byte: number): number {
  const base = 2 ** (10 + (byte >> 3))
  return base + (base / 8) * (byte & 7)
}

function contentBytes(head: Buffer, at: number, bytes: number): number {
  if (bytes === 8) return Number(head.readBigUInt64LE(at))
  return head.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
}

const blockHeaderBytes = 3
const repeatedByte = 1

/** Finds the end of one frame while its bytes go by: blocks say how long they are. Source: RFC 8878, section 3.1.1.2. */
export class FrameEnd {
  /** Bytes to pass before something is to be looked at. */
  #passBytes: number
  readonly #checksumBytes: number
  #header = 0
  #headerBytes = 0
  #last = false
  whole = false

  constructor(headerBytes: number, checksum: boolean) {
    this.#passBytes = headerBytes
    this.#checksumBytes = checksum ? 4 : 0
  }

  /** @returns how many of these bytes, which follow those of the call before, belong to the frame */
  take(bytes: Uint8Array): number {
    let at = 0
    while (at < bytes.length && !this.whole) {
      if (this.#passBytes > 0) {
        const passed = Math.min(this.#passBytes, bytes.length - at)
        this.#passBytes -= passed
        at += passed
      } else {
        this.#header |= bytes[at++]! << (8 * this.#headerBytes++)
        if (this.#headerBytes === blockHeaderBytes) this.#block()
      }
      this.whole = this.#last && this.#passBytes === 0
    }
    return at
  }

  #block(): void {
    const type = (this.#header >> 1) & 3
    this.#last = (this.#header & 1) === 1
    this.#passBytes = type === repeatedByte ? 1 : this.#header >> 3
    // The third type is reserved: the decoder will refuse it, whatever its length says.
    if (this.#last) this.#passBytes += this.#checksumBytes
    this.#header = 0
    this.#headerBytes = 0
  }
}
