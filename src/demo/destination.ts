import { statSync } from 'node:fs'
import { Arrivals } from './arrivals.ts'
import { noPort } from './agent-process.ts'
import { type BulkServerOptions, startBulkServer } from './bulk-server.ts'
import { readDocuments } from './bulk-server-documents.ts'
import { bytesText } from './text.ts'

/** Where the agent ships to, and where the documents are counted afterwards. */
export interface Destination {
  /** For a person. */
  readonly name: string
  /**
   * Reads all documents of this run back.
   *
   * @param expected  how many there should be: a server may need a moment to show them
   * @param signal    aborts the waiting and the reading, which then throws
   * @throws RemoraError when the documents cannot be read
   */
  arrivals(expected: number, signal: AbortSignal): Promise<Arrivals>
  /** Files that stay when the demo is over. */
  readonly files: readonly string[]
  /** What is left there, for a person: lines without the last line break. */
  remains(): string
  /** Commands to try: how to look at a document, then others. */
  readonly next: readonly string[]
  close(): Promise<void>
}

/**
 * The embedded server, which keeps the documents in a file.
 *
 * @param faults  lets a test make things go wrong
 * @throws RemoraError `NO_PORT`
 */
export async function embedded(
  documentsPath: string,
  faults: BulkServerOptions['faults'],
): Promise<Destination & { readonly url: string }> {
  const server = await startBulkServer({ documentsPath, ...(faults !== undefined && { faults }) }).catch(
    (error: unknown) => {
      throw noPort(error)
    },
  )
  return {
    name: `embedded, as strict as Elasticsearch: ${server.url}`,
    url: server.url,
    async arrivals(_expected, signal) {
      const arrivals = new Arrivals()
      for await (const { _id, _source } of readDocuments(documentsPath)) {
        signal.throwIfAborted()
        arrivals.add(_id, pathOf(_source), messageOf(_source))
      }
      return arrivals
    },
    files: [documentsPath],
    remains: () =>
      `The documents are yours to read, keep or delete (${bytesText(statSync(documentsPath).size)}):\n  ${documentsPath}`,
    next: [
      `head -n 1 ${documentsPath} | jq ._source`,
      `REMORA_ELASTICSEARCH_URL=${exampleUrl} npm run demo`,
      checkCommand(exampleUrl),
    ],
    close: () => server.close(),
  }
}

const exampleUrl = 'http://localhost:9200'

export function checkCommand(url: string): string {
  return `REMORA_ELASTICSEARCH_URL=${url} npm run remora -- check`
}

/** `message` of a document, or an empty string. */
export function messageOf(source: Readonly<Record<string, unknown>>): string {
  const { message } = source
  return typeof message === 'string' ? message : ''
}

/** `log.file.path` of a document, or an empty string. */
export function pathOf(source: Readonly<Record<string, unknown>>): string {
  const { log } = source as { log?: { file?: { path?: unknown } } }
  const path = log?.file?.path
  return typeof path === 'string' ? path : ''
}
