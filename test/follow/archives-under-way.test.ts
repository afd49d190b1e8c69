import { once } from 'node:events'
import fs from 'node:fs'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { temporaryTree, type Tree } from '../kit/agent-tree.ts'
import type { AgentHarness } from '../kit/agent.ts'
import {
  agentInStep,
  agentOver,
  compress,
  copyTruncate,
  linesOf,
  numbered,
  old,
  pack,
  rotate,
  savedPaths,
  storedLines,
} from './kit.ts'

const names = ['app', 'web'] as const

/** What both hold: 100 lines that were shipped, and more. */
const whole = (name: string) => numbered(1, 60_000, name)

/** Both shipped as far as line 100; while it is down they grow, are rotated, and compressed. */
async function bothCompressed(tree: Tree, agent: AgentHarness): Promise<void> {
  for (const name of names) tree.write(`logs/${name}.log`, numbered(1, 100, name))
  await agent.start()
  await agent.advance(1_000)
  await agent.stop()
  for (const name of names) {
    tree.append(`logs/${name}.log`, numbered(101, 60_000, name))
    old(tree, `logs/${name}.log`)
    rotate(tree, `logs/${name}.log`, 1)
    compress(tree, `logs/${name}.log.1`, 'gz')
  }
}

/** Whether this process has a file open. */
function isOpen(path: string): boolean {
  const descriptors = fs.readdirSync('/proc/self/fd').map((name) => `/proc/self/fd/${name}`)
  // The listing has one of its own, which is closed by now.
  return descriptors.some((at) => fs.existsSync(at) && fs.readlinkSync(at) === path)
}

describe('half an archive', () => {
  const text = numbered(1, 40_000, 'line with some text')
  const packed = pack.gz(text)
  const half = packed.subarray(0, packed.length / 2)

  test('of a content that is known, and its compressor pauses: nothing of it is shipped again', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    tree.write('logs/app.log', text)
    await agent.start()
    await agent.advance(5_000)
    rotate(tree, 'logs/app.log', 1)
    fs.writeFileSync(tree.at('logs/app.log.1.gz'), half)
    old(tree, 'logs/app.log.1.gz')
    await agent.advance(15_000)
    fs.writeFileSync(tree.at('logs/app.log.1.gz'), packed)
    old(tree, 'logs/app.log.1.gz')
    tree.remove('logs/app.log.1')
    await agent.advance(60_000)
    expect(agent.server.documents.size).toBe(40_000)
    expect(agent.agent.ledger.gaps).toBe(0)
  })

  test('that the application itself writes: it is waited for, and shipped whole', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree, { paths: [tree.at('logs/*.gz')] })
    fs.writeFileSync(tree.at('logs/app.gz'), half)
    old(tree, 'logs/app.gz')
    await agent.start()
    await agent.advance(15_000)
    expect(agent.server.documents.size).toBe(0)
    fs.writeFileSync(tree.at('logs/app.gz'), packed)
    old(tree, 'logs/app.gz')
    await agent.advance(60_000)
    expect(agent.server.documents.size).toBe(40_000)
    expect(new Set(storedLines(agent))).toEqual(new Set(linesOf(text)))
    expect(agent.agent.ledger.gaps).toBe(0)
  })

  test('that the application itself writes, quiet for a minute: its lines are shipped once when it goes on', async () => {
    const tree = temporaryTree()
    const { agent, wallMs } = agentInStep(tree, { paths: [tree.at('logs/*.gz')] })
    const lines = linesOf(text)
    const application = zlib.createGzip()
    const flush = promisify((kind: number, done: () => void) => application.flush(kind, done))
    let written = Buffer.alloc(0)
    application.on('data', (bytes: Buffer) => (written = Buffer.concat([written, bytes])))
    const save = () => {
      fs.writeFileSync(tree.at('logs/app.gz'), written)
      const now = new Date(wallMs())
      fs.utimesSync(tree.at('logs/app.gz'), now, now)
    }
    application.write(
      lines
        .slice(0, 10_000)
        .map((line) => `${line}\n`)
        .join(''),
    )
    await flush(zlib.constants.Z_SYNC_FLUSH)
    save()
    await agent.start()
    await agent.advance(75_000)
    expect(agent.server.documents.size).toBe(10_000)
    application.end(
      lines
        .slice(10_000)
        .map((line) => `${line}\n`)
        .join(''),
    )
    await once(application, 'end')
    save()
    await agent.advance(60_000)
    expect(agent.server.documents.size).toBe(40_000)
    expect(new Set(storedLines(agent))).toEqual(new Set(lines))
  })

  test('quiet for a minute: it is shipped, and gone on with when the rest comes', async () => {
    const tree = temporaryTree()
    const { agent, wallMs } = agentInStep(tree)
    fs.writeFileSync(tree.at('logs/app.log.1.gz'), half)
    await agent.start()
    await agent.advance(75_000)
    expect(agent.messages.map(({ code }) => code)).toContain('ARCHIVE_BROKEN')
    fs.writeFileSync(tree.at('logs/app.log.1.gz'), packed)
    const now = new Date(wallMs())
    fs.utimesSync(tree.at('logs/app.log.1.gz'), now, now)
    await agent.advance(60_000)
    // The line that the archive was cut in comes as two.
    expect(agent.server.documents.size).toBe(40_001)
    expect(agent.lines(tree.at('logs/app.log')).join('')).toBe(linesOf(text).join(''))
  })
})

describe('an archive that waits while another one is read, and Elasticsearch is away', () => {
  test.each([
    ['complete when it was found', undefined],
    ['written shortly before', 300],
  ])('%s: it is gone on with', async (_what, ageMs) => {
    const tree = temporaryTree()
    const { agent, wallMs } = agentInStep(tree)
    await bothCompressed(tree, agent)
    if (ageMs !== undefined) {
      const then = new Date(wallMs() - ageMs)
      fs.utimesSync(tree.at('logs/web.log.1.gz'), then, then)
    }
    agent.server.outcome = () => 'failed'
    await agent.start()
    await agent.advance(30_000)
    agent.server.outcome = () => 'ok'
    await agent.advance(120_000)
    expect(agent.agent.ledger.gaps).toBe(0)
    expect(storedLines(agent)).toEqual(linesOf(whole('app') + whole('web')).toSorted())
  })

  test('written over in place: what it held is a gap, what it holds is shipped, and so is the next one', async () => {
    const tree = temporaryTree()
    const agent = agentOver(tree)
    for (const name of names) tree.write(`logs/${name}.log`, numbered(1, 100, name))
    await agent.start()
    await agent.advance(3_000)
    agent.server.outcome = () => 'failed'
    for (const name of names) tree.append(`logs/${name}.log`, numbered(101, 60_000, name))
    await agent.advance(3_000)
    for (const name of names) {
      copyTruncate(tree, `logs/${name}.log`)
      old(tree, `logs/${name}.log.1`)
      compress(tree, `logs/${name}.log.1`, 'gz')
    }
    await agent.advance(15_000)
    const [waits, isRead] = isOpen(tree.at('logs/web.log.1.gz')) ? names : names.toReversed()
    const other = numbered(1, 60_000, 'other')
    fs.writeFileSync(tree.at(`logs/${waits}.log.1.gz`), pack.gz(other))
    old(tree, `logs/${waits}.log.1.gz`)
    agent.server.outcome = () => 'ok'
    await agent.advance(60_000)
    fs.writeFileSync(tree.at('logs/next.log.1.gz'), pack.gz(numbered(1, 1_000, 'next')))
    old(tree, 'logs/next.log.1.gz')
    await agent.advance(60_000)
    expect(agent.failure).toBeUndefined()
    expect(agent.agent.ledger.gaps).toBe(1)
    const before = storedLines(agent).filter((line) => line.startsWith(`${waits} `)).length
    expect(before).toBeLessThan(60_000)
    const expected = numbered(1, before, waits) + other + whole(isRead) + numbered(1, 1_000, 'next')
    expect(storedLines(agent)).toEqual(linesOf(expected).toSorted())
  })
})

test('an archive that is touched for ever keeps nothing in the state that was deleted', async () => {
  const tree = temporaryTree()
  const { agent, wallMs } = agentInStep(tree)
  for (let n = 1; n <= 5; n++) tree.write(`logs/app-${n}x.log`, `line ${n}\n`)
  tree.write('logs/app.log', 'stays\n')
  await agent.start()
  const touch = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      const now = new Date(wallMs())
      fs.writeFileSync(tree.at('logs/app.log.1.gz'), pack.gz(`${second}\n`))
      fs.utimesSync(tree.at('logs/app.log.1.gz'), now, now)
      await agent.advance(1_000)
    }
  }
  await touch(3)
  for (let n = 1; n <= 5; n++) tree.remove(`logs/app-${n}x.log`)
  await touch(90)
  // A checkpoint is written when there is something new.
  tree.append('logs/app.log', 'more\n')
  await touch(3)
  expect(agent.server.documents.size).toBe(7)
  expect(savedPaths(tree)).toEqual([tree.at('logs/app.log')])
})

test('a hundred archives at the first start are read within half a minute', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  for (let n = 101; n <= 200; n++) {
    fs.writeFileSync(tree.at(`logs/app.log.${n}.gz`), pack.gz(`2026-01-01T00:00:00.${n} INFO\n`))
    old(tree, `logs/app.log.${n}.gz`)
  }
  await agent.start()
  await agent.until(() => agent.server.documents.size >= 100, 30_000)
  expect(storedLines(agent)).toEqual(Array.from({ length: 100 }, (_, n) => `2026-01-01T00:00:00.${n + 101} INFO`))
})
