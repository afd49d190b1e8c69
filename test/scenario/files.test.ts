import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startBulkServer, type BulkServer, type Faults } from '../../src/demo/bulk-server.ts'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { RotatingFile } from '../kit/rotating-file.ts'

let directory: string
let server: BulkServer
let agent: AgentProcess | undefined

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-files-'))
  fs.mkdirSync(path.join(directory, 'logs'))
  server = await serve()
})

afterEach(async () => {
  await agent?.end('SIGKILL')
  agent = undefined
  await server.close()
  fs.rmSync(directory, { recursive: true, force: true })
})

const serve = (faults?: Faults) =>
  startBulkServer({ documentsPath: path.join(directory, 'documents.ndjson'), ...(faults !== undefined && { faults }) })
const at = (name: string) => path.join(directory, 'logs', name)
const numbered = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, n) => `line ${first + n}`)
const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')

function start(podUid = 'files'): AgentProcess {
  agent = startAgent({
    REMORA_PATHS: at('*.log'),
    REMORA_STATE_DIR: path.join(directory, `state-${podUid}`),
    REMORA_ELASTICSEARCH_URL: server.url,
    REMORA_POD_UID: podUid,
    REMORA_SCAN_INTERVAL: '1s',
  })
  return agent
}

async function arrived(documents: number, mostMs = 30_000): Promise<void> {
  const deadlineMs = performance.now() + mostMs
  while (server.account().documents < documents && performance.now() < deadlineMs) await delay(25)
}

/** The messages of each file, sorted. */
async function messages(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for await (const { _source: source } of readDocuments(path.join(directory, 'documents.ndjson'))) {
    const { message, log } = source as { message: string; log: { file: { path: string } } }
    ;(found[path.basename(log.file.path)] ??= []).push(message)
  }
  for (const lines of Object.values(found)) lines.sort()
  return found
}

describe('what a file is', () => {
  test('equal files are two, a hard link is none', async () => {
    const lines = numbered(1, 200)
    for (const name of ['a.log', 'b.log']) fs.writeFileSync(at(name), textOf(lines))
    fs.linkSync(at('b.log'), at('c.log'))
    const running = start()
    await arrived(400)
    expect(await running.end('SIGTERM'), running.output()).toBe(0)
    const found = await messages()
    expect(Object.values(found)).toEqual([lines.toSorted(), lines.toSorted()])
    expect(Object.keys(found)).toContain('a.log')
  })

  test('equal files of two Pods in one index are two', async () => {
    fs.writeFileSync(at('a.log'), textOf(numbered(1, 300)))
    for (const [n, pod] of ['pod-a', 'pod-b'].entries()) {
      const running = start(pod)
      await arrived(300 * (n + 1))
      expect(await running.end('SIGTERM'), running.output()).toBe(0)
    }
    const lines = numbered(1, 300)
    expect((await messages())['a.log']).toEqual([...lines, ...lines].toSorted())
  })

  test('a deleted one is read to its end, also of what is written to it later', async () => {
    await server.close()
    server = await serve({ onBulk: ({ number }) => (number <= 3 ? { status: 503 } : undefined) })
    const lines = numbered(1, 20_000)
    fs.writeFileSync(at('a.log'), textOf(lines.slice(0, 19_000)))
    const running = start()
    // Elasticsearch is known to be away: the file is open, and little of it was taken.
    const deadlineMs = performance.now() + 20_000
    while (server.account().requests === 0 && performance.now() < deadlineMs) await delay(5)
    const writer = fs.openSync(at('a.log'), 'a')
    fs.rmSync(at('a.log'))
    fs.writeSync(writer, textOf(lines.slice(19_000)))
    await arrived(lines.length)
    expect(await running.end('SIGTERM'), running.output()).toBe(0)
    fs.closeSync(writer)
    expect((await messages())['a.log']).toEqual(lines.toSorted())
  })
})

describe('stop and start', () => {
  test('SIGTERM ships what is there, and the next start sends nothing twice', async () => {
    const first = start()
    await delay(300)
    fs.writeFileSync(at('a.log'), textOf(numbered(1, 500)))
    expect(await first.end('SIGTERM'), first.output()).toBe(0)
    expect(first.output()).toContain('everything is shipped')
    expect((await messages())['a.log']).toHaveLength(500)

    fs.appendFileSync(at('a.log'), textOf(numbered(501, 600)))
    fs.renameSync(at('a.log'), at('a.log.1'))
    fs.writeFileSync(at('a.log'), textOf(numbered(601, 650)))
    const second = start()
    await arrived(650)
    expect(await second.end('SIGTERM'), second.output()).toBe(0)
    expect(second.output()).toMatch(/read 150 lines, acknowledged 150 \(0 were there already\)/)
    expect((await messages())['a.log']).toEqual(numbered(1, 650).toSorted())
  })

  test('SIGKILL again and again under rotation: each line is there once', { timeout: 60_000 }, async () => {
    const log = new RotatingFile(at('a.log'), 100)
    const lines: string[] = []
    let running = start()
    let kills = 0
    for (let round = 0; round < 120; round++) {
      const more = numbered(lines.length + 1, lines.length + 100)
      lines.push(...more)
      log.append(textOf(more))
      if (round % 5 === 4) log.rotate()
      if (round % 30 === 29) {
        await running.end('SIGKILL')
        kills++
        running = start()
      }
      await delay(25)
    }
    log.close()
    await arrived(lines.length)
    expect(await running.end('SIGTERM'), running.output()).toBe(0)
    expect(kills).toBe(4)
    expect((await messages())['a.log']).toEqual(lines.toSorted())
  })

  test(
    'SIGKILL under copytruncate: each line is there once but those that the rotator destroyed',
    { timeout: 60_000 },
    async () => {
      const lines: string[] = []
      const destroyed = new Set<string>()
      let running = start()
      for (let round = 0; round < 100; round++) {
        const more = numbered(lines.length + 1, lines.length + 100)
        lines.push(...more)
        fs.appendFileSync(at('a.log'), textOf(more))
        if (round % 10 === 9) {
          for (let n = 29; n >= 1; n--)
            if (fs.existsSync(at(`a.log.${n}`))) fs.renameSync(at(`a.log.${n}`), at(`a.log.${n + 1}`))
          fs.copyFileSync(at('a.log'), at('a.log.1'))
          const between = `line ${lines.length + 1}`
          lines.push(between)
          destroyed.add(between)
          fs.appendFileSync(at('a.log'), `${between}\n`)
          fs.truncateSync(at('a.log'), 0)
        }
        if (round % 25 === 24) {
          await running.end('SIGKILL')
          running = start()
        }
        await delay(25)
      }
      await arrived(lines.length - destroyed.size)
      await delay(1_500)
      expect(await running.end('SIGTERM'), running.output()).toBe(0)
      const found = (await messages())['a.log'] ?? []
      expect(found.filter((line) => !destroyed.has(line))).toEqual(
        lines.filter((line) => !destroyed.has(line)).toSorted(),
      )
      expect(new Set(found).size).toBe(found.length)
    },
  )
})
