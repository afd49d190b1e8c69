import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test, type TestContext } from 'vitest'
import { startBulkServer } from '../../src/demo/bulk-server.ts'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { mayMount, mountSmall, remount } from '../kit/mount.ts'

const mib = 2 ** 20
const limitBytes = 16 * mib
const lineBytes = 1_024
/** A file for each second: in the five that a file must be quiet, a third of the limit. */
const linesOfFile = mib / lineBytes
const rotations = Number(process.env['TEST_ROTATIONS'] ?? 30)

interface Ledger {
  readonly readLines: number
  readonly acknowledgedLines: number
  readonly heldLines: number
  readonly lostLines: number
  readonly gaps: number
  readonly droppedFiles: number
  readonly droppedBytes: number
  readonly freedFiles: number
}

/** The real process, a volume of its own that is larger than its limit, and an application that rotates each second. */
class Scene {
  /** The server answers 503. */
  away = false
  written = 0
  /** What the volume has held at most, files that are deleted and still open included. */
  mostBytes = 0
  readonly #directory: string
  readonly #volume: string
  readonly #policy: string
  #url = ''
  #agents: AgentProcess[] = []

  readonly #context: TestContext

  constructor(context: TestContext, policy: string) {
    this.#context = context
    this.#policy = policy
    this.#directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-volume-'))
    this.#volume = path.join(this.#directory, 'logs')
    fs.mkdirSync(this.#volume)
    const unmount = mountSmall(this.#volume, `size=${4 * limitBytes}`)
    context.onTestFinished(async () => {
      for (const agent of this.#agents) await agent.end('SIGKILL')
      unmount()
      fs.rmSync(this.#directory, { recursive: true, force: true })
    })
  }

  async serve(): Promise<void> {
    const documentsPath = path.join(this.#directory, 'documents.ndjson')
    const onBulk = () => (this.away ? { status: 503 } : undefined)
    const server = await startBulkServer({ documentsPath, faults: { onBulk } })
    this.#context.onTestFinished(() => server.close())
    this.#url = server.url
  }

  start(): AgentProcess {
    const agent = startAgent({
      REMORA_PATHS: `${this.#volume}/*.log`,
      REMORA_STATE_DIR: path.join(this.#directory, 'state'),
      REMORA_ELASTICSEARCH_URL: this.#url,
      REMORA_VOLUME_LIMIT: '16Mi',
      REMORA_VOLUME_POLICY: this.#policy,
      REMORA_POD_UID: 'c6b2b1f0-0000-4000-8000-000000000000',
      REMORA_BATCH_BYTES: '1Mi',
      REMORA_CONCURRENCY: '1',
    })
    this.#agents.push(agent)
    return agent
  }

  /** A line for each number, in files of a mebibyte. @param each  after each second */
  async write(files: number, each: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    for (let n = 0; n < files; n++) {
      this.#rotate()
      const lines = Array.from({ length: linesOfFile }, () => `${`${++this.written} `.padEnd(lineBytes - 1, '.')}\n`)
      // In pieces, as an application writes.
      for (let at = 0; at < lines.length; at += linesOfFile / 8) {
        fs.appendFileSync(this.#log, lines.slice(at, at + linesOfFile / 8).join(''))
        await delay(1000 / 8)
        const { blocks, bfree, bsize } = fs.statfsSync(this.#volume)
        this.mostBytes = Math.max(this.mostBytes, (blocks - bfree) * bsize)
      }
      await each()
    }
  }

  get #log(): string {
    return path.join(this.#volume, 'app.log')
  }

  #rotate(): void {
    const names = fs.readdirSync(this.#volume).filter((name) => name.startsWith('app.log'))
    for (const name of names.toSorted((a, b) => number(b) - number(a)))
      fs.renameSync(path.join(this.#volume, name), `${this.#log}.${number(name) + 1}`)
  }

  readOnlyFor(): void {
    remount(this.#volume, 'ro')
  }

  /** How often each line is stored, by its number. */
  async stored(): Promise<Map<number, number>> {
    const counts = new Map<number, number>()
    for await (const { _source } of readDocuments(path.join(this.#directory, 'documents.ndjson'))) {
      const number = Number.parseInt((_source as { message: string }).message, 10)
      counts.set(number, (counts.get(number) ?? 0) + 1)
    }
    return counts
  }

  names(): string[] {
    return fs.readdirSync(this.#volume)
  }
}

const number = (name: string) => Number(name.split('.')[2] ?? 0)

const codesOf = (agent: AgentProcess) => [...agent.output().matchAll(/"event\.code":"(\w+)"/g)].map(([, code]) => code!)

/** The last word of a process. */
function ledgerOf(agent: AgentProcess): Ledger {
  const last = agent.output().trim().split('\n').at(-1)!
  return (JSON.parse(last) as { remora: { ledger: Ledger } }).remora.ledger
}

describe.skipIf(!mayMount)('a volume of 16 MiB, written at 1 MiB/s', () => {
  test.concurrent('keep passes the limit, and says so', { timeout: 120_000 }, async (context) => {
    const scene = new Scene(context, 'keep')
    await scene.serve()
    const agent = scene.start()
    await scene.write(rotations)
    expect(await agent.end('SIGTERM')).toBe(0)
    expect(scene.mostBytes).toBeGreaterThan(limitBytes)
    expect(codesOf(agent).filter((code) => code === 'VOLUME_FULL')).toHaveLength(1)
    expect(scene.names()).toHaveLength(rotations)
    expect(await scene.stored()).toEqual(new Map(Array.from({ length: scene.written }, (_, n) => [n + 1, 1])))
  })

  test.concurrent(
    'delete-shipped stays below it, also killed right after a deletion, and no line is lost',
    { timeout: 120_000 },
    async (context) => {
      const scene = new Scene(context, 'delete-shipped')
      await scene.serve()
      const killed = scene.start()
      let agent = killed
      await scene.write(rotations, async () => {
        if (agent !== killed || !codesOf(killed).includes('VOLUME_FREED')) return
        await killed.end('SIGKILL')
        agent = scene.start()
      })
      expect(agent).not.toBe(killed)
      expect(await agent.end('SIGTERM')).toBe(0)
      expect(scene.mostBytes).toBeLessThanOrEqual(limitBytes)
      expect(scene.mostBytes).toBeGreaterThan(limitBytes / 2)
      expect(scene.names()).toContain('app.log')
      const codes = [...codesOf(killed), ...codesOf(agent)]
      expect(codes.filter((code) => /GAP|DROPPED|FULL|NOT_WRITABLE|BUG/.test(code))).toEqual([])
      expect(ledgerOf(agent)).toMatchObject({ gaps: 0, droppedFiles: 0, lostLines: 0, heldLines: 0 })
      expect(ledgerOf(agent).freedFiles).toBeGreaterThan(0)
      expect(await scene.stored()).toEqual(new Map(Array.from({ length: scene.written }, (_, n) => [n + 1, 1])))
    },
  )

  test.concurrent(
    'drop-oldest stays below it while the server is away, and the ledger has each byte that is missing',
    { timeout: 120_000 },
    async (context) => {
      const scene = new Scene(context, 'drop-oldest')
      await scene.serve()
      const agent = scene.start()
      await scene.write(2)
      scene.away = true
      await scene.write(rotations)
      scene.away = false
      await scene.write(1)
      expect(await agent.end('SIGTERM')).toBe(0)
      expect(scene.mostBytes).toBeLessThanOrEqual(limitBytes)
      const ledger = ledgerOf(agent)
      const stored = await scene.stored()
      expect([...stored.values()].every((count) => count === 1)).toBe(true)
      expect(ledger.droppedFiles).toBeGreaterThan(5)
      expect(codesOf(agent).filter((code) => code === 'VOLUME_DROPPED')).toHaveLength(ledger.droppedFiles)
      expect(ledger).toMatchObject({
        gaps: 0,
        lostLines: 0,
        heldLines: 0,
        readLines: stored.size,
        acknowledgedLines: stored.size,
      })
      expect(ledger.droppedBytes).toBe((scene.written - stored.size) * lineBytes)
    },
  )

  test.concurrent(
    'mounted read-only nothing can be deleted: that is said at the start',
    { timeout: 120_000 },
    async (context) => {
      const scene = new Scene(context, 'delete-shipped')
      await scene.serve()
      await scene.write(2)
      scene.readOnlyFor()
      const agent = scene.start()
      const deadlineMs = performance.now() + 20_000
      while (!codesOf(agent).includes('VOLUME_NOT_WRITABLE') && performance.now() < deadlineMs) await delay(100)
      expect(agent.output()).toContain('Remove readOnly: true from the volumeMount of Remora')
      await agent.end('SIGTERM')
      expect((await scene.stored()).size).toBe(scene.written)
    },
  )
})
