import { execFile, execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { keptDir } from '../src/bench/machine/kept.ts'
import { startElasticsearch, type Elasticsearch } from '../test/kit/elasticsearch.ts'
import { saysTaken, within } from './first-answer.ts'

/**
 * The image, run by podman as a Pod would run it, shipping to a real Elasticsearch: how soon it answers and ships after the
 * start of its container, with half a core; and how late its probes are answered with a tenth of one, under load.
 *
 *   podman build -t remora . && node bench/image.ts --image localhost/remora
 */
const lines = 1_000
const line = `${'2026-11-22 17:30:00,000 INFO  [main] c.e.shop.Main : Started in 1.234 s'.padEnd(199, '.')}\n`
const startMsMax = 60_000
/** Of an answer, characters: the first items are enough. */
const answerCharactersMax = 65_536
const loadBytesPerSecond = 500_000
const loadMs = 60_000
const askEveryMs = 200
const run = promisify(execFile)

const { values } = parseArgs({
  options: { image: { type: 'string', default: 'localhost/remora' }, rounds: { type: 'string', default: '3' } },
})

interface Container {
  readonly port: number
  /** When its first process was made, as `performance.now()`. */
  readonly startMs: number
  readonly askedMs: number
  readonly log: string
  /** SIGTERM. @returns its exit code */
  end(): Promise<number>
  remove(): void
}

interface Way {
  readonly url: string
  /** The first answer to a bulk request passed that says that a document is there. */
  readonly firstMs: Promise<number>
  close(): void
}

/** Between a container and the server, for the moment in which a document is there. */
async function wayTo(port: number): Promise<Way> {
  const first = Promise.withResolvers<number>()
  const server = createServer((client) => {
    const target = connect({ port, host: '127.0.0.1' })
    let isBulk = false
    let answer = ''
    client.on('data', (piece) => {
      isBulk ||= piece.includes('/_bulk')
      // What comes from now on is another answer.
      answer = ''
    })
    target.on('data', (piece) => {
      if (!isBulk || answer.length > answerCharactersMax) return
      answer += piece.toString('latin1')
      if (saysTaken(answer)) first.resolve(performance.now())
    })
    for (const socket of [client, target]) socket.on('error', () => {})
    client.pipe(target).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${own}`, firstMs: first.promise, close: () => void server.close() }
}

async function start(cores: string, url: string, dataset: string): Promise<Container> {
  const directory = mkdtempSync(join(keptDir(), 'image-'))
  chmodSync(directory, 0o755)
  for (const name of ['logs', 'state']) mkdirSync(join(directory, name))
  chmodSync(join(directory, 'state'), 0o777)
  const log = join(directory, 'logs', 'app.log')
  writeFileSync(log, line.repeat(lines))
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const name = `remora-image-${process.pid}-${port}`
  const remove = () => {
    execFileSync('podman', ['rm', '--force', '--ignore', name], { stdio: 'ignore' })
    rmSync(directory, { recursive: true, force: true })
  }
  const settings = { REMORA_ELASTICSEARCH_URL: url, REMORA_DATASET: dataset, REMORA_ADMIN_PORT: String(port) }
  const askedMs = performance.now()
  const hardened = ['--read-only', '--read-only-tmpfs=false', '--cap-drop=ALL', '--user=65532', '--memory=64m']
  const volumes = ['-v', `${directory}/logs:/var/log/app:ro`, '-v', `${directory}/state:/var/lib/remora`]
  const environment = Object.entries(settings).flatMap(([variable, value]) => ['-e', `${variable}=${value}`])
  const ways = [
    'run',
    '--detach',
    `--name=${name}`,
    '--network=host',
    `--cpus=${cores}`,
    ...hardened,
    ...volumes,
    ...environment,
  ]
  const inspected = (what: string) =>
    execFileSync('podman', ['inspect', '--format', what, name], { encoding: 'utf8' }).trim()
  const end = async () => {
    await run('podman', ['stop', '--time=60', name])
    return Number(inspected('{{.State.ExitCode}}'))
  }
  try {
    await run('podman', [...ways, values.image])
    return { port, startMs: startOf(inspected('{{.State.Pid}}')), askedMs, log, end, remove }
  } catch (error) {
    remove()
    throw error
  }
}

/** In hundredths of a second. Source: proc_pid_stat(5), `starttime`; proc_uptime(5). */
function startOf(pid: string): number {
  const [uptime = ''] = readFileSync('/proc/uptime', 'utf8').split(' ')
  const now = performance.now()
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return now - (Number(uptime) * 1_000 - Number(fields[19]) * 10)
}

/** @returns its status; 0: nobody answers */
function ask(port: number, path: string): Promise<number> {
  return new Promise((resolve) => {
    const request = get({ port, path, host: '127.0.0.1', agent: false, timeout: 30_000 }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
    })
    request.on('error', () => resolve(0)).on('timeout', () => request.destroy())
  })
}

/** @returns when it answered with 200 for the first time */
async function untilAnswered(port: number, path: string): Promise<number> {
  const deadlineMs = performance.now() + startMsMax
  while ((await ask(port, path)) !== 200) {
    if (performance.now() > deadlineMs) throw new Error(`no answer from ${path}`)
    await delay(5)
  }
  return performance.now()
}

async function untilCounted(server: Elasticsearch, dataset: string, wanted: number): Promise<void> {
  const deadlineMs = performance.now() + startMsMax
  let count = 0
  while ((count = await server.count(`logs-${dataset}-default`)) !== wanted) {
    if (performance.now() > deadlineMs) throw new Error(`${count} documents instead of ${wanted}`)
    await delay(100)
  }
}

async function startRound(server: Elasticsearch & { readonly port: number }, round: number): Promise<string> {
  const way = await wayTo(server.port)
  const dataset = `start${round}`
  let container: Container | undefined
  try {
    container = await start('0.5', way.url, dataset)
    const { port, startMs, askedMs } = container
    const firstDocuments = within(way.firstMs, startMsMax, 'bulk answer with a document that was taken')
    const [aliveMs, firstMs] = await Promise.all([untilAnswered(port, '/livez'), firstDocuments])
    await untilCounted(server, dataset, lines)
    const since = (ms: number) => `${Math.round(ms - startMs)} ms (${Math.round(ms - askedMs)} since podman run)`
    return `first /livez ${since(aliveMs)}, first documents ${since(firstMs)}, ${lines} there, exit ${await container.end()}`
  } finally {
    container?.remove()
    way.close()
  }
}

async function probeRound(server: Elasticsearch & { readonly port: number }, round: number): Promise<string> {
  const dataset = `probe${round}`
  const container = await start('0.1', `http://127.0.0.1:${server.port}`, dataset)
  try {
    const aliveMs = await untilAnswered(container.port, '/livez')
    const readyMs = await untilAnswered(container.port, '/readyz')
    const endMs = performance.now() + loadMs
    let written = lines
    const slowest: Record<string, number> = {}
    let asked = 0
    const write = async () => {
      const each = Math.round(loadBytesPerSecond / 20 / line.length)
      for (; performance.now() < endMs; written += each) {
        appendFileSync(container.log, line.repeat(each))
        await delay(50)
      }
    }
    const probe = async (path: string) => {
      for (; performance.now() < endMs; asked++) {
        const begin = performance.now()
        if ((await ask(container.port, path)) !== 200) throw new Error(`${path} failed`)
        slowest[path] = Math.max(slowest[path] ?? 0, Math.round(performance.now() - begin))
        await delay(askEveryMs)
      }
    }
    await Promise.all([write(), probe('/livez'), probe('/readyz')])
    await untilCounted(server, dataset, written)
    const since = (ms: number) => Math.round(ms - container.startMs)
    return `first /livez ${since(aliveMs)} ms, /readyz ${since(readyMs)} ms; slowest of ${asked} answers ${JSON.stringify(slowest)} ms; ${written} there, exit ${await container.end()}`
  } finally {
    container.remove()
  }
}

const server = await startElasticsearch()
const load = () =>
  loadavg()
    .map((each) => each.toFixed(1))
    .join(' ')
try {
  console.log(`${values.image}, ${cpus().length} cores (${cpus()[0]?.model}), load ${load()}`)
  console.log(`0.5 CPU, and a server that has never made a data stream: ${await startRound(server, 0)}`)
  for (let round = 1; round <= Number(values.rounds); round++) {
    console.log(`0.5 CPU, round ${round}: ${await startRound(server, round)}; load ${load()}`)
  }
  for (let round = 1; round <= Number(values.rounds); round++) {
    console.log(`0.1 CPU, round ${round}: ${await probeRound(server, round)}; load ${load()}`)
  }
} finally {
  await server.remove()
}
