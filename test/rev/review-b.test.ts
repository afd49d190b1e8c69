import fs from 'node:fs'
import zlib from 'node:zlib'
import { expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { passTick, temporaryTree } from '../kit/agent-tree.ts'
import { agentOver, linesOf, numbered } from '../follow/kit.ts'

const all = (agent: any) => Object.values(agent.stored()).flat().map((d: any) => d.message)
const old = (p: string) => { const t = new Date(Date.now() - 10_000); fs.utimesSync(p, t, t) }
const timed = (tree: any) => {
  const clock = new VirtualClock(), base = Date.now() - clock.nowMs
  const wallMs = () => base + clock.nowMs
  return Object.assign(agentOver(tree, {}, systemDisk, { clock, wallMs }), { wall: wallMs })
}
const pair = (tree: any) => {
  tree.append('logs/app.log', numbered(101, 60_000, 'a'))
  tree.append('logs/web.log', numbered(101, 60_000, 'b'))
  for (const n of ['app', 'web']) {
    fs.writeFileSync(tree.at(`logs/${n}.log.1.gz`), zlib.gzipSync(fs.readFileSync(tree.at(`logs/${n}.log`))))
    tree.remove(`logs/${n}.log`)
  }
  old(tree.at(`logs/app.log.1.gz`))
}
async function begun(tree: any) {
  const agent = timed(tree)
  tree.write('logs/app.log', numbered(1, 100, 'a'))
  tree.write('logs/web.log', numbered(1, 100, 'b'))
  await agent.start()
  await agent.advance(1_000)
  await agent.stop()
  pair(tree)
  // younger than two seconds when Remora looks
  const t = new Date((agent as any).wall() - 300); fs.utimesSync(tree.at('logs/web.log.1.gz'), t, t)
  agent.server.outcome = () => 'failed'
  await agent.start()
  return agent
}

test('2 a fresh archive waits for another that is read, Elasticsearch away for half a minute', async () => {
  const tree = temporaryTree()
  const agent = await begun(tree)
  await agent.advance(30_000)
  console.log(agent.messages.filter((m) => m.code === 'GAP').map((m) => m.text))
  agent.server.outcome = () => 'ok'
  await agent.advance(120_000)
  console.log('2 stored', agent.server.documents.size, 'gaps', agent.agent.ledger.gaps, agent.messages.filter((m) => m.level !== 'debug').map((m) => m.code + ' ' + m.text))
  expect(agent.agent.ledger.gaps).toBe(0)
  expect(agent.server.documents.size).toBe(120_000)
})


test('3 an archive that waits for its turn is written over in place', async () => {
  const tree = temporaryTree()
  const agent = timed(tree)
  for (const n of ['app', 'web']) tree.write(`logs/${n}.log`, numbered(1, 100, n))
  await agent.start()
  await agent.advance(3_000)
  agent.server.outcome = () => 'failed'
  for (const n of ['app', 'web']) tree.append(`logs/${n}.log`, numbered(101, 90_000, n))
  await agent.advance(3_000)
  for (const n of ['app', 'web']) {
    fs.writeFileSync(tree.at(`logs/${n}.log.1.gz`), zlib.gzipSync(fs.readFileSync(tree.at(`logs/${n}.log`))))
    fs.truncateSync(tree.at(`logs/${n}.log`))
    old(tree.at(`logs/${n}.log.1.gz`))
  }
  await agent.advance(15_000)
  for (const n of ['app', 'web']) fs.writeFileSync(tree.at(`logs/${n}.log.1.gz`), zlib.gzipSync(numbered(1, 90_000, n + 'c')))
  agent.server.outcome = () => 'ok'
  await agent.advance(60_000)
  console.log('3 stored', agent.server.documents.size, 'failure', agent.failure, agent.messages.filter((m) => m.level !== 'debug').map((m) => m.code + ' ' + m.text))
  fs.writeFileSync(tree.at('logs/xyz.log.1.gz'), zlib.gzipSync(numbered(1, 1000, 'x')))
  old(tree.at('logs/xyz.log.1.gz'))
  await agent.advance(60_000)
  expect(agent.failure).toBe(undefined)
  expect(all(agent).filter((l: string) => l.startsWith('x ')).length).toBe(1000)
})
