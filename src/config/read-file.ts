import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { RemoraError, codeOf } from '../base/errors.ts'
import { quoted } from '../base/units.ts'

/** The most that is read of one file; a bundle of all public certificate authorities has a quarter of it. */
export const fileBytesMax = 2 ** 20

/**
 * Reads a mounted file as UTF-8 text without its byte order mark.
 * @throws Node's system errors, RemoraError `NOT_A_FILE` or `FILE_TOO_LARGE`, or a TypeError when it is not UTF-8
 */
export function readSettingFile(path: string): string {
  // Opening a FIFO would wait for a writer, for ever.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    if (!fstatSync(descriptor).isFile()) throw new RemoraError('NOT_A_FILE', 'not a regular file', 'name a file')
    const content = Buffer.allocUnsafe(fileBytesMax + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < content.length; length += read) {
      read = readSync(descriptor, content, length, content.length - length, null)
    }
    if (length > fileBytesMax) throw new RemoraError('FILE_TOO_LARGE', 'too large', `at most ${fileBytesMax} bytes`)
    return new TextDecoder('utf-8', { fatal: true }).decode(content.subarray(0, length))
  } finally {
    closeSync(descriptor)
  }
}

/** What to tell of a file that could not be read. Nothing of its content is in it. */
export function explainReadError(path: string, error: unknown): { message: string; wayOut: string } {
  const [reason, wayOut] = reasons.get(codeOf(error)) ?? [
    `it cannot be read (${codeOf(error) || 'unknown error'})`,
    'check the path',
  ]
  return { message: `file ${quoted(path, 500)}: ${reason}`, wayOut }
}

const reasons: ReadonlyMap<string, readonly [reason: string, wayOut: string]> = new Map([
  ['ENOENT', ['there is no such file', 'correct the path, or mount the Secret or ConfigMap that holds it']],
  ['ENOTDIR', ['a part of the path is not a directory', 'correct the path']],
  [
    'EACCES',
    ['this process may not read it', 'check defaultMode of the volume against runAsUser and fsGroup of the Pod'],
  ],
  [
    'EPERM',
    ['this process may not read it', 'check defaultMode of the volume against runAsUser and fsGroup of the Pod'],
  ],
  ['EISDIR', ['it is a directory', 'name the file in it, which has the name of the key in the Secret']],
  ['NOT_A_FILE', ['it is not a regular file', 'name the file itself; in a mounted Secret it has the name of the key']],
  ['FILE_TOO_LARGE', [`it is larger than ${fileBytesMax} bytes`, 'check that the path is the intended one']],
  ['ERR_ENCODING_INVALID_ENCODED_DATA', ['it is not UTF-8 text', 'check that the path is the intended one']],
])
