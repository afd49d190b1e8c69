import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemDisk, type FileFacts } from '../../src/base/disk.ts'
import { systemVolumeDisk, type VolumeDisk } from '../../src/base/volume-disk.ts'
import { removeFile } from '../../src/volume/remove.ts'
import { asNobody, temporaryTree, type Tree } from '../kit/agent-tree.ts'
import { mayMount, mountSmall, remount } from '../kit/mount.ts'

const aside = 'app.log.1~remora-0'

function factsOf(tree: Tree, name: string): FileFacts {
  return systemDisk.look(tree.at(name))!
}

/** What the world does before each step that is taken; `at` counts all steps. */
function interrupted(before: (step: keyof VolumeDisk, at: number) => void): VolumeDisk {
  let at = 0
  const steps = new Set<PropertyKey>(['openDirectory', 'pathOf', 'lookIn', 'renameIn', 'linkIn', 'removeIn', 'close'])
  return new Proxy(systemVolumeDisk, {
    get(disk, step, receiver) {
      if (steps.has(step)) before(step as keyof VolumeDisk, at++)
      return Reflect.get(disk, step, receiver) as unknown
    },
  })
}

function contents(tree: Tree, name = ''): Record<string, string> {
  const entries = fs.readdirSync(tree.at(name), { withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    entries.map((entry) => [entry.name, fs.readFileSync(tree.at(path.join(name, entry.name)), 'utf8')]),
  )
}

function scene(): { tree: Tree; file: string; facts: FileFacts } {
  const tree = temporaryTree()
  const file = tree.write('logs/app.log.1', 'shipped\n')
  return { tree, file, facts: factsOf(tree, 'logs/app.log.1') }
}

test('the file that is meant goes, and nothing else', () => {
  const { tree, file, facts } = scene()
  tree.write('logs/app.log', 'live\n')
  expect(removeFile(systemVolumeDisk, file, facts, aside)).toEqual({ kind: 'removed' })
  expect(contents(tree, 'logs')).toEqual({ 'app.log': 'live\n' })
})

const open = () => fs.readdirSync('/proc/self/fd').length

test('no descriptor is left open, whatever came of it', () => {
  const { tree, file, facts } = scene()
  const before = open()
  removeFile(systemVolumeDisk, tree.at('logs/none'), facts, aside)
  removeFile(systemVolumeDisk, tree.at('none/app.log.1'), facts, aside)
  removeFile(systemVolumeDisk, file, { ...facts, inode: 1n }, aside)
  removeFile(systemVolumeDisk, file, facts, aside)
  expect(open()).toBe(before)
})

describe('what is not the file that is meant stays', () => {
  test.each([
    ['another device', { device: 0n }],
    ['another inode', { inode: 0n }],
    ['another birth', { birthNs: 1n }],
    ['another size', { sizeBytes: 1 }],
    ['written since', { modifiedMs: 1 }],
  ])('%s', (_what, other) => {
    const { tree, file, facts } = scene()
    const steps: string[] = []
    const disk = interrupted((step) => steps.push(step))
    expect(removeFile(disk, file, { ...facts, ...other }, aside)).toEqual({ kind: 'other' })
    expect(steps).not.toContain('renameIn')
    expect(contents(tree, 'logs')).toEqual({ 'app.log.1': 'shipped\n' })
  })

  test('a hard link: removing one name would free nothing', () => {
    const { tree, file } = scene()
    tree.hardLink('logs/other', 'logs/app.log.1')
    expect(removeFile(systemVolumeDisk, file, factsOf(tree, 'logs/app.log.1'), aside)).toEqual({ kind: 'linked' })
    expect(Object.keys(contents(tree, 'logs'))).toEqual(['app.log.1', 'other'])
  })

  test('a symlink, and what it leads to', () => {
    const { tree, facts } = scene()
    tree.rename('logs/app.log.1', 'outside')
    tree.link('logs/app.log.1', tree.at('outside'))
    expect(removeFile(systemVolumeDisk, tree.at('logs/app.log.1'), facts, aside)).toEqual({ kind: 'other' })
    expect(contents(tree)).toEqual({ outside: 'shipped\n' })
    expect(fs.lstatSync(tree.at('logs/app.log.1')).isSymbolicLink()).toBe(true)
  })

  test('a file behind a directory that became a symlink, though it is the same inode', () => {
    const { tree, file, facts } = scene()
    tree.rename('logs', 'elsewhere')
    tree.link('logs', tree.at('elsewhere'))
    expect(removeFile(systemVolumeDisk, file, facts, aside)).toEqual({ kind: 'other' })
    expect(contents(tree, 'elsewhere')).toEqual({ 'app.log.1': 'shipped\n' })
  })

  test('a symlink higher up on the way', () => {
    const tree = temporaryTree()
    tree.write('a/b/app.log.1', 'shipped\n')
    const facts = factsOf(tree, 'a/b/app.log.1')
    tree.rename('a', 'moved')
    tree.link('a', tree.at('moved'))
    expect(removeFile(systemVolumeDisk, tree.at('a/b/app.log.1'), facts, aside)).toEqual({ kind: 'other' })
    expect(contents(tree, 'moved/b')).toEqual({ 'app.log.1': 'shipped\n' })
  })

  test('a name that is in use is not taken', () => {
    const { tree, file, facts } = scene()
    tree.write(`logs/${aside}`, 'of somebody\n')
    expect(removeFile(systemVolumeDisk, file, facts, aside)).toEqual({ kind: 'other' })
    expect(contents(tree, 'logs')).toEqual({ 'app.log.1': 'shipped\n', [aside]: 'of somebody\n' })
  })
})

/** Between any two steps of Remora somebody else acts. What is meant may go or stay; what is not must be there. */
const worlds: Readonly<Record<string, (tree: Tree) => void>> = {
  'a rotator moves each file on by one': (tree) => {
    if (fs.existsSync(tree.at('logs/app.log.1'))) tree.rename('logs/app.log.1', 'logs/app.log.2')
    tree.rename('logs/app.log', 'logs/app.log.1')
    tree.write('logs/app.log', 'new\n')
  },
  'another file is put in its place': (tree) => {
    tree.write('logs/tmp', 'unread\n')
    tree.rename('logs/tmp', 'logs/app.log.1')
  },
  'it is deleted and made again': (tree) => {
    fs.rmSync(tree.at('logs/app.log.1'), { force: true })
    tree.write('logs/app.log.1', 'unread\n')
  },
  'its name becomes a symlink to a file outside': (tree) => {
    fs.rmSync(tree.at('logs/app.log.1'), { force: true })
    tree.link('logs/app.log.1', tree.at('outside/app.log.1'))
  },
  'its directory becomes a symlink to another with such a file': (tree) => {
    tree.rename('logs', 'before')
    tree.link('logs', tree.at('outside'))
  },
}

/** Every content that is anywhere, but for the one that is meant. */
function everything(tree: Tree): string[] {
  const all = fs.readdirSync(tree.root, { recursive: true, withFileTypes: true })
  const files = all.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
  return files
    .map((file) => fs.readFileSync(file, 'utf8'))
    .filter((text) => text !== 'shipped\n')
    .toSorted()
}

describe.each(Object.entries(worlds))('while %s', (_what, act) => {
  // As many steps as there are at most, and one more: before nothing.
  test.each(Array.from({ length: 9 }, (_, step) => [step]))('before step %i nothing else is lost', (step) => {
    const { tree, file, facts } = scene()
    tree.write('logs/app.log', 'live\n')
    tree.write('outside/app.log.1', 'not ours\n')
    let expected = everything(tree)
    const disk = interrupted((_call, at) => {
      if (at !== step) return
      act(tree)
      expected = everything(tree)
    })
    const { kind } = removeFile(disk, file, facts, aside)
    expect(everything(tree)).toEqual(expected)
    const isThere = fs.readdirSync(tree.root, { recursive: true, withFileTypes: true }).some((entry) => {
      const found = path.join(entry.parentPath, entry.name)
      return entry.isFile() && fs.readFileSync(found, 'utf8') === 'shipped\n'
    })
    expect(kind === 'removed' && isThere).toBe(false)
  })
})

test('a file that took the name in between gets it back where hard links are refused', () => {
  const { tree, file, facts } = scene()
  const disk = interrupted((step) => {
    if (step === 'renameIn' && !fs.existsSync(tree.at('logs/app.log.2'))) {
      tree.rename('logs/app.log.1', 'logs/app.log.2')
      tree.write('logs/app.log.1', 'unread\n')
    }
    if (step === 'linkIn') throw Object.assign(new Error('EPERM'), { code: 'EPERM' })
  })
  expect(removeFile(disk, file, facts, aside)).toEqual({ kind: 'other' })
  expect(contents(tree, 'logs')).toEqual({ 'app.log.1': 'unread\n', 'app.log.2': 'shipped\n' })
})

test('where its name is another’s by then it is left aside, and said', () => {
  const { tree, file, facts } = scene()
  const disk = interrupted((step) => {
    if (step === 'renameIn') fs.writeFileSync(file, 'written in between\n')
    if (step === 'linkIn') fs.writeFileSync(file, 'the next one\n')
  })
  expect(removeFile(disk, file, facts, aside)).toEqual({ kind: 'refused', code: 'EEXIST', leftAs: aside })
  expect(contents(tree, 'logs')).toEqual({ 'app.log.1': 'the next one\n', [aside]: 'written in between\n' })
})

describe('a disk that does not allow it', () => {
  test('a directory that Remora may not write to', () => {
    const { tree, file, facts } = scene()
    fs.chmodSync(tree.root, 0o755)
    fs.chmodSync(tree.at('logs'), 0o555)
    asNobody(() => {
      expect(removeFile(systemVolumeDisk, file, facts, aside)).toEqual({ kind: 'refused', code: 'EACCES' })
    })
    expect(contents(tree, 'logs')).toEqual({ 'app.log.1': 'shipped\n' })
  })

  test.skipIf(!mayMount)('a volume that is mounted read-only', () => {
    const tree = temporaryTree()
    const unmount = mountSmall(tree.root, 'size=1m')
    onTestFinished(() => unmount())
    const file = tree.write('app.log.1', 'shipped\n')
    const facts = factsOf(tree, 'app.log.1')
    expect(systemVolumeDisk.refusalToWrite(tree.root)).toBeUndefined()
    remount(tree.root, 'ro')
    expect(systemVolumeDisk.refusalToWrite(tree.root)).toBe('EROFS')
    expect(removeFile(systemVolumeDisk, file, facts, aside)).toEqual({ kind: 'refused', code: 'EROFS' })
    expect(systemVolumeDisk.mounts()).toContain(tree.root)
    execFileSync('umount', ['-l', tree.root])
  })
})
