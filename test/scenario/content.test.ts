import fs from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startBulkServer } from '../../src/demo/bulk-server.ts'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { agentOver } from '../follow/kit.ts'
import { startAgent } from '../kit/agent-process.ts'
import { temporaryTree, type Tree } from '../kit/agent-tree.ts'

function writeAt(tree: Tree, name: string, offset: number, text: string): void {
  const descriptor = fs.openSync(tree.at(name), fs.constants.O_WRONLY | fs.constants.O_CREAT)
  fs.writeSync(descriptor, text, offset)
  fs.closeSync(descriptor)
}

test('lines before, across and behind 2 and 4 GiB keep their offsets, also behind restarts there', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree)
  const [two, four] = [2 ** 31, 2 ** 32]
  tree.write('logs/app.log', 'line 1\n')
  writeAt(tree, 'logs/app.log', two - 10, 'line 2\nacross 2 GiB\nline 3\n')
  await agent.start()
  expect(await agent.until(() => agent.lines(tree.at('logs/app.log')).length === 4)).toBe(true)
  await agent.advance(2_000)
  agent.crash()
  await agent.start()
  writeAt(tree, 'logs/app.log', four - 10, 'line 4\nacross 4 GiB\nline 5\n')
  expect(await agent.until(() => agent.lines(tree.at('logs/app.log')).length === 7)).toBe(true)
  await agent.advance(2_000)
  await agent.stop()
  await agent.start()
  tree.append('logs/app.log', 'line 6\n')
  await agent.advance(2_000)
  const stored = agent.stored()[tree.at('logs/app.log')]!
  expect(stored.map(({ offset, message }) => [offset, message])).toEqual([
    [0, 'line 1'],
    [two - 10, 'line 2'],
    [two - 3, 'across 2 GiB'],
    [two + 10, 'line 3'],
    [four - 10, 'line 4'],
    [four - 3, 'across 4 GiB'],
    [four + 10, 'line 5'],
    [four + 17, 'line 6'],
  ])
  expect(new Set(stored.map(({ id }) => id.slice(12, 20))).size).toBe(8)
  expect(stored.map(({ id }) => Buffer.from(id.slice(12, 20), 'base64url').readUIntBE(0, 6))).toEqual(
    stored.map(({ offset }) => offset),
  )
  expect([agent.server.duplicates, agent.server.complaints]).toEqual([0, []])
  agent.crash()
})

test('a hole of 5 GiB keeps no other file from its turns, and the line behind it is shipped', async () => {
  const tree = temporaryTree()
  const documentsPath = tree.at('documents.ndjson')
  const server = await startBulkServer({ documentsPath })
  tree.write('logs/hole.log')
  fs.truncateSync(tree.at('logs/hole.log'), 5 * 1024 ** 3)
  tree.append('logs/hole.log', 'behind\n')
  tree.write('logs/other.log', 'number 0\n')
  const begunMs = performance.now()
  const agent = startAgent({
    REMORA_PATHS: tree.at('logs/*.log'),
    REMORA_STATE_DIR: tree.at('state'),
    REMORA_ELASTICSEARCH_URL: server.url,
    REMORA_POD_UID: 'content',
  })
  try {
    let [written, messages] = [0, [] as string[]]
    while (!messages.includes('behind') && performance.now() < begunMs + 50_000) {
      tree.append('logs/other.log', `number ${++written}\n`)
      await delay(50)
      messages = []
      for await (const { _source: source } of readDocuments(documentsPath)) {
        messages.push((source as { message: string }).message)
      }
    }
    expect(messages, agent.output()).toContain('behind')
    expect(messages.indexOf('behind'), 'others came first').toBeGreaterThan(0)
    console.info(`5 GiB: ${Math.round(performance.now() - begunMs)} ms, ${written} lines of another file meanwhile`)
    expect(agent.output()).toContain('HOLE_SKIPPED')
    expect(agent.output()).not.toContain('BINARY_FILE')
  } finally {
    await agent.end('SIGKILL')
    await server.close()
  }
})
