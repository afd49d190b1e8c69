import { FSWatcher } from 'chokidar'

/** Tells that something may have happened in a directory. A hint: it may be lost, doubled, late or wrong. */
export interface Watch {
  /** Throws nothing: what cannot be watched is reported through `failed` and found by looking. */
  add(directory: string): void
  remove(directory: string): void
  close(): Promise<void>
}

/**
 * Tells of a directory without listing it. chokidar would ask each entry for its facts when it begins and at each event: with
 * 10,000 files that costs more than all that Remora does with them, and in a crowd of strangers the memory of a container.
 */
class DirectoryWatcher extends FSWatcher {
  override createScanStream(): undefined {
    return undefined
  }
}

/**
 * One small chokidar a directory, for it must be let go while it is busy without losing the others. Files are left
 * out of the watching: the directory's own event names what changed, and a list of files would cost 2 KiB each.
 */
export function watchDirectories(
  hint: (directory: string, isEvent?: boolean) => void,
  failed: (directory: string, error: unknown) => void,
): Watch {
  const watchers = new Map<string, FSWatcher>()
  const closing = new Set<Promise<void>>()
  return {
    add(directory) {
      if (watchers.has(directory)) return
      const watcher = new DirectoryWatcher({
        ignoreInitial: true,
        depth: 0,
        followSymlinks: false,
        ignored: (path) => path !== directory,
      })
      watcher.add(directory)
      watcher.on('raw', () => hint(directory))
      // What happened before the watch stood shows in the look that this asks for.
      watcher.on('ready', () => hint(directory, false))
      watcher.on('error', (error) => failed(directory, error))
      watchers.set(directory, watcher)
    },
    remove(directory) {
      const watcher = watchers.get(directory)
      if (watcher === undefined) return
      watchers.delete(directory)
      const closed = watcher.close().finally(() => closing.delete(closed))
      closing.add(closed)
    },
    async close() {
      for (const directory of watchers.keys()) this.remove(directory)
      await Promise.all(closing)
    },
  }
}
