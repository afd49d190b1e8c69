import fs from 'node:fs'
import zlib from 'node:zlib'
import { expect, test } from 'vitest'
import { passTick, temporaryTree } from '../kit/agent-tree.ts'
import { agentOver, linesOf, numbered } from '../follow/kit.ts'

const trace = Array.from({ length: 8 }, () => '   at com.acme.payments.Main.start(Main.java)\n').join('')
const crashLog = (second: number) => `started\n2026-01-01T00:00:0${second} ERROR cannot connect\n${trace}`
const all = (agent: any) => Object.values(agent.stored()).flat().map((d: any) => d.message)
const old = (p: string) => { const t = new Date(Date.now() - 10_000); fs.utimesSync(p, t, t) }

test('1a crash loop, rotated twice while down: the middle one is no copy', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  tree.write('logs/app.log', crashLog(1))
  await agent.start()
  await agent.advance(3_000)
  await agent.stop()
  tree.rename('logs/app.log', 'logs/app.log.2')
  passTick()
  tree.write('logs/app.log.1', crashLog(2))
  passTick()
  tree.write('logs/app.log', crashLog(3))
  await agent.start()
  await agent.advance(60_000)
  const lines = all(agent)
  expect(lines.filter((l: string) => l.includes('ERROR')).sort()).toEqual([1, 2, 3].map((n) => `2026-01-01T00:00:0${n} ERROR cannot connect`))
  expect(agent.agent.ledger.gaps).toBe(0)
})

test('1b two files of two processes, running', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  tree.write('logs/app.log', crashLog(1))
  await agent.start()
  await agent.advance(3_000)
  passTick()
  tree.write('logs/app-1.log', crashLog(2))
  await agent.advance(60_000)
  expect(all(agent).filter((l: string) => l.includes('ERROR')).length).toBe(2)
})

test('4a an archive half made, quiet for 3 s, of a content that is known', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  const text = numbered(1, 40_000, 'line with some text')
  tree.write('logs/app.log', text)
  await agent.start()
  await agent.advance(5_000)
  tree.rename('logs/app.log', 'logs/app.log.1')
  const packed = zlib.gzipSync(text)
  fs.writeFileSync(tree.at('logs/app.log.1.gz'), packed.subarray(0, packed.length >> 1))
  old(tree.at('logs/app.log.1.gz'))
  await agent.advance(15_000)
  fs.writeFileSync(tree.at('logs/app.log.1.gz'), packed)
  tree.remove('logs/app.log.1')
  await agent.advance(60_000)
  console.log('4a stored', agent.server.documents.size, agent.messages.map((m) => m.code))
  expect(agent.server.documents.size).toBe(40_000)
})

test('4b an archive that the application writes, flushed now and then', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree, { paths: [tree.at('logs/*.gz')] })
  const text = numbered(1, 40_000, 'line with some text')
  const packed = zlib.gzipSync(text)
  await fs.promises.mkdir(tree.at('logs'), { recursive: true })
  fs.writeFileSync(tree.at('logs/app.gz'), packed.subarray(0, packed.length >> 1))
  old(tree.at('logs/app.gz'))
  await agent.start()
  await agent.advance(15_000)
  fs.writeFileSync(tree.at('logs/app.gz'), packed)
  old(tree.at('logs/app.gz'))
  await agent.advance(120_000)
  console.log('4b stored', agent.server.documents.size, 'gaps', agent.agent.ledger.gaps, agent.messages.map((m) => m.code))
  expect(agent.server.documents.size).toBe(40_000)
})

const pair = (tree: any) => {
  tree.append('logs/app.log', numbered(101, 60_000, 'a'))
  tree.append('logs/web.log', numbered(101, 60_000, 'b'))
  for (const n of ['app', 'web']) {
    fs.writeFileSync(tree.at(`logs/${n}.log.1.gz`), zlib.gzipSync(fs.readFileSync(tree.at(`logs/${n}.log`))))
    old(tree.at(`logs/${n}.log.1.gz`))
    tree.remove(`logs/${n}.log`)
  }
}

test('2 two archives to finish, Elasticsearch away for half a minute', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  tree.write('logs/app.log', numbered(1, 100, 'a'))
  tree.write('logs/web.log', numbered(1, 100, 'b'))
  await agent.start()
  await agent.advance(3_000)
  await agent.stop()
  pair(tree)
  agent.server.outcome = () => 'failed'
  await agent.start()
  await agent.advance(30_000)
  agent.server.outcome = () => 'ok'
  await agent.advance(120_000)
  console.log('2 stored', agent.server.documents.size, 'gaps', agent.agent.ledger.gaps, agent.messages.filter((m) => m.level !== 'debug').map((m) => m.code + ' ' + m.text))
  expect(agent.agent.ledger.gaps).toBe(0)
  expect(agent.server.documents.size).toBe(120_000)
})

test('3 an archive that waits for its turn is written over in place', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  tree.write('logs/app.log', numbered(1, 100, 'a'))
  tree.write('logs/web.log', numbered(1, 100, 'b'))
  await agent.start()
  await agent.advance(3_000)
  await agent.stop()
  pair(tree)
  agent.server.outcome = () => 'failed'
  await agent.start()
  await agent.advance(4_000)
  fs.writeFileSync(tree.at('logs/web.log.1.gz'), zlib.gzipSync(numbered(1, 60_000, 'c')))
  fs.writeFileSync(tree.at('logs/app.log.1.gz'), zlib.gzipSync(numbered(1, 60_000, 'c')))
  agent.server.outcome = () => 'ok'
  await agent.advance(60_000)
  console.log('3 stored', agent.server.documents.size, 'failure', agent.failure, agent.messages.filter((m) => m.level !== 'debug').map((m) => m.code + ' ' + m.text))
  // a third one, later
  tree.write('logs/xyz.log.1.gz')
  fs.writeFileSync(tree.at('logs/xyz.log.1.gz'), zlib.gzipSync(numbered(1, 1000, 'x')))
  old(tree.at('logs/xyz.log.1.gz'))
  await agent.advance(60_000)
  expect(agent.failure).toBe(undefined)
  expect(all(agent).filter((l: string) => l.startsWith('x ')).length).toBe(1000)
})
