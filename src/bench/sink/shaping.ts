import { randomFrom } from '../../demo/lines.ts'

/** Reads no more than so many bytes a second from all connections together. Pure: times in, waits out. */
export class Bandwidth {
  readonly #bytesPerSecond: number
  #busyUntilMs = 0

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond
  }

  /** @returns until when the connection that these bytes came from is not read, ms from now */
  takeMs(bytes: number, nowMs: number): number {
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs) + (bytes * 1e3) / this.#bytesPerSecond
    return this.#busyUntilMs - nowMs
  }
}

/** Whether a request is refused: a share of them, by chance, the same ones for a seed. */
export function refusing(share: number, seed: number): () => boolean {
  const random = randomFrom(seed)
  return () => share > 0 && random() < share
}
