/** Where in the life of a connection something goes wrong. */
export type Phase =
  | 'connect'
  | 'request head'
  | 'request body'
  /** The server has it and has answered; nobody was told. */
  | 'request complete'
  | 'answer head'
  /** The head is out, and not a byte of the body. */
  | 'answer begun'
  | 'answer body'
  /** All is well; the connection is kept for the next request, and nothing comes for a while. */
  | 'idle'
  /** The first byte of a further request comes on a kept connection. */
  | 'reused'

/** What goes wrong. */
export type Fault =
  /** Nothing moves for a time, and then goes on. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** What is left of the message comes in so many small pieces. */
  | { readonly kind: 'drip'; readonly pieces: number }
  /** An end in order (FIN), or by a reset (RST); or nothing ever again, with the connection open. */
  | {
      readonly kind: 'close' | 'reset' | 'stall'
      /** In the middle of the request: the rest of the body stays unread for so long before. */
      readonly unreadMs?: number
    }
  /** Nobody listens for a time, and what stood is reset. */
  | { readonly kind: 'refuse'; readonly ms: number }
  /** Answers by itself. With `passedOn` the server gets the request all the same, and its answer is thrown away. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly content?: Buffer
      readonly headers?: Readonly<Record<string, string>>
      readonly passedOn: boolean
      /** For an answer in the middle of the request: the rest of the body stays unread for so long; then it is read. */
      readonly unreadMs?: number
    }
  /** Says a content-length that is so much off; a body that is too short is followed by what `after` says. */
  | { readonly kind: 'length'; readonly by: number; readonly after: 'close' | 'stall' | 'keep' }
  /** The server gets the request twice; the client gets the first answer or the second. */
  | { readonly kind: 'duplicate'; readonly answer: 'first' | 'second' }
  /** Answers with as many items more or fewer than were asked for, as the answer to another request would have. */
  | { readonly kind: 'other answer'; readonly items: number }
  /** An answer to nothing that was asked. */
  | { readonly kind: 'stray' }

export interface Strike {
  readonly fault: Fault
  readonly phase: Phase
  /** How many requests it hits; for `connect` connections, for `refuse` outages. */
  readonly times: number
  /** Lets so many of them pass before. */
  readonly after?: number
  /** Which requests: `_bulk`, or all others. */
  readonly of?: Passing['kind']
  /** Where in its phase, from 0 to 1; `any`: each hit at another place, from the first byte to the last. */
  readonly at?: number | 'any'
}

/** A request that passes. */
export interface Passing {
  readonly kind: 'bulk' | 'question'
  readonly method: string
  readonly path: string
  /** Its connection had served another one before. */
  readonly reused: boolean
  readonly atMs: number
  /** What hit it. */
  strike: Strike | undefined
  /** The server's answer, whatever the client was told. */
  status: number | undefined
  content: Buffer | undefined
  /** The bytes of its body that arrived, when they are kept. */
  readonly body: Buffer[]
}

interface Armed {
  readonly strike: Strike
  passed: number
  hits: number
}

/** Strikes in their order, each until it has hit as often as it should. */
export class Plan {
  #armed: Armed[] = []

  set(strikes: readonly Strike[]): void {
    this.#armed = strikes.map((strike) => ({ strike, passed: 0, hits: 0 }))
  }

  /** How often each strike has hit. */
  get hits(): number[] {
    return this.#armed.map(({ hits }) => hits)
  }

  /** Each has hit as often as it should. */
  get isOver(): boolean {
    return this.#armed.every(({ strike, hits }) => hits >= strike.times)
  }

  /**
   * The strike that hits now, which counts as a hit.
   *
   * @param fits     whether it is for this moment
   * @returns        with the place in its phase
   */
  pick(fits: (strike: Strike) => boolean): { readonly strike: Strike; readonly at: number } | undefined {
    for (const armed of this.#armed) {
      const { strike } = armed
      if (armed.hits >= strike.times || !fits(strike)) continue
      if (armed.passed++ < (strike.after ?? 0)) continue
      const { at = 0.5, times } = strike
      const place = at === 'any' ? armed.hits / Math.max(1, times - 1) : at
      armed.hits++
      return { strike, at: place }
    }
    return undefined
  }
}
