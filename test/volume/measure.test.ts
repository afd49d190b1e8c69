import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { mountPoints } from '../../src/base/mounts.ts'
import { systemVolumeDisk, type VolumeDisk } from '../../src/base/volume-disk.ts'
import { measure } from '../../src/volume/measure.ts'
import { volumesOf } from '../../src/volume/volumes.ts'
import { diskError } from '../kit/agent-files.ts'
import { asNobody, temporaryTree, type Tree } from '../kit/agent-tree.ts'
import { mayMount, mountSmall } from '../kit/mount.ts'

const goOn = () => Promise.resolve(true)
const now = () => 0
const duOf = ({ root }: Tree) =>
  Number(
    execFileSync('du', ['--one-file-system', '--block-size=1', '--summarize', root], { encoding: 'utf8' }).split(
      '\t',
    )[0],
  )

describe('a volume holds what du says', () => {
  test('directories, hidden files, hard links, holes, symlinks', async () => {
    const tree = temporaryTree()
    tree.write('a.log', 'x'.repeat(100_000))
    tree.write('deep/er/b.log.1', 'y'.repeat(5_000))
    tree.write('.hidden', 'z'.repeat(70_000))
    tree.hardLink('deep/linked', '.hidden')
    tree.write('hole', '')
    fs.truncateSync(tree.at('hole'), 50_000_000)
    tree.link('loop', tree.root)
    tree.link('out', '/usr')
    tree.fifo('pipe')
    for (let file = 0; file < 600; file++) tree.write(`many/${file}`, 'x')
    const measured = await measure(systemVolumeDisk, tree.root, now, goOn)
    expect(measured).toMatchObject({ bytes: duOf(tree), doubt: undefined })
  })

  test.skipIf(!mayMount)('not what another file system holds that is mounted in it', async () => {
    const tree = temporaryTree()
    onTestFinished(mountSmall(tree.directory('other'), 'size=1m'))
    tree.write('other/a.log', 'x'.repeat(100_000))
    tree.write('b.log', 'x'.repeat(10_000))
    expect((await measure(systemVolumeDisk, tree.root, now, goOn))?.bytes).toBe(duOf(tree))
  })

  test('what cannot be listed is said', async () => {
    const tree = temporaryTree()
    fs.chmodSync(tree.root, 0o755)
    const closed = tree.directory('closed')
    fs.chmodSync(closed, 0)
    await asNobody(async () => {
      const doubt = { kind: 'partly', path: closed, code: 'EACCES' }
      expect(await measure(systemVolumeDisk, tree.root, now, goOn)).toMatchObject({ doubt })
    })
  })

  test('what may be listed and not searched is said, of the directory', async () => {
    const tree = temporaryTree()
    fs.chmodSync(tree.root, 0o755)
    tree.write('closed/a.log', 'x'.repeat(100_000))
    tree.write('closed/b.log', 'x'.repeat(100_000))
    fs.chmodSync(tree.at('closed'), 0o744)
    await asNobody(async () => {
      const doubt = { kind: 'partly', path: tree.at('closed'), code: 'EACCES' }
      expect(await measure(systemVolumeDisk, tree.root, now, goOn)).toMatchObject({ doubt })
    })
  })

  test('a directory that fails in the middle does not hide the others', async () => {
    const tree = temporaryTree()
    tree.write('bad/a.log', 'x'.repeat(100_000))
    tree.write('good/b.log', 'x'.repeat(100_000))
    const disk: VolumeDisk = {
      ...systemVolumeDisk,
      *list(directory) {
        yield* systemVolumeDisk.list(directory)
        if (directory.endsWith('bad')) throw diskError('EIO', directory)
      },
    }
    const doubt = { kind: 'partly', path: tree.at('bad'), code: 'EIO' }
    expect(await measure(disk, tree.root, now, goOn)).toMatchObject({ bytes: duOf(tree), doubt })
  })
})

test('it is given up between two slices', async () => {
  const tree = temporaryTree()
  for (let file = 0; file < 600; file++) tree.write(`${file}`, 'x')
  let slices = 0
  expect(await measure(systemVolumeDisk, tree.root, now, () => Promise.resolve(++slices < 2))).toBeUndefined()
  expect(slices).toBe(2)
})

test.each([
  ['none', 'ENOENT'],
  ['file', 'ENOTDIR'],
  ['closed', 'EACCES'],
])('%s cannot be measured: %s', async (name, code) => {
  const tree = temporaryTree()
  fs.chmodSync(tree.root, 0o755)
  tree.write('file', 'x')
  fs.chmodSync(tree.directory('closed'), 0)
  await asNobody(async () => {
    expect(await measure(systemVolumeDisk, tree.at(name), now, goOn)).toEqual({
      bytes: undefined,
      doubt: { kind: 'unmeasured', path: tree.at(name), code },
    })
  })
})

const mountinfo = [
  '22 1 0:20 / / rw,relatime - overlay overlay rw',
  '23 22 8:1 /a /var/log rw - ext4 /dev/sda rw',
  '24 22 8:1 /b /var/log/app rw - ext4 /dev/sda rw',
  String.raw`25 22 8:1 /c /mnt/with\040space rw - ext4 /dev/sda rw`,
  '',
].join('\n')

const of = (...roots: string[]) => volumesOf({ mounts: () => mountPoints(mountinfo) }, roots)

test.each([
  ['/var/log/app', '/var/log/app'],
  ['/var/log/app/deep', '/var/log/app'],
  ['/var/log/application', '/var/log'],
  ['/mnt/with space/x', '/mnt/with space'],
  ['/opt/logs', '/opt/logs'],
])('%s lies in the volume %s', (path, volume) => expect(of(path)).toEqual([volume]))

test('directories in one volume are measured once, and a volume in a volume is another one', () => {
  expect(of('/srv/logs', '/srv/logs/sub', '/srv/logs')).toEqual(['/srv/logs'])
  expect(of('/var/log/a', '/var/log/b', '/var/log/app/x')).toEqual(['/var/log', '/var/log/app'])
})
