import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeOf } from '../../../src/base/errors.ts'
import { defaultVersion, jdkFor, type ServerVersion } from './distributions.ts'
import { isAlive } from './guardian.ts'
import { findOnPath, isOpenToOthers, serverIdentity } from './java.ts'
import { withLock } from './lock.ts'
import { hashOf, make, makeMaxMs } from './making.ts'

export interface Installation {
  readonly version: ServerVersion
  /** The server's home: `lib` and `config`; of Elasticsearch also `bin` and `modules`. */
  readonly home: string
  readonly javaHome: string
}

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** `jdk`: none that the server runs on, which no installation of ours can mend. */
interface Missing {
  readonly what: 'jdk' | 'mvn'
  readonly reason: string
}

/** What keeps the server from running here; undefined: nothing. Nothing is downloaded or started by asking. */
export function missingFor(version: ServerVersion): Missing | undefined {
  const found = requirementsOf(version)
  return 'reason' in found ? found : undefined
}

/** Whether this machine has, or can install, the server. */
export function elasticsearchAvailable(
  version: ServerVersion = defaultVersion,
): { available: true } | { available: false; reason: string } {
  const missing = missingFor(version)
  return missing === undefined ? { available: true } : { available: false, reason: missing.reason }
}

/**
 * The installed server, downloaded by Maven on the first call. Made in a folder of its own and renamed when whole: a
 * killed installation leaves nothing that looks installed, and of two at once one wins and the other takes its result.
 */
export async function installElasticsearch(version: ServerVersion = defaultVersion): Promise<Installation> {
  const found = requirementsOf(version)
  if ('reason' in found) throw new Error(`the server ${version} cannot run here: ${found.reason}`)
  const { javaHome } = found
  const home = homeOf(version)
  if (!existsSync(home)) {
    await withLock(`${home}.lock`, makeMaxMs, async () => {
      if (!existsSync(home)) await install(version, home, javaHome)
    })
  }
  return { version, home, javaHome }
}

function requirementsOf(version: ServerVersion): { javaHome: string } | Missing {
  const found = jdkFor(version)
  if ('reason' in found) return { what: 'jdk', reason: found.reason }
  if (!existsSync(homeOf(version)) && findOnPath('mvn') === undefined) {
    return { what: 'mvn', reason: 'no mvn on the PATH: install Apache Maven' }
  }
  return found
}

async function install(version: ServerVersion, home: string, javaHome: string): Promise<void> {
  const cache = cacheFolder()
  removeAbandoned(cache)
  const making = join(cache, `making-${version}-${process.pid}-${Date.now()}`)
  mkdirSync(making)
  try {
    renameSync(await make(version, making, javaHome), home)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) throw error
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
}

/** What killed installations left. Maven may have outlived one of them and still be writing there: then the next time. */
function removeAbandoned(cache: string): void {
  for (const name of readdirSync(cache)) {
    const maker = /^making-.*-(\d+)-\d+$/.exec(name)?.[1]
    if (maker === undefined || isAlive(Number(maker))) continue
    try {
      rmSync(join(cache, name), { recursive: true, force: true, maxRetries: 3 })
    } catch {
      // The next installation tries again.
    }
  }
}

function homeOf(version: ServerVersion): string {
  return join(cacheFolder(), `${version}-${hashOf(version)}`)
}

/** Kept between runs; a system folder when the server's user could not reach the repository (root's own home). */
function cacheFolder(): string {
  const chosen = process.env['REMORA_TEST_CACHE']
  let folder = join(repository, '.cache/elasticsearch')
  if (chosen !== undefined && chosen !== '') folder = chosen
  else if (serverIdentity !== undefined && !isOpenToOthers(repository)) folder = '/var/cache/remora-test'
  mkdirSync(folder, { recursive: true })
  return folder
}
