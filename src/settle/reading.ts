import type { Disk } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { isInstance } from './state-shape.ts'
import { deserialize, FutureState, type Read } from './state-text.ts'

/** What is at one path of the state directory; reading changes nothing there. */
export type Found<T> =
  | { readonly kind: 'none' }
  | { readonly kind: 'readable'; readonly value: T }
  | { readonly kind: 'unreadable'; readonly why: string; readonly future: boolean }

/** What is kept apart from the checkpoint, so that one that is lost does not take it along. */
export interface Installation {
  readonly instance: string
  /** Wall clock of the first start, epoch milliseconds; undefined: it does not say. */
  readonly sinceMs: number | undefined
}

export const checkpointPath = (directory: string) => `${directory}/checkpoint.json`
export const previousPath = (directory: string) => `${directory}/checkpoint.previous.json`
export const instancePath = (directory: string) => `${directory}/instance`

export function findState(disk: Disk, path: string): Found<Read> {
  return find(disk, path, limits.stateBytesMax, deserialize)
}

export function findInstallation(disk: Disk, directory: string): Found<Installation> {
  return find(disk, instancePath(directory), instanceBytesMax, installationIn)
}

function find<T>(disk: Disk, path: string, bytesMax: number, parse: (text: string) => T): Found<T> {
  try {
    return { kind: 'readable', value: parse(disk.readText(path, bytesMax)) }
  } catch (error) {
    const code = codeOf(error)
    // ENOTDIR: the directory is a file. That is said when it cannot be made.
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'none' }
    const why = code === 'ELOOP' ? 'it is a symlink' : messageOf(error)
    return { kind: 'unreadable', why, future: error instanceof FutureState }
  }
}

const instanceBytesMax = 1024

/** Two lines of plain text: the id, `since` and the time of the first start. */
export function installationText({ instance, sinceMs }: Installation): string {
  return sinceMs === undefined ? `${instance}\n` : `${instance}\nsince ${new Date(sinceMs).toISOString()}\n`
}

/** @throws Error that says what is wrong. One that an operator has written by hand needs no second line. */
export function installationIn(text: string): Installation {
  const [instance = '', second = ''] = text.split('\n').map((line) => line.trim())
  if (!isInstance(instance)) throw new Error('its first line is not an instance id')
  const sinceMs = /^since \d{4}-/.test(second) ? Date.parse(second.slice(6)) : NaN
  return { instance, sinceMs: sinceMs >= 0 ? sinceMs : undefined }
}
