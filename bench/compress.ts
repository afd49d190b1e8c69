/**
 * What request compression costs and saves: `node bench/compress.ts [--url URL --pid PID] [--mb 512]`.
 *
 * Each row is a process of its own that sends the same NDJSON through the agent's own client, to a sink (another process) that
 * counts bytes on the wire, or to a real Elasticsearch whose CPU is read from its pid. `whole`: a gzip of all of the body
 * before it is sent, which is what the streamed one is held against.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { nodeEnvironment, nodeFlags } from '../src/base/runtime.ts'
import { systemClock } from '../src/base/clock.ts'
import { bulkTargetOf } from '../src/ship/bulk-target.ts'
import { Connections } from '../src/ship/connections.ts'
import { makeSend } from '../src/ship/transport.ts'
import { logBlocks } from './log.ts'
import { cpuOf, memoryOf } from '../src/bench/machine/procfs.ts'

const batchBytes = 4 * 1024 * 1024
const variants = ['none', 'stream1', 'stream3', 'stream6', 'whole1'] as const
type Variant = (typeof variants)[number]
const contents = ['log', 'noise'] as const

/** Bodies of the size of a batch; `noise` is base64, the worst that text can be. */
function bodiesOf(content: (typeof contents)[number]): { body: Buffer; documents: number }[] {
  const bodies: { body: Buffer; documents: number }[] = []
  let parts: string[] = []
  let bytes = 0
  let id = 0
  const add = (line: string) => {
    const text = `{"create":{}}\n${JSON.stringify({ '@timestamp': '2026-11-25T22:00:00.000Z', log: { file: { path: '/var/log/app/app.log' }, offset: id++ }, message: line })}\n`
    parts.push(text)
    bytes += Buffer.byteLength(text)
    if (bytes < batchBytes - 20_000) return
    bodies.push({ body: Buffer.from(parts.join('')), documents: parts.length })
    parts = []
    bytes = 0
  }
  if (content === 'noise') while (bodies.length < 4) add(randomBytes(150).toString('base64'))
  else {
    for (const block of logBlocks(1, 24 * 1024 * 1024)) {
      for (const line of block.toString('utf8').split('\n')) if (line !== '') add(line)
    }
  }
  return bodies
}

/** One row: prints a line of JSON. */
async function child(variant: Variant, content: (typeof contents)[number], url: string, megabytes: number) {
  const run = randomBytes(4).toString('hex')
  const bodies = bodiesOf(content)
  const gzipLevel = variant.startsWith('stream') ? Number(variant.slice(-1)) : undefined
  const settings = { urls: [url], requestTimeoutMs: 60_000, connections: 2, gzipLevel }
  const connections = new Connections({ settings, clock: systemClock, random: Math.random })
  const send = makeSend(connections, bulkTargetOf(`bench-${run}`), 60_000)
  const signal = new AbortController().signal
  let peakBytes = 0
  const sampler = setInterval(() => (peakBytes = Math.max(peakBytes, memoryOf(process.pid).anonymousBytes)), 5)
  let sentBytes = 0
  let failed = ''
  const one = async (at: number) => {
    const { body, documents } = bodies[at % bodies.length]!
    // `whole` is measured without its sending: what it adds to that of a tenth of the bytes.
    if (variant === 'whole1') await promisify(gzip)(body, { level: 1 })
    else {
      const sent = await send(body, documents, signal)
      // The sink does not look at what it gets.
      if (sent.kind !== 'answered') failed = JSON.stringify(sent).slice(0, 300)
    }
    sentBytes += body.length
  }
  await one(0)
  global.gc?.()
  const beforeBytes = memoryOf(process.pid).anonymousBytes
  const [cpu, startMs] = [process.cpuUsage(), performance.now()]
  sentBytes = 0
  let next = 0
  const lane = async () => {
    while (next * batchBytes < megabytes * 1e6) await one(next++)
  }
  await Promise.all([lane(), lane()])
  const used = process.cpuUsage(cpu)
  clearInterval(sampler)
  const gigabytes = sentBytes / 1e9
  process.stdout.write(
    `${JSON.stringify({ variant, content, cpuSPerGb: (used.user + used.system) / 1e6 / gigabytes, wallS: (performance.now() - startMs) / 1000, sentBytes, addedBytes: peakBytes - beforeBytes, failed })}\n`,
  )
  await connections.close()
}

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    pid: { type: 'string' },
    mb: { type: 'string', default: '400' },
    child: { type: 'string' },
    content: { type: 'string' },
  },
})

if (values.child !== undefined) {
  await child(values.child as Variant, values.content as 'log', values.url ?? '', Number(values.mb))
} else {
  let wireBytes = 0
  const sink = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => (wireBytes += chunk.length))
    request.on('end', () => {
      response.writeHead(200, { 'x-elastic-product': 'Elasticsearch', 'content-type': 'application/json' })
      response.end('{}')
    })
  })
  await once(sink.listen(0, '127.0.0.1'), 'listening')
  const url = values.url ?? `http://127.0.0.1:${(sink.address() as AddressInfo).port}`
  const pid = Number(values.pid ?? 0)
  for (const content of values.url === undefined ? contents : (['log'] as const)) {
    for (const variant of variants) {
      if (values.url !== undefined && variant === 'whole1') continue
      wireBytes = 0
      const serverCpu = pid === 0 ? undefined : cpuOf(pid)
      const args = ['--expose-gc', ...nodeFlags(64 * 1024 * 1024), fileURLToPath(import.meta.url)]
      const flags = ['--child', variant, '--content', content, '--url', url, '--mb', values.mb]
      const row = spawn(process.execPath, [...args, ...flags], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, ...nodeEnvironment(64 * 1024 * 1024) },
      })
      let text = ''
      row.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
      await once(row, 'close')
      const { cpuSPerGb, wallS, sentBytes, addedBytes, failed } = JSON.parse(text) as Record<string, number>
      const after = pid === 0 ? undefined : cpuOf(pid)
      const serverS =
        serverCpu === undefined || after === undefined
          ? undefined
          : (after.userUs + after.systemUs - serverCpu.userUs - serverCpu.systemUs) / 1e6 / (sentBytes! / 1e9)
      const columns = [
        `${content} ${variant}`.padEnd(16),
        `CPU ${cpuSPerGb!.toFixed(2)} s/GB`,
        `wall ${wallS!.toFixed(1)} s`,
        `wire ${(wireBytes / (sentBytes! + 4e6)).toFixed(3)} of the bytes`,
        `memory +${(addedBytes! / 2 ** 20).toFixed(1)} MiB`,
        ...(serverS === undefined ? [] : [`server ${serverS.toFixed(1)} s/GB`]),
      ]
      process.stdout.write(
        `${columns.join('   ')}${failed === undefined || String(failed) === '' ? '' : `   FAILED ${failed}`}\n`,
      )
    }
  }
  sink.close()
  sink.closeAllConnections()
}
