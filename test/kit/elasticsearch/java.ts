import { spawnSync } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'

/** Elasticsearch refuses to run as root: as root the server gets this user (`nobody`), otherwise the caller's own. */
export const serverIdentity: { uid: number; gid: number } | undefined =
  process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined

/** The first `name` on the PATH that may be executed, symbolic links followed. */
export function findOnPath(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue
    try {
      accessSync(join(folder, name), constants.X_OK)
      return realpathSync(join(folder, name))
    } catch {
      // Not in this one.
    }
  }
  return undefined
}

/** Whether a process with no rights of its own can go into `folder`: every folder on the way must let others through. */
export function isOpenToOthers(folder: string): boolean {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

/** The home of the newest JDK (with `javac`) from `majorMin` to `majorMax` that the server's user can run. */
export function findJdk(majorMin: number, majorMax = Infinity): string | undefined {
  const explicit = process.env['ES_JAVA_HOME']
  const homes = explicit === undefined || explicit === '' ? candidates() : [explicit]
  let best: string | undefined
  let bestMajor = majorMin - 1
  for (const home of homes) {
    const major = majorOf(home)
    if (major <= bestMajor || major > majorMax) continue
    best = home
    bestMajor = major
  }
  return best
}

function candidates(): string[] {
  const homes = [process.env['JAVA_HOME'] ?? '']
  const java = findOnPath('java')
  const parents = ['/usr/lib/jvm', '/Library/Java/JavaVirtualMachines']
  if (java !== undefined) parents.unshift(dirname(dirname(dirname(java))))
  for (const parent of parents) {
    try {
      for (const name of readdirSync(parent)) homes.push(join(parent, name), join(parent, name, 'Contents/Home'))
    } catch {
      // No such folder on this machine.
    }
  }
  return homes.filter((home) => home !== '')
}

/** The major version of the JDK in `home`; 0 when there is none, it has no compiler, or the server cannot reach it. */
function majorOf(home: string): number {
  try {
    accessSync(join(home, 'bin/javac'), constants.X_OK)
    if (serverIdentity !== undefined && !isOpenToOthers(realpathSync(join(home, 'bin')))) return 0
    return Number(/^JAVA_VERSION="(\d+)/m.exec(releaseOf(home))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** A JDK says its version in a file; where a packager left it out, ask it. */
function releaseOf(home: string): string {
  try {
    return readFileSync(join(home, 'release'), 'utf8')
  } catch {
    const answer = spawnSync(join(home, 'bin/java'), ['-version'], { encoding: 'utf8', timeout: 20_000 })
    return (answer.stderr ?? '').replace(/^[^"]*"/, 'JAVA_VERSION="')
  }
}
