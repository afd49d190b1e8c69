import { Agent, type IncomingHttpHeaders, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface RawRequest {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Sends the body in chunks, without its length. */
  readonly chunked?: boolean
}

export const ndjson = { 'content-type': 'application/x-ndjson' }

/** One request on a connection of its own, nothing added and nothing interpreted. Rejects with the socket's error. */
export function ask(
  url: string,
  { method = 'POST', path, headers = ndjson, body = '', chunked }: RawRequest,
): Promise<Answer> {
  const bytes = Buffer.from(body)
  const length =
    chunked === true || (bytes.length === 0 && method !== 'POST') ? {} : { 'content-length': String(bytes.length) }
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const options = {
      hostname,
      port,
      path,
      method,
      headers: { ...headers, ...length },
      agent: new Agent({ maxSockets: 1 }),
    }
    const sent = request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
    })
    sent.on('error', reject)
    sent.end(bytes)
  })
}

/** The statuses of a bulk answer by position, with the error's type: `201, index 400 illegal_argument_exception`. */
export function summary({ status, text }: Answer): string {
  if (!text.startsWith('{')) return `whole ${status}`
  const answer: BulkAnswer = JSON.parse(text)
  if (answer.items === undefined) {
    const type = typeof answer.error === 'object' ? answer.error.type : undefined
    return ['whole', status, type].filter((part) => part !== undefined).join(' ')
  }
  return answer.items.flatMap((item) => Object.entries(item).map(ofItem)).join(', ')
}

function ofItem([action, { status, error }]: [string, BulkItem]): string {
  return [action === 'create' ? undefined : action, status, error?.type].filter((part) => part !== undefined).join(' ')
}

export interface BulkItem {
  readonly _index: string
  readonly _id: string | null
  readonly status: number
  readonly error?: { readonly type: string; readonly reason: string }
}

export interface BulkAnswer {
  readonly errors?: boolean
  readonly items?: readonly Readonly<Record<string, BulkItem>>[]
  readonly error?: string | { readonly type: string }
}

/** The `filter_path` that a frugal shipper asks for. */
export const filtered = 'filter_path=errors,items.*.status,items.*.error.type'

/** A body that creates a good document for each id. */
export function creates(...ids: string[]): string {
  const one = '{"create":{"_id":"ID"}}\n{"@timestamp":"2026-01-01T00:00:00.000Z","message":"line ID"}\n'
  return ids.map((id) => one.replaceAll('ID', id)).join('')
}

/** Sends a bulk body to a data stream. */
export function bulk({ url }: { readonly url: string }, body: string | Buffer, query = ''): Promise<Answer> {
  return ask(url, { path: `/logs-app-default/_bulk?${query}`, body })
}
