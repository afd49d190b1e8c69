import fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { codeOf } from '../../src/base/errors.ts'
import { openInside } from '../../src/follow/opening.ts'
import { diskError } from '../kit/agent-files.ts'
import { asNobody, temporaryTree } from '../kit/agent-tree.ts'

const openFiles = () => fs.readdirSync('/proc/self/fd').length

/** Opens, and sees that a refusal leaves no descriptor behind. */
function opened(path: string, roots: readonly string[], disk: Disk = systemDisk, own: readonly string[] = []) {
  const before = openFiles()
  const result = openInside(disk, path, roots, own)
  if ('descriptor' in result) disk.close(result.descriptor)
  expect(openFiles()).toBe(before)
  return result
}

describe('opening', () => {
  test('a regular file inside a root', () => {
    const tree = temporaryTree()
    tree.write('sub/app.log', 'a line\n')
    expect(opened(tree.at('sub/app.log'), [tree.root])).toMatchObject({ facts: { kind: 'file', sizeBytes: 7 } })
    expect(opened(tree.at('sub/app.log'), ['/nowhere', tree.at('sub')])).toHaveProperty('facts')
    expect(opened(tree.at('sub/app.log'), ['/'])).toHaveProperty('facts')
  })

  test('a file that is deleted at that moment', () => {
    const tree = temporaryTree()
    const path = tree.write('app.log', 'a line\n')
    const disk: Disk = {
      ...systemDisk,
      open: (at) => {
        const descriptor = systemDisk.open(at)
        fs.rmSync(at)
        return descriptor
      },
    }
    expect(opened(path, [tree.root], disk)).toMatchObject({ facts: { links: 0 } })
  })

  test('a FIFO without a writer: does not wait, and is refused', () => {
    const tree = temporaryTree()
    const path = tree.fifo('app.log')
    expect(opened(path, [tree.root])).toMatchObject({ code: 'OUTSIDE_ROOT', message: 'it turned out to be a fifo' })
  })

  test('a directory and a device', () => {
    const tree = temporaryTree()
    expect(opened(tree.directory('app.log'), [tree.root])).toMatchObject({ message: 'it turned out to be a directory' })
    expect(opened('/dev/null', ['/'])).toMatchObject({ message: 'it turned out to be a device' })
  })

  test('a symlink, even to a file inside', () => {
    const tree = temporaryTree()
    tree.write('real.log')
    tree.link('app.log', 'real.log')
    expect(opened(tree.at('app.log'), [tree.root])).toMatchObject({ code: 'ELOOP', message: 'it became a symlink' })
  })

  test('through a directory that became a symlink since it was looked at', () => {
    const tree = temporaryTree()
    const outside = temporaryTree()
    outside.write('app.log', 'secret\n')
    tree.write('sub/app.log')
    const swapping: Disk = {
      ...systemDisk,
      open: (path) => {
        tree.remove('sub')
        tree.link('sub', outside.root)
        return systemDisk.open(path)
      },
    }
    expect(opened(tree.at('sub/app.log'), [tree.root], swapping)).toMatchObject({
      code: 'OUTSIDE_ROOT',
      message: 'it leads outside the watched directories',
    })
  })

  test('outside of every root, also where names begin alike', () => {
    const tree = temporaryTree()
    const path = tree.write('logs-of-others/app.log')
    expect(opened(path, [tree.at('logs')])).toMatchObject({ code: 'OUTSIDE_ROOT' })
    expect(opened(path, [])).toMatchObject({ code: 'OUTSIDE_ROOT' })
  })

  test('Remora’s own directory, although it is inside of a root', () => {
    const tree = temporaryTree()
    tree.write('state/checkpoint.json', '{}')
    tree.write('state-of-others/app.log', 'a line\n')
    const own = [tree.at('state')]
    expect(opened(tree.at('state/checkpoint.json'), [tree.root], systemDisk, own)).toMatchObject({ code: 'OWN_STATE' })
    expect(opened(tree.at('state-of-others/app.log'), [tree.root], systemDisk, own)).toHaveProperty('facts')
    // By another way.
    tree.link('linked', 'state')
    expect(opened(tree.at('linked/checkpoint.json'), [tree.root], systemDisk, own)).toMatchObject({ code: 'OWN_STATE' })
  })

  test('a FIFO in the place of a file that was looked at: whoever writes into it is left alone', () => {
    const tree = temporaryTree()
    tree.fifo('app.log')
    const writes: string[] = []
    const disk: Disk = {
      ...systemDisk,
      factsOf: (descriptor) => {
        // As long as Remora holds it, nobody who writes must find a reader.
        try {
          fs.closeSync(fs.openSync(tree.at('app.log'), fs.constants.O_WRONLY | fs.constants.O_NONBLOCK))
          writes.push('a reader')
        } catch (error) {
          writes.push(codeOf(error))
        }
        return systemDisk.factsOf(descriptor)
      },
    }
    expect(opened(tree.at('app.log'), [tree.root], disk)).toMatchObject({ message: 'it turned out to be a fifo' })
    expect(writes).toEqual(['ENXIO'])
  })

  test('what is not there', () => {
    const tree = temporaryTree()
    expect(opened(tree.at('app.log'), [tree.root])).toMatchObject({ code: 'ENOENT' })
  })

  test('what may not be read: names both sides and the way out', () => {
    const tree = temporaryTree()
    fs.chmodSync(tree.root, 0o755)
    const path = tree.write('app.log', 'secret\n')
    fs.chmodSync(path, 0o600)
    const owner = fs.statSync(path)
    if (process.getuid?.() !== 0) fs.chmodSync(path, 0)
    const refusal = asNobody(() => opened(path, [tree.root]))
    expect(refusal).toMatchObject({ code: 'EACCES' })
    const { message, wayOut } = refusal as { message: string; wayOut: string }
    expect(message).toMatch(/^it may not be read by uid \d+ with groups [\d, ]+/)
    expect(message).toContain(`(owner ${owner.uid}:${owner.gid}, mode 0`)
    expect(wayOut).toContain('fsGroup')
    expect(wayOut).toContain('runAsUser')
  })

  test.runIf(process.getuid?.() === 0)('what its group may read: the lines that give it the group', () => {
    const tree = temporaryTree()
    fs.chmodSync(tree.root, 0o755)
    const path = tree.write('app.log', 'secret\n')
    fs.chownSync(path, 1000, 2000)
    fs.chmodSync(path, 0o640)
    expect(asNobody(() => opened(path, [tree.root]))).toMatchObject({
      wayOut: expect.stringContaining('supplementalGroups: [2000]'),
      lines: expect.arrayContaining(['spec:', '    supplementalGroups: [2000]']),
    })
  })

  test.each([
    ['EMFILE', 'no file descriptors are left', 'ulimit'],
    ['ENFILE', 'no file descriptors are left on the node', 'fs.file-max'],
    ['EIO', 'EIO: /x', 'tried again'],
  ])('that fails with %s', (code, message, wayOut) => {
    const disk: Disk = {
      ...systemDisk,
      open: () => {
        throw diskError(code, '/x')
      },
    }
    const refusal = opened('/x', ['/'], disk) as { code: string; message: string; wayOut: string }
    expect(refusal).toMatchObject({ code, message })
    expect(refusal.wayOut).toContain(wayOut)
  })

  test.each(['factsOf', 'pathOf'] as const)('of which %s fails gives the descriptor back', (call) => {
    const tree = temporaryTree()
    const path = tree.write('app.log')
    const disk: Disk = {
      ...systemDisk,
      [call]: () => {
        throw diskError('EIO', path)
      },
    }
    expect(opened(path, [tree.root], disk)).toMatchObject({ code: 'EIO' })
  })
})
