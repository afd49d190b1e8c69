import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { distributionOf, type ServerVersion } from './distributions.ts'

export const makeMaxMs = 10 * 60_000

const pom = fileURLToPath(new URL('pom.xml', import.meta.url))
const java = fileURLToPath(new URL('java', import.meta.url))

/** Downloads the server with Maven into an empty folder, and adds what it lacks. @returns the server's home in it */
export async function make(version: ServerVersion, making: string, javaHome: string): Promise<string> {
  const { product, number } = distributionOf(version)
  const home = join(making, product === 'elasticsearch' ? `elasticsearch-${number}` : 'home')
  const destination = product === 'elasticsearch' ? making : home
  const flags = ['-q', '-B', '-ntp', '-f', pom, '-P', product]
  const properties = [`-DserverVersion=${number}`, `-Ddestination=${destination}`]
  await execute('mvn', [...flags, ...properties, 'process-resources'], { JAVA_HOME: javaHome })
  if (product === 'opensearch') await addMain(version, home, javaHome)
  else if (sourcesOf(version).length > 0) await addPlugin(version, home, making, javaHome)
  await execute('chmod', ['-R', 'a+rX', home])
  return home
}

/** Of everything that decides what is made: a changed plugin is a new installation. */
export function hashOf(version: ServerVersion): string {
  const hash = createHash('sha256')
  for (const path of [pom, ...sourcesOf(version)]) hash.update(readFileSync(path)).update('\0')
  return hash.digest('hex').slice(0, 8)
}

function sourcesOf(version: ServerVersion): string[] {
  return distributionOf(version).sources.flatMap((folder) =>
    readdirSync(join(java, folder))
      .toSorted()
      .map((name) => join(java, folder, name)),
  )
}

function compile(version: ServerVersion, home: string, classes: string, javaHome: string): Promise<void> {
  const sources = sourcesOf(version).filter((path) => path.endsWith('.java'))
  const release = String(Math.max(11, distributionOf(version).jdkMajorMin))
  const flags = ['--release', release, '-nowarn', '-cp', join(home, 'lib/*'), '-d', classes]
  return execute(join(javaHome, 'bin/javac'), [...flags, ...sources])
}

async function addPlugin(version: ServerVersion, home: string, making: string, javaHome: string): Promise<void> {
  const { number, jdkMajorMin } = distributionOf(version)
  const classes = join(making, 'classes')
  const module = join(home, 'modules/remora-root')
  await compile(version, home, classes, javaHome)
  mkdirSync(module)
  await execute(join(javaHome, 'bin/jar'), ['cf', join(module, 'remora-root.jar'), '-C', classes, '.'])
  const descriptor = {
    description: 'GET / for the slim distribution',
    version: number,
    name: 'remora-root',
    'java.version': String(jdkMajorMin),
    'elasticsearch.version': number,
    classname: 'remora.fixture.RootPlugin',
  }
  const lines = Object.entries(descriptor).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(join(module, 'plugin-descriptor.properties'), lines.join(''))
}

async function addMain(version: ServerVersion, home: string, javaHome: string): Promise<void> {
  mkdirSync(join(home, 'config'))
  copyFileSync(join(java, 'opensearch/log4j2.properties'), join(home, 'config/log4j2.properties'))
  await compile(version, home, join(home, 'classes'), javaHome)
}

function execute(command: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 16 * 1024 * 1024, timeout: makeMaxMs }
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve()
      else reject(new Error(`${command} failed:\n${`${stdout}${stderr}`.slice(-4_000)}`, { cause: error }))
    })
  })
}
