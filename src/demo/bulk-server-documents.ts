import { type FileHandle, open } from 'node:fs/promises'
import { createReadStream } from 'node:fs'
import { codeOf } from '../base/errors.ts'
import type { JsonObject } from './bulk-server-json.ts'

/** One line of a documents file. */
export interface StoredDocument {
  readonly _index: string
  readonly _id: string
  readonly _source: JsonObject
}

const newline = 0x0a
const carriageReturn = 0x0d

/**
 * The documents of a file, in the order in which they were accepted; none when there is no such file. A cut last line
 * is left out. Do not read such a file with `node:readline`: it also splits at U+2028, which JSON allows in a string.
 */
export async function* readDocuments(path: string): AsyncGenerator<StoredDocument, void, undefined> {
  try {
    for await (const line of linesOf(path)) {
      const document: StoredDocument = JSON.parse(line.toString('utf8'))
      yield document
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** One line for a documents file. `source` is valid JSON in one line. */
export function documentLine(index: string, id: string, source: Buffer): Buffer {
  const head = Buffer.from(`{"_index":${JSON.stringify(index)},"_id":${JSON.stringify(id)},"_source":`)
  const line = Buffer.concat([head, source, Buffer.from('}\n')])
  // Outside strings a carriage return is white space, inside it cannot stand; to many readers it would end the line.
  for (let at = line.indexOf(carriageReturn); at >= 0; at = line.indexOf(carriageReturn, at)) line[at] = 0x20
  return line
}

/** What is asked of an open file; a test may pass one that fails. */
export type AppendHandle = Pick<FileHandle, 'appendFile' | 'truncate' | 'close'>

/** The file that accepted documents are appended to. Only one call at a time. */
export class DocumentsFile {
  readonly #handle: AppendHandle
  #bytes: number

  /** @param bytes what is in the file and stays */
  constructor(handle: AppendHandle, bytes: number) {
    this.#handle = handle
    this.#bytes = bytes
  }

  /** Opens or creates the file and cuts off an unfinished last line, which no answer has acknowledged. */
  static async open(path: string): Promise<DocumentsFile> {
    const handle = await open(path, 'a')
    let bytes = 0
    for await (const line of linesOf(path)) bytes += line.length + 1
    await handle.truncate(bytes)
    return new DocumentsFile(handle, bytes)
  }

  /** All of `bytes` or, when that fails, nothing: what was written before the error is cut off again. */
  async append(bytes: Buffer): Promise<void> {
    try {
      await this.#handle.appendFile(bytes)
      this.#bytes += bytes.length
    } catch (error) {
      await this.#handle.truncate(this.#bytes)
      throw error
    }
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** Lines without their newline; what follows the last newline is left out. */
async function* linesOf(path: string): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer[] = []
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let at = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, at)) {
      yield Buffer.concat([...rest, chunk.subarray(at, end)])
      rest = []
      at = end + 1
    }
    rest.push(chunk.subarray(at))
  }
}
