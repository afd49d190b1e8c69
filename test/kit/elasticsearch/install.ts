import { createHash } from 'node:crypto'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeOf } from '../../../src/base/errors.ts'
import { findJdk, findOnPath, isOpenToOthers, serverIdentity } from './java.ts'
import { withLock } from './lock.ts'
import { isAlive } from './guardian.ts'

/** The servers that the fixture can install, and the least JDK of each. Another version is another row. */
const distributions = {
  '9.5.3': { jdkMajorMin: 21 },
} as const satisfies Record<string, { jdkMajorMin: number }>

export type ElasticsearchVersion = keyof typeof distributions
export const defaultVersion: ElasticsearchVersion = '9.5.3'

export interface Installation {
  /** The server's home: `bin`, `lib`, `config`, `modules`. */
  readonly home: string
  readonly javaHome: string
}

const here = fileURLToPath(new URL('.', import.meta.url))
const repository = fileURLToPath(new URL('../../..', import.meta.url))
const installMaxMs = 10 * 60_000

/** Whether this machine has, or can install, the server; nothing is downloaded or started by asking. */
export function elasticsearchAvailable(
  version: ElasticsearchVersion = defaultVersion,
): { available: true } | { available: false; reason: string } {
  const found = requirementsOf(version)
  return 'reason' in found ? { available: false, reason: found.reason } : { available: true }
}

/**
 * The installed server, downloaded by Maven on the first call. Made in a folder of its own and renamed when whole: a
 * killed installation leaves nothing that looks installed, and of two at once one wins and the other takes its result.
 */
export async function installElasticsearch(version: ElasticsearchVersion = defaultVersion): Promise<Installation> {
  const found = requirementsOf(version)
  if ('reason' in found) throw new Error(`Elasticsearch ${version} cannot run here: ${found.reason}`)
  const { javaHome } = found
  const home = homeOf(version)
  if (!existsSync(home)) {
    await withLock(`${home}.lock`, installMaxMs, async () => {
      if (!existsSync(home)) await install(version, home, javaHome)
    })
  }
  return { home, javaHome }
}

function requirementsOf(version: ElasticsearchVersion): { javaHome: string } | { reason: string } {
  const { jdkMajorMin } = distributions[version]
  const javaHome = findJdk(jdkMajorMin)
  if (javaHome === undefined) {
    return { reason: `no JDK ${jdkMajorMin} or later with javac found: install one or set ES_JAVA_HOME` }
  }
  if (!existsSync(homeOf(version)) && findOnPath('mvn') === undefined) {
    return { reason: 'no mvn on the PATH: install Apache Maven' }
  }
  return { javaHome }
}

async function install(version: ElasticsearchVersion, home: string, javaHome: string): Promise<void> {
  const cache = cacheFolder()
  removeAbandoned(cache)
  const making = join(cache, `making-${version}-${process.pid}-${Date.now()}`)
  mkdirSync(making)
  try {
    await unpack(version, making, javaHome)
    const made = join(making, `elasticsearch-${version}`)
    await addPlugin(version, made, making, javaHome)
    await execute('chmod', ['-R', 'a+rX', made])
    renameSync(made, home)
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

async function unpack(version: ElasticsearchVersion, destination: string, javaHome: string): Promise<void> {
  const properties = [`-Delasticsearch.version=${version}`, `-Ddestination=${destination}`]
  const flags = ['-q', '-B', '-ntp', '-f', join(here, 'pom.xml')]
  await execute('mvn', [...flags, ...properties, 'process-resources'], { JAVA_HOME: javaHome })
}

async function addPlugin(version: ElasticsearchVersion, home: string, making: string, javaHome: string): Promise<void> {
  const classes = join(making, 'classes')
  const module = join(home, 'modules/remora-root')
  const sources = pluginSources().filter((path) => path.endsWith('.java'))
  const library = join(home, 'lib/*')
  await execute(join(javaHome, 'bin/javac'), ['--release', '21', '-nowarn', '-cp', library, '-d', classes, ...sources])
  mkdirSync(module)
  await execute(join(javaHome, 'bin/jar'), ['cf', join(module, 'remora-root.jar'), '-C', classes, '.'])
  const descriptor = {
    description: 'GET / for the slim distribution',
    version,
    name: 'remora-root',
    'java.version': '21',
    'elasticsearch.version': version,
    classname: 'remora.fixture.RootPlugin',
  }
  const lines = Object.entries(descriptor).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(join(module, 'plugin-descriptor.properties'), lines.join(''))
}

function execute(command: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 16 * 1024 * 1024, timeout: installMaxMs }
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve()
      else reject(new Error(`${command} failed:\n${`${stdout}${stderr}`.slice(-4_000)}`, { cause: error }))
    })
  })
}

/** Named after everything that decides its content, so that a changed plugin is a new installation. */
function homeOf(version: ElasticsearchVersion): string {
  const hash = createHash('sha256')
  for (const path of pluginSources()) hash.update(readFileSync(path)).update('\0')
  return join(cacheFolder(), `${version}-${hash.digest('hex').slice(0, 8)}`)
}

function pluginSources(): string[] {
  const names = readdirSync(join(here, 'plugin')).toSorted()
  return [join(here, 'pom.xml'), ...names.map((name) => join(here, 'plugin', name))]
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
