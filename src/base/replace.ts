/** Text, or UTF-8 in pieces: what is large is never one string. */
export type Content = string | readonly Uint8Array[]

/** A file that is being written. */
export interface Draft {
  write(content: Content): Promise<void>
  /** Until the device has it. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** What it takes to put a file in place of another; one step each, so that a test can end the world between any two. */
export interface Replacing {
  /** Makes the file, or empties it. */
  create(path: string): Promise<Draft>
  exists(path: string): boolean
  rename(from: string, to: string): Promise<void>
  /** Until the device has the names of a directory. */
  flushDirectory(path: string): Promise<void>
}

/**
 * Writes and flushes a file, keeps the one before as `previous`, and puts the new one in its place: at every moment one of
 * the two names leads to a whole file, and when it resolves, a power cut does not change that any more.
 */
export async function replaceFile(steps: Replacing, path: string, previous: string, content: Content): Promise<void> {
  const temporary = `${path}.tmp`
  const draft = await steps.create(temporary)
  try {
    await draft.write(content)
    await draft.flush()
  } finally {
    await draft.close()
  }
  if (steps.exists(path)) await steps.rename(path, previous)
  await steps.rename(temporary, path)
  await steps.flushDirectory(path.slice(0, path.lastIndexOf('/')))
}
