import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Elasticsearch } from './client.ts'
import { distributionOf } from './distributions.ts'
import type { Installation } from './install.ts'
import { serverIdentity } from './java.ts'

const readyMaxMs = 240_000

export interface Launch {
  readonly installation: Installation
  readonly directory: string
  readonly heap: string
  readonly javaOptions: string
}

/** A launcher and the server that it started, in one process group. */
export interface Launched {
  /** The launcher's process id, which is the group's too. */
  readonly group: number
  /** The server's own process id; known when it is ready. */
  serverPid(): number
  /** Resolves when the launcher has ended, which it does right after the server. */
  readonly ended: Promise<void>
  hasEnded(): boolean
  /** The end of what the server wrote to its console, without the frames of Java's stack traces. */
  output(): string
}

/** Starts the server in the foreground of a process group of its own; returns at once. */
export function launch({ installation, directory, heap, javaOptions }: Launch): Launched {
  // Elasticsearch's own start script splits the options of its launcher at spaces.
  if (/\s/.test(directory)) throw new Error(`a server cannot be started in a directory with a space: ${directory}`)
  const consoleFile = join(directory, 'logs/console.log')
  rmSync(pidFile(directory), { force: true })
  rmSync(consoleFile, { force: true })
  const output = openSync(consoleFile, 'w')
  const options = `-Xms${heap} -Xmx${heap} -XX:-AlwaysPreTouch -XX:-UsePerfData ${javaOptions}`
  const isOpenSearch = distributionOf(installation.version).product === 'opensearch'
  const { command, args, env } = (isOpenSearch ? openSearch : elasticsearch)(installation, directory, options)
  const child = spawn(command, args, {
    cwd: directory,
    detached: true,
    stdio: ['ignore', output, output],
    env: { PATH: process.env['PATH'], ...env },
    ...serverIdentity,
  })
  closeSync(output)
  child.unref()
  return {
    group: child.pid ?? 0,
    serverPid: () => (isOpenSearch ? (child.pid ?? 0) : Number(readFileSync(pidFile(directory), 'utf8'))),
    ended: endOf(child),
    hasEnded: () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null,
    output: () =>
      readFileSync(consoleFile, 'utf8')
        .replaceAll(/^\s+(at|\.\.\.) .*\n/gm, '')
        .slice(-6_000),
  }
}

interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const pidFile = (directory: string) => join(directory, 'pid')

function elasticsearch({ home, javaHome }: Installation, directory: string, options: string): Command {
  return {
    command: join(home, 'bin/elasticsearch'),
    args: ['-p', pidFile(directory)],
    env: {
      ES_JAVA_HOME: javaHome,
      ES_PATH_CONF: join(directory, 'config'),
      ES_TMPDIR: join(directory, 'tmp'),
      ES_JAVA_OPTS: options,
      CLI_JAVA_OPTS: `-XX:-UsePerfData -XX:TieredStopAtLevel=1 -Djava.io.tmpdir=${join(directory, 'tmp')}`,
    },
  }
}

/** Its jars, which have no start script. */
function openSearch({ home, javaHome }: Installation, directory: string, options: string): Command {
  const classPath = `${join(home, 'classes')}:${join(home, 'lib/*')}`
  const flags = [`-Djava.io.tmpdir=${join(directory, 'tmp')}`, '--add-modules=jdk.incubator.vector', '-cp', classPath]
  const main = ['remora.fixture.OpenSearchMain', join(directory, 'config'), home]
  return { command: join(javaHome, 'bin/java'), args: [...options.trim().split(/\s+/), ...flags, ...main], env: {} }
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
}

/** Waits until the server answers and what it kept can be read; throws with its last words when it ends before. */
export async function untilReady(launched: Launched, client: Elasticsearch): Promise<void> {
  const deadlineMs = performance.now() + readyMaxMs
  while (performance.now() < deadlineMs) {
    if (launched.hasEnded()) throw new Error(`the server ended while it started:\n${launched.output()}`)
    const ended = launched.ended.then(() => false)
    // Another program on the port may accept and never answer.
    const patience = delay(10_000, false, { ref: false })
    if (await Promise.race([isReady(launched, client), ended, patience])) return
    await delay(100)
  }
  throw new Error(`the server was not ready after ${readyMaxMs} ms:\n${launched.output()}`)
}

async function isReady(launched: Launched, client: Elasticsearch): Promise<boolean> {
  const health = 'wait_for_status=yellow&timeout=1s'
  const checks: [method: string, path: string, body?: unknown][] = [['GET', `/_cluster/health?${health}`]]
  if (client.user !== undefined) {
    // With security on, the server makes an index of its own right after its start, and answers 503 to whoever asks
    // for privileges until it can search there.
    checks.push(['GET', `/_cluster/health/.security-7?${health}`])
    checks.push(['POST', '/_security/user/_has_privileges', { cluster: ['monitor'] }])
  }
  try {
    for (const [method, path, body] of checks) {
      const answer = await client.request(method, path, body)
      if (answer.status !== 200) return false
    }
    // The server of another run may have been quicker to take the port, and this one be about to end.
    const answer = await client.request('GET', '/_nodes/_local/process?filter_path=nodes.*.process.id')
    const [node] = Object.values<{ process: { id: number } }>(answer.body.nodes)
    return node?.process.id === launched.serverPid()
  } catch {
    return false
  }
}

/** Waits for the end of both processes; after `waitMaxMs` they are killed. */
export async function untilEnded(launched: Launched, waitMaxMs: number): Promise<void> {
  const cancel = new AbortController()
  const late = delay(waitMaxMs, undefined, { signal: cancel.signal }).then(
    () => signalGroup(launched.group, 'SIGKILL'),
    () => undefined,
  )
  await Promise.race([launched.ended, late])
  cancel.abort()
  await launched.ended
  signalGroup(launched.group, 'SIGKILL')
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // The group is gone already.
  }
}
