import { createHash } from 'node:crypto'
import type { Item } from '../../src/ship/answer.ts'
import type { Send, Sent } from '../../src/ship/transport.ts'

export interface Stored {
  readonly id: string
  readonly path: string
  readonly offset: number
  readonly message: string
  readonly truncated: boolean
}

/**
 * What the server does with one request.
 *
 * - `lost`: takes it, and the answer never arrives
 * - `half`: takes the first half of it, and the connection breaks
 * - `hang`: neither takes it nor answers
 */
export type Outcome =
  | 'ok'
  | 'lost'
  | 'half'
  | 'failed'
  | 'hang'
  | { readonly status: number }
  | { readonly item: (document: Stored) => Item | undefined }

export interface ServerOptions {
  /** Before the documents are taken, and between that and the answer; resolves when so much time has passed. */
  readonly travel?: () => Promise<void>
  readonly outcome?: (documents: readonly Stored[]) => Outcome
}

/** First 12 characters of an `_id`: whose line it is. */
export function generationOf(id: string): string {
  return id.slice(0, 12)
}

/** A server in memory: checks each request as Elasticsearch would, keeps documents by `_id`, fails on cue. */
export class MemoryServer {
  readonly documents = new Map<string, Stored>()
  /** Documents that were refused for good. */
  readonly refused = new Map<string, Stored>()
  /** Broken promises that only the server sees. */
  readonly complaints: string[] = []
  /** Documents that were answered with 409. */
  duplicates = 0
  requests = 0
  outcome: (documents: readonly Stored[]) => Outcome
  travel: () => Promise<void>
  /** Until the client gives up. */
  patience: () => Promise<void> = () => new Promise(() => {})

  constructor(options: ServerOptions = {}) {
    this.outcome = options.outcome ?? (() => 'ok')
    this.travel = options.travel ?? (() => Promise.resolve())
  }

  /** A connection of one process; what is under way when that dies is never answered. */
  connect(alive: () => boolean): Send {
    const sent = new Map<string, Stored>()
    this.#sent = sent
    return async (body, count, signal) => {
      this.requests++
      const before = createHash('sha1').update(body).digest('hex')
      const documents = this.#parse(body, count)
      for (const document of documents) sent.set(document.id, document)
      const answer = await Promise.race([this.#answer(documents, this.outcome(documents)), aborted(signal)])
      if (!alive()) return new Promise(() => {})
      if (createHash('sha1').update(body).digest('hex') !== before) {
        this.complaints.push('the body changed while the request was under way')
      }
      return answer
    }
  }

  /** Documents that the present process has sent. */
  #sent = new Map<string, Stored>()

  /** Documents that the present process has sent and that have no final verdict. */
  unsettled(): Stored[] {
    return [...this.#sent.values()].filter(({ id }) => !this.documents.has(id) && !this.refused.has(id))
  }

  async #answer(documents: readonly Stored[], outcome: Outcome): Promise<Sent> {
    await this.travel()
    if (outcome === 'hang') await this.patience()
    if (outcome === 'failed' || outcome === 'hang') return { kind: 'failed', message: 'connection reset' }
    if (outcome === 'half') documents = documents.slice(0, Math.ceil(documents.length / 2))
    if (typeof outcome === 'object' && 'status' in outcome) {
      // One document alone that is too large: it never will be taken.
      if (outcome.status === 413 && documents.length === 1) this.refused.set(documents[0]!.id, documents[0]!)
      return { kind: 'status', status: outcome.status, errorType: '', retryAfterMs: 0 }
    }
    const choose = typeof outcome === 'object' ? outcome.item : () => undefined
    const items = documents.map((document) => choose(document) ?? this.#keep(document))
    for (const [position, { status }] of items.entries()) {
      if (status === 400) this.refused.set(documents[position]!.id, documents[position]!)
    }
    await this.travel()
    if (outcome === 'lost' || outcome === 'half') return { kind: 'failed', message: 'connection reset' }
    const done = items.every(({ status }) => status === 201)
    return { kind: 'answered', answer: done ? { kind: 'done' } : { kind: 'items', items } }
  }

  #keep(document: Stored): Item {
    const known = this.documents.get(document.id)
    if (known === undefined) {
      this.documents.set(document.id, document)
      return { status: 201, errorType: '' }
    }
    this.duplicates++
    if (known.offset !== document.offset || known.message !== document.message) {
      this.complaints.push(`two lines have the id ${document.id}: ${JSON.stringify([known, document])}`)
    }
    return { status: 409, errorType: 'version_conflict_engine_exception' }
  }

  #parse(body: Buffer, count: number): Stored[] {
    const lines = body.toString('utf8').split('\n')
    if (lines.pop() !== '' || lines.length !== count * 2) {
      this.complaints.push(`${lines.length} lines and a rest for ${count} documents`)
    }
    const documents: Stored[] = []
    for (let at = 0; at + 1 < lines.length; at += 2) {
      const action = JSON.parse(lines[at]!) as { create?: { _id?: unknown } }
      const source = JSON.parse(lines[at + 1]!) as {
        '@timestamp': string
        message: string
        log: { file: { path: string }; offset: number; flags?: string[] }
      }
      const id = action.create?._id
      if (typeof id !== 'string' || !/^[\w-]{28}$/.test(id) || typeof source.message !== 'string') {
        this.complaints.push(`not a document: ${lines[at]} ${lines[at + 1]}`)
        continue
      }
      const { file, offset, flags } = source.log
      documents.push({ id, path: file.path, offset, message: source.message, truncated: flags !== undefined })
    }
    return documents
  }
}

function aborted(signal: AbortSignal): Promise<Sent> {
  return new Promise((resolve) => {
    const failed = () => resolve({ kind: 'failed', message: 'aborted' })
    if (signal.aborted) failed()
    else signal.addEventListener('abort', failed)
  })
}
