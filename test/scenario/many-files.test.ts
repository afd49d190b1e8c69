import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { startBulkServer, type BulkServer } from '../../src/demo/bulk-server.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'

let directory: string
let server: BulkServer
let agent: AgentProcess | undefined

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-many-'))
  server = await startBulkServer({ documentsPath: path.join(directory, 'documents.ndjson') })
})

afterEach(async () => {
  await agent?.end('SIGKILL')
  agent = undefined
  await server.close()
  fs.rmSync(directory, { recursive: true, force: true })
})

function start(through: readonly string[], scan: string): AgentProcess {
  agent = startAgent(
    {
      REMORA_PATHS: path.join(directory, 'logs/**/*.log'),
      REMORA_STATE_DIR: path.join(directory, 'state'),
      REMORA_ELASTICSEARCH_URL: server.url,
      REMORA_POD_UID: 'many-files',
      REMORA_SCAN_INTERVAL: scan,
    },
    undefined,
    through,
  )
  return agent
}

async function arrived(documents: number, mostMs = 40_000): Promise<number> {
  const deadlineMs = performance.now() + mostMs
  while (server.account().documents < documents && performance.now() < deadlineMs) await delay(25)
  return server.account().documents
}

const place = (file: number) => path.join(directory, 'logs', `d${file % 10}`, `service-${file}.log`)
const append = (file: number, text: string) => {
  fs.mkdirSync(path.dirname(place(file)), { recursive: true })
  fs.appendFileSync(place(file), text)
}
async function messages(): Promise<string[]> {
  const all: string[] = []
  for await (const { _source: source } of readDocuments(path.join(directory, 'documents.ndjson')))
    all.push((source as { message: string }).message)
  return all.toSorted()
}

describe('a process that may open 64 files', () => {
  test('ships 300 of them whole, through a rotation of each', async () => {
    const wanted: string[] = []
    const write = (file: number, what: string) => {
      const lines = Array.from({ length: 20 }, (_, n) => `${what} ${n} of file ${file} 12:00:00`)
      wanted.push(...lines)
      append(file, lines.map((line) => `${line}\n`).join(''))
    }
    for (let file = 0; file < 300; file++) write(file, 'first')
    const process = start(['/bin/sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'], '1s')
    expect(await arrived(6_000)).toBe(6_000)
    for (let file = 0; file < 300; file++) {
      write(file, 'before rotation')
      fs.renameSync(place(file), `${place(file)}.1`)
      write(file, 'after rotation')
    }
    expect(await arrived(18_000)).toBe(18_000)
    expect(await process.end('SIGTERM')).toBe(0)
    expect(process.output()).not.toMatch(/EMFILE|no file descriptors/)
    expect(await messages()).toEqual(wanted.toSorted())
  }, 120_000)
})

/** Limits of a user namespace are its own: nobody else's watches fail. Source: namespaces(7), `/proc/sys/user`. */
const inNamespace = (limit: string, value: number) => [
  'unshare',
  '--user',
  '--map-root-user',
  '/bin/sh',
  '-c',
  `echo ${value} >/proc/sys/user/${limit} || exit 125; exec "$@"`,
  'sh',
]

function namespaces(): boolean {
  try {
    const [command, ...args] = inNamespace('max_inotify_instances', 1) as [string, ...string[]]
    execFileSync(command, [...args, '/bin/true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!namespaces())('the kernel gives no watch, for want of', () => {
  test.each([
    ['max_inotify_instances', 0, 'fs.inotify.max_user_instances'],
    ['max_inotify_watches', 3, 'fs.inotify.max_user_watches'],
  ])(
    '%s: it is said once with the way out, and nothing is missed',
    async (limit, value, name) => {
      for (let file = 0; file < 30; file++) append(file, `first of ${file}\n`)
      // No look at everything comes to the rescue.
      const process = start(inNamespace(limit, value), '1h')
      expect(await arrived(30)).toBe(30)
      // Quiet enough to be watched, which fails.
      await delay(4_000)
      for (let file = 0; file < 30; file++) append(file, `second of ${file}\n`)
      append(30, 'a new file\n')
      expect(await arrived(61)).toBe(61)
      expect(await process.end('SIGTERM')).toBe(0)
      const said = process
        .output()
        .split('\n')
        .filter((line) => line.includes('WATCH_'))
      expect(said).toHaveLength(1)
      expect(said[0]).toContain('WATCH_LIMIT')
      expect(said[0]).toContain(name)
      expect(await messages()).toHaveLength(61)
    },
    90_000,
  )
})
