import type { Registry } from '../follow/registry.ts'
import type { Ledger } from '../settle/ledger.ts'

/** What has not been shipped of one file, under the name by which it was first found. */
export interface LeftOfFile {
  readonly path: string
  readonly unreadBytes: number
  readonly heldLines: number
}

export interface Left {
  readonly unreadBytes: number
  readonly heldLines: number
  /** Those with most unread bytes first. */
  readonly files: readonly LeftOfFile[]
}

/** Bytes that exist and were not read, by file: of those that could not be opened what the checkpoint knows. */
export function unreadByPath(registry: Registry): Map<string, number> {
  const unread = new Map<string, number>()
  const add = (path: string, bytes: number) => void (bytes > 0 && unread.set(path, (unread.get(path) ?? 0) + bytes))
  for (const { path, finished, unreadBytes } of registry.generations) if (!finished) add(path, unreadBytes)
  for (const { path, finished, sizeBytes, offset } of registry.waiting) if (!finished) add(path, sizeBytes - offset)
  for (const { path, bytes } of registry.unopened) add(path, bytes)
  return unread
}

/** For how long something readable of a file has not been read, at the most; files that are wholly read are not in it. */
export function lagByPath(registry: Registry, monotonicMs: number): Map<string, number> {
  const lag = new Map<string, number>()
  for (const { path, unsearched, caughtUpAtMs } of registry.generations)
    if (unsearched) lag.set(path, Math.max(lag.get(path) ?? 0, (monotonicMs - caughtUpAtMs) / 1000))
  return lag
}

/** What is left, file by file. Lines of files without an account of their own stand under `others`. */
export function leftOf(registry: Registry, ledger: Ledger, others = 'further files'): Left {
  const unread = unreadByPath(registry)
  const held = new Map<string, number>()
  for (const [path, { heldLines }] of ledger.files) if (heldLines > 0) held.set(path, heldLines)
  if (ledger.others.heldLines > 0) held.set(others, ledger.others.heldLines)
  const paths = new Set([...unread.keys(), ...held.keys()])
  const files = [...paths].map((path) => ({
    path,
    unreadBytes: unread.get(path) ?? 0,
    heldLines: held.get(path) ?? 0,
  }))
  files.sort((a, b) => b.unreadBytes - a.unreadBytes || b.heldLines - a.heldLines)
  const unreadBytes = [...unread.values()].reduce((sum, bytes) => sum + bytes, 0)
  return { unreadBytes, heldLines: ledger.heldLines, files }
}
