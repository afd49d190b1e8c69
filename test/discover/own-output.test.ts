import fs from 'node:fs'
import { expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { OwnOutput } from '../../src/base/own-output.ts'
import { temporaryTree } from '../kit/agent-tree.ts'
import { Discovered } from './kit.ts'

test('what Remora itself says is no log of the application, however it is rotated', () => {
  const tree = temporaryTree()
  tree.write('app.log', 'a line\n')
  tree.write('app.log.1', 'an older line\n')
  const stdout = fs.openSync(tree.at('remora.log'), 'a')
  const own = new OwnOutput(systemDisk, [stdout])
  const all = new Discovered([tree.at('*.log')], [], systemDisk, own)
  const names = () =>
    all
      .look(true)
      .flatMap(({ entries }) => entries.map(({ path }) => path.slice(tree.root.length + 1)))
      .toSorted()
  expect(names()).toEqual(['app.log', 'app.log.1'])
  expect(all.codes()).toEqual([`OWN_OUTPUT ${tree.at('remora.log')}`])
  // By renaming, to a name that nobody could know; and then one of its copies.
  tree.rename('remora.log', 'strange.log')
  tree.write('remora.log.1', 'a copy of it\n')
  tree.link('linked.log', 'strange.log')
  expect(names()).toEqual(['app.log', 'app.log.1'])
  fs.closeSync(stdout)
})

test('a terminal, a pipe and what is closed are nobody’s file', () => {
  const tree = temporaryTree()
  tree.write('app.log', 'a line\n')
  const nothing = fs.openSync('/dev/null', 'w')
  const own = new OwnOutput(systemDisk, [nothing, 1_000_000])
  fs.closeSync(nothing)
  const all = new Discovered([tree.at('*.log')], [], systemDisk, own)
  expect(all.files(true)).toEqual([tree.at('app.log')])
  expect(all.obstacles).toEqual([])
})
