import fs from 'node:fs'
import { expect, test } from 'vitest'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { limits } from '../../src/base/limits.ts'
import { temporaryTree } from '../kit/agent-tree.ts'
import { Discovered } from './kit.ts'

const inEach = 900
const directories = 8

test('files that no glob names are looked at up to a number in all directories together, and logs always', () => {
  const tree = temporaryTree()
  for (let directory = 0; directory < directories; directory++) {
    for (let file = 0; file < inEach; file++) tree.write(`d${directory}/upload-${file}.dat`)
    for (const name of ['app.log', 'app.log.1']) tree.write(`d${directory}/${name}`, 'a line\n')
  }
  let asked = 0
  const disk: Disk = {
    ...systemDisk,
    look: (at) => {
      if (at.endsWith('.dat')) asked++
      return systemDisk.look(at)
    },
  }
  const found = new Discovered([`${tree.root}/**/*.log`], [], disk)
  for (let look = 0; look < 3; look++) {
    asked = 0
    const entries = found.look(true).flatMap((listing) => listing.entries)
    expect(entries.filter(({ matched }) => matched)).toHaveLength(directories)
    expect(entries.filter(({ path }) => path.endsWith('app.log.1'))).toHaveLength(directories)
    expect(asked).toBe(limits.strangersMax + 1)
  }
  const said = () => found.obstacles.filter(({ code }) => code === 'TOO_MANY_STRANGERS')
  expect(new Set(said().map(({ path }) => path))).toEqual(new Set([tree.root]))
  // With fewer of them all are looked at again.
  fs.rmSync(tree.at('d0'), { recursive: true })
  for (const directory of ['d1', 'd2']) fs.rmSync(tree.at(directory), { recursive: true })
  found.look(true)
  asked = 0
  found.look(true)
  expect(asked).toBe(inEach * (directories - 3))
})
