import fs from 'node:fs'
import zlib from 'node:zlib'
import { expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { passTick, temporaryTree } from '../kit/agent-tree.ts'
import { agentOver, linesOf, numbered } from '../follow/kit.ts'
const old = (p: string) => { const t = new Date(Date.now() - 10_000); fs.utimesSync(p, t, t) }
const all = (agent: any) => Object.values(agent.stored()).flat().map((d: any) => d.message)

test('5a startAtEnd, small file, copytruncate', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree, { startAt: 'end' })
  tree.write('logs/app.log', numbered(1, 20))
  await agent.start()
  await agent.advance(1_000)
  tree.append('logs/app.log', numbered(21, 30))
  await agent.advance(2_000)
  agent.server.outcome = () => 'hang'
  tree.append('logs/app.log', numbered(31, 40))
  tree.copyTruncate('logs/app.log', 'logs/app.log.1')
  agent.server.outcome = () => 'ok'
  await agent.advance(60_000)
  console.log('5a', all(agent).length, agent.agent.ledger.gaps, agent.messages.filter(m=>m.code==='GAP').map((m) => m.text))
  expect(all(agent).sort()).toEqual(linesOf(numbered(21, 40)).sort())
})

test('12 a banner with a number, state lost: the banner of the next life is stored too', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree, { podUid: 'pod' })
  const life = (n: number) => `Copyright 2024 ACME\nlistening on port 8080\n2026-01-01 00:00:0${n} hello\n`
  tree.write('logs/app.log', life(1))
  await agent.start()
  await agent.advance(3_000)
  await agent.stop()
  tree.remove('state')
  tree.remove('logs/app.log')
  tree.write('logs/app.log', life(2))
  await agent.start()
  await agent.advance(10_000)
  expect(all(agent).length).toBe(6)
})

test('8 pending for ever: what was deleted stays in memory while some archive is being written', async () => {
  const tree = temporaryTree()
  const clock = new VirtualClock(), base = Date.now() - clock.nowMs
  const wallMs = () => base + clock.nowMs
  const agent = agentOver(tree, {}, systemDisk, { clock, wallMs })
  await agent.start()
  const known: number[] = []
  for (let n = 0; n < 60; n++) {
    tree.write(`logs/a${n}x.log`, `x ${n}\n`)
    for (let k = 0; k < 10; k++) {
      fs.writeFileSync(tree.at('logs/app.log.1.gz'), zlib.gzipSync(numbered(1, 10 + n)))
      const t = new Date(wallMs()); fs.utimesSync(tree.at('logs/app.log.1.gz'), t, t)
      await agent.advance(1000)
    }
    tree.remove(`logs/a${n}x.log`)
    if (n % 10 === 9) known.push(JSON.parse(fs.readFileSync(tree.at('state/checkpoint.json'), 'utf8').split('\n')[1]!).generations.length)
  }
  console.log('generations in the checkpoint', known)
  expect(known.at(-1)).toBeLessThan(20)
})
