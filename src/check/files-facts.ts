/** What Remora would find now: with the agent's own eyes, and without a watch. */
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import type { Settings } from '../config/types.ts'
import { Discovery, type Entry, type Obstacle } from '../discover/discovery.ts'
import { Globs } from '../discover/globs.ts'
import type { Watch } from '../discover/watch.ts'
import { keyOf, readFully } from '../follow/identity.ts'
import { openInside } from '../follow/opening.ts'
import type { Content, FilesFacts, MatchedFile } from './files-findings.ts'

const noWatch: Watch = { add() {}, remove() {}, close: () => Promise.resolve() }
/** As many as the agent looks at before it calls a file binary. */
const headBytes = 1024

type Wanted = Pick<Settings, 'paths' | 'exclude' | 'stateDir' | 'scanIntervalMs'>

export function filesFactsOf(settings: Wanted, disk: Disk, clock: Clock): FilesFacts {
  const { entries, obstacles, roots, directories } = look(settings, settings.paths, disk, clock)
  // Two names of one file, hard link or symlink, are shipped once.
  const files = new Map<string, MatchedFile>()
  const siblings: string[] = []
  for (const entry of entries) {
    const key = keyOf(entry.facts)
    const file = entry.matched && !files.has(key) ? fileOf(entry, roots, disk) : undefined
    if (file !== undefined) files.set(key, file)
    if (!entry.matched && entry.before.length > 0) siblings.push(entry.path)
  }
  return {
    roots,
    directories,
    emptyGlobs: settings.paths.filter((glob) => !matchesAny(glob, entries, settings, disk, clock)),
    obstacles,
    files: [...files.values()],
    siblings,
  }
}

interface Look {
  readonly entries: readonly Entry[]
  readonly obstacles: readonly Obstacle[]
  readonly roots: readonly string[]
  readonly directories: number
}

function look(settings: Wanted, paths: readonly string[], disk: Disk, clock: Clock): Look {
  const obstacles: Obstacle[] = []
  const discovery = new Discovery({
    disk,
    clock,
    globs: new Globs(paths, settings.exclude, [settings.stateDir]),
    watch: noWatch,
    scanIntervalMs: settings.scanIntervalMs,
    obstacle: (obstacle) => obstacles.push(obstacle),
  })
  const entries = discovery.look(true).flatMap((listing) => listing.entries)
  return { entries, obstacles, roots: discovery.roots, directories: discovery.directories }
}

/** A file that a symlink leads to has another path than the glob says: then only a look of its own can tell. */
function matchesAny(glob: string, entries: readonly Entry[], settings: Wanted, disk: Disk, clock: Clock): boolean {
  const globs = new Globs([glob], settings.exclude, [settings.stateDir])
  if (entries.some(({ path, matched }) => matched && globs.matches(path))) return true
  return look(settings, [glob], disk, clock).entries.some(({ matched }) => matched)
}

/** Undefined when it was rotated away between look and opening, which is no trouble. */
function fileOf({ path, facts }: Entry, roots: readonly string[], disk: Disk): MatchedFile | undefined {
  const file = { path, sizeBytes: facts.sizeBytes }
  const opened = openInside(disk, path, roots)
  if (!('descriptor' in opened)) return opened.code === 'ENOENT' ? undefined : { ...file, seen: { refusal: opened } }
  try {
    return { ...file, seen: { content: contentOf(readFully(disk, opened.descriptor, headBytes, 0)) } }
  } catch (error) {
    const wayOut = 'It is tried again at each scan.'
    return { ...file, seen: { refusal: { code: codeOf(error), message: messageOf(error), wayOut } } }
  } finally {
    disk.close(opened.descriptor)
  }
}

/** @param head the first bytes of a file, at most 1 KiB */
export function contentOf(head: Buffer): Content {
  const magic = head.subarray(0, 4).toString('hex')
  if (magic.startsWith('1f8b') || magic === '28b52ffd') return 'packed'
  return head.includes(0) ? 'binary' : 'text'
}
