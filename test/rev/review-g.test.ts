import { createHash } from 'node:crypto'
import fs from 'node:fs'
import v8 from 'node:v8'
import { expect, test } from 'vitest'
import { Generation } from '../../src/follow/generation.ts'
import { passTick, temporaryTree } from '../kit/agent-tree.ts'
import { agentOver, linesOf, numbered } from '../follow/kit.ts'
const all = (agent: any) => Object.values(agent.stored()).flat().map((d: any) => d.message)
const count = () => (v8 as any).queryObjects(Generation, { format: 'count' })

test('13 empty files, rotated and deleted', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  tree.write('logs/app.log')
  await agent.start()
  const counts: number[] = []
  for (let n = 1; n <= 300; n++) {
    tree.rename('logs/app.log', 'logs/app.log.1')
    tree.write('logs/app.log')
    await agent.advance(2_000)
    if (n % 100 === 0) { await agent.advance(120_000); counts.push(count()) }
  }
  console.log('n= generations in memory', counts, 'known', JSON.parse(fs.readFileSync(tree.at('state/checkpoint.json'), 'utf8').split('\n')[1]!).generations.length)
  expect(counts.at(-1)).toBeLessThan(50)
}, 60_000)

test('14 copies that come and go', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  tree.write('logs/app.log', numbered(1, 50))
  await agent.start()
  await agent.advance(2_000)
  for (let n = 1; n <= 200; n++) {
    fs.copyFileSync(tree.at('logs/app.log'), tree.at(`logs/app.log.${n}`))
    await agent.advance(1_000)
    tree.remove(`logs/app.log.${n}`)
    await agent.advance(1_000)
  }
  await agent.advance(60_000)
  const gens = (v8 as any).queryObjects(Generation, { format: 'count' })
  console.log('n= gens', gens, 'docs', agent.server.documents.size, agent.agent.figures().files?.length)
  const sets = (v8 as any).queryObjects(Set, { format: 'count' })
  console.log('n= sets', sets, agent.agent.figures().events.filter((e: any) => e.kind === 'copy'))
  // what the registry holds: forced out of the module by a heap string search
  const s = (v8 as any).getHeapSnapshot(); let text = ''; for await (const c of s) text += c
  const strings = JSON.parse(text).strings as string[]
  const dev = fs.statSync(tree.at('logs')).dev
  console.log('n= keys in memory', strings.filter((x) => x.startsWith(`${dev}:`)).length)
}, 60_000)

test('6 upgrade from version 1: what was sent under its id', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  tree.write('logs/app.log', numbered(1, 20))
  await agent.start()
  await agent.advance(2_000)
  await agent.stop()
  const [, body] = fs.readFileSync(tree.at('state/checkpoint.json'), 'utf8').split('\n')
  const state = JSON.parse(body!)
  for (const key of ['incarnation', 'names', 'indices']) delete state[key]
  for (const g of state.generations) { delete g.anchor; delete g.packing; g.id = 'v1v1v1v1v1v1'; g.offset = 0; g.guardHash = createHash('sha256').update('').digest().subarray(0, 15).toString('base64url') }
  const text = JSON.stringify(state)
  const head = JSON.stringify({ remora: 'checkpoint', version: 1, sha256: createHash('sha256').update(text).digest('base64url') })
  fs.writeFileSync(tree.at('state/checkpoint.json'), `${head}\n${text}\n`)
  fs.rmSync(tree.at('state/checkpoint.previous.json'), { force: true })
  agent.server.documents.clear(); agent.server.indices[0]!.ids.clear()
  await agent.start()
  await agent.advance(10_000)
  const ids = new Set([...agent.server.documents.keys()].map((id) => id.slice(0, 12)))
  console.log('n= ids', ids)
  expect([...ids]).toEqual(['v1v1v1v1v1v1'])
}, 60_000)
