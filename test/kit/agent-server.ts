import type { Item } from '../../src/ship/answer.ts'
import type { Asked, Lookup } from '../../src/ship/lookup.ts'
import type { Send, Sent } from '../../src/ship/transport.ts'

export interface Stored {
  readonly id: string
  readonly path: string
  readonly offset: number
  readonly message: string
  readonly truncated: boolean
  /** Of a document that names its index itself. */
  readonly index?: string
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

/**
 * A server in memory: checks each request as Elasticsearch would, keeps documents by `_id`, fails on cue. The target is a
 * data stream: an `_id` is answered 409 by its newest index only.
 */
export class MemoryServer {
  readonly documents = new Map<string, Stored>()
  /** Documents that were refused for good. */
  readonly refused = new Map<string, Stored>()
  /** Of these, the ones whose refusal has reached a process. */
  readonly told = new Set<Stored>()
  /** By backing index, oldest first. */
  readonly indices: { readonly name: string; readonly ids: Set<string> }[] = [{ name: 'index-1', ids: new Set() }]
  /** Plain indices that documents have named, in the order in which they came to be. */
  readonly named = new Map<string, Set<string>>()
  /** Ids in more than one index: a promise is broken, unless nobody may ask what is there. */
  readonly twice = new Set<string>()
  /** What questions for indices and documents are answered. */
  lookup: 'ok' | 'refused' | 'failed' = 'ok'
  lookups = 0
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
    return async (body, count, signal, asking) => {
      // Why one was refused is asked of one that has its verdict, or holds.
      const asksWhy = asking?.reasons === true
      if (!alive()) return new Promise(() => {})
      this.requests++
      const before = Buffer.from(body)
      const documents = this.#parse(body, count)
      this.#checkOrder(documents)
      if (!asksWhy) for (const document of documents) sent.set(document.id, document)
      const answer = await Promise.race([this.#answer(documents, this.outcome(documents)), aborted(signal)])
      if (!alive()) return new Promise(() => {})
      if (!before.equals(body)) this.complaints.push('the body changed while the request was under way')
      for (const id of asksWhy ? [] : settledBy(answer, documents)) {
        sent.delete(id)
        const refused = this.refused.get(id)
        if (refused !== undefined && !this.documents.has(id)) this.told.add(refused)
      }
      return answer
    }
  }

  /** Documents that the present process has sent, and was given no final verdict of. */
  #sent = new Map<string, Stored>()

  unsettled(): Iterable<Stored> {
    return this.#sent.values()
  }

  /** A batch is filled in file order, however many spans and attempts it is made of. */
  #checkOrder(documents: readonly Stored[]): void {
    const reached = new Map<string, Stored>()
    for (const document of documents) {
      const generation = generationOf(document.id)
      const before = reached.get(generation)
      if (before !== undefined && before.offset >= document.offset) {
        this.complaints.push(`out of order in one batch: ${JSON.stringify([before, document]).slice(0, 400)}`)
      }
      reached.set(generation, document)
    }
  }

  /** Requests that are on their way to the server, and rollovers that wait until there are none. */
  #arriving = 0
  #due = 0

  /**
   * From now on documents go to a new index. Not between the leaving and the arriving of a request: one that arrives so late
   * that its sender has asked meanwhile what is there is a risk that remains.
   */
  rollover(): void {
    this.#due++
    this.#rollWhenDue()
  }

  /** What was not rolled over yet is not. */
  dropRollovers(): void {
    this.#due = 0
  }

  #rollWhenDue(): void {
    for (; this.#due > 0 && this.#arriving === 0; this.#due--) {
      this.indices.push({ name: `index-${this.indices.length + 1}`, ids: new Set() })
    }
  }

  async #arrive(): Promise<void> {
    this.#arriving++
    await this.travel()
    this.#arriving--
    this.#rollWhenDue()
  }

  /** What a process may ask. */
  connectLookup(alive: () => boolean): Lookup {
    const ask = async <T>(signal: AbortSignal, answer: () => T): Promise<Asked<T>> => {
      this.lookups++
      const unheard: Asked<T> = { kind: 'failed', state: 'unreachable', message: 'connection reset' }
      const reply = async (): Promise<Asked<T>> => {
        await this.travel()
        if (this.lookup === 'failed') return unheard
        const told: Asked<T> =
          this.lookup === 'refused' ? { kind: 'refused', why: '403' } : { kind: 'answered', value: answer() }
        await this.travel()
        return told
      }
      const asked = await Promise.race([reply(), aborted(signal).then(() => unheard)])
      return alive() ? asked : new Promise(() => {})
    }
    const settled = (ids: readonly string[], asked: Asked<readonly boolean[]>) => {
      if (asked.kind === 'answered') for (const [at, id] of ids.entries()) if (asked.value[at]) this.#sent.delete(id)
    }
    return {
      indices: (signal) => ask(signal, () => this.indices.map(({ name }) => name)),
      present: async (index, ids, signal) => {
        const asked = await ask(signal, () => {
          const found = this.indices.find(({ name }) => name === index)
          return ids.map((id) => found?.ids.has(id) ?? false)
        })
        settled(ids, asked)
        return asked
      },
    }
  }

  async #answer(documents: readonly Stored[], outcome: Outcome): Promise<Sent> {
    await this.#arrive()
    if (outcome === 'hang') await this.patience()
    if (outcome === 'failed' || outcome === 'hang')
      return { kind: 'failed', message: 'connection reset', reached: true, stale: false }
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
    if (outcome === 'lost' || outcome === 'half')
      return { kind: 'failed', message: 'connection reset', reached: true, stale: false }
    const done = items.every(({ status }) => status === 201)
    return { kind: 'answered', answer: done ? { kind: 'done' } : { kind: 'items', items } }
  }

  #keep(document: Stored): Item {
    const ids = this.#idsOf(document.index)
    const known = this.documents.get(document.id)
    if (known !== undefined && (known.offset !== document.offset || known.message !== document.message)) {
      this.complaints.push(`two lines have the id ${document.id}: ${JSON.stringify([known, document])}`)
    }
    if (ids.has(document.id)) {
      this.duplicates++
      return { status: 409, errorType: 'version_conflict_engine_exception' }
    }
    ids.add(document.id)
    if (known === undefined) this.documents.set(document.id, document)
    else {
      this.twice.add(document.id)
      if (this.lookup !== 'refused') this.complaints.push(`stored in two indices: ${JSON.stringify(document)}`)
    }
    return { status: 201, errorType: '' }
  }

  #idsOf(name: string | undefined): Set<string> {
    if (name === undefined) return this.indices.at(-1)!.ids
    const ids = this.named.get(name) ?? new Set()
    this.named.set(name, ids)
    return ids
  }

  #parse(body: Buffer, count: number): Stored[] {
    const lines = body.toString('utf8').split('\n')
    if (lines.pop() !== '' || lines.length !== count * 2) {
      this.complaints.push(`${lines.length} lines and a rest for ${count} documents`)
    }
    const documents: Stored[] = []
    for (let at = 0; at + 1 < lines.length; at += 2) {
      const action = JSON.parse(lines[at]!) as { create?: { _id?: unknown; _index?: string } }
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
      const truncated = flags !== undefined
      const index = action.create?._index
      documents.push({
        id,
        path: file.path,
        offset,
        message: source.message,
        truncated,
        ...(index !== undefined && { index }),
      })
    }
    return documents
  }
}

/** Ids whose document has its final verdict with this answer. */
function settledBy(sent: Sent, documents: readonly Stored[]): string[] {
  const ids = documents.map(({ id }) => id)
  if (sent.kind === 'status') return sent.status === 413 && ids.length === 1 ? ids : []
  if (sent.kind !== 'answered' || sent.answer.kind === 'malformed') return []
  const { answer } = sent
  if (answer.kind === 'done') return ids
  return ids.filter((_id, at) => [200, 201, 400, 409].includes(answer.items[at]!.status))
}

function aborted(signal: AbortSignal): Promise<Sent> {
  return new Promise((resolve) => {
    const failed = () => resolve({ kind: 'failed', message: 'aborted', reached: true, stale: false })
    if (signal.aborted) failed()
    else signal.addEventListener('abort', failed)
  })
}
