import fs from 'node:fs'
import { expect, test } from 'vitest'
import { temporaryTree } from '../kit/agent-tree.ts'
import { agentOver, storedLines } from './kit.ts'

test('a watched directory that is a link, and led elsewhere later: nothing is read there', async () => {
  const tree = temporaryTree()
  const outside = temporaryTree()
  for (const name of ['app.log', 'other.log', 'app.log.1']) outside.write(name, 'the secret of another\n')
  tree.write('real/app.log', 'one\n')
  tree.link('root', 'real')
  const agent = agentOver(tree, { paths: [tree.at('root/**/*.log')] })
  await agent.start()
  await agent.advance(3_000)
  expect(storedLines(agent)).toEqual(['one'])

  fs.rmSync(tree.at('root'))
  tree.link('root', outside.root)
  tree.append('real/app.log', 'two\n')
  await agent.advance(60_000)
  expect(storedLines(agent).filter((line) => line.includes('secret'))).toEqual([])
  expect(agent.messages.filter(({ code }) => code === 'ROOT_MOVED')).toHaveLength(1)
  // The file is still open.
  expect(storedLines(agent)).toEqual(['one', 'two'])

  fs.rmSync(tree.at('root'))
  tree.link('root', 'real')
  tree.append('real/app.log', 'three\n')
  await agent.advance(60_000)
  expect(storedLines(agent)).toEqual(['one', 'three', 'two'])
  await agent.stop()
})
