import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemDisk as disk } from '../../src/base/disk.ts'
import { codeOf } from '../../src/base/errors.ts'
import { asNobody } from '../kit/agent-tree.ts'

let directory: string
beforeEach(() => void (directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'remora-disk-')))))
afterEach(() => fs.rmSync(directory, { recursive: true }))

const at = (name: string) => path.join(directory, name)

function codeOfCall(run: () => unknown): string {
  try {
    run()
    return 'nothing thrown'
  } catch (error) {
    return codeOf(error)
  }
}

describe('opening what a stranger named', () => {
  test('a file is read where one asks, and told apart from others', () => {
    fs.writeFileSync(at('a.log'), 'hello world')
    fs.writeFileSync(at('b.log'), '')
    const [a, b] = ['a.log', 'b.log'].map((name) => disk.open(at(name)))
    const into = Buffer.alloc(20, '.')
    expect(disk.read(a!, into, 3, 5, 6)).toBe(5)
    expect(into.toString()).toBe('...world............')
    expect(disk.read(a!, into, 0, 20, 11)).toBe(0)
    expect(disk.sizeOf(a!)).toMatchObject({ sizeBytes: 11, links: 1 })
    expect(disk.factsOf(a!)).toEqual(disk.look(at('a.log')))
    expect(disk.factsOf(a!)).toMatchObject({ kind: 'file', sizeBytes: 11, links: 1, device: disk.factsOf(b!).device })
    expect(disk.factsOf(a!).inode).not.toBe(disk.factsOf(b!).inode)
    expect(disk.pathOf(a!)).toBe(at('a.log'))
    for (const descriptor of [a!, b!]) disk.close(descriptor)
    expect(codeOfCall(() => disk.sizeOf(a!))).toBe('EBADF')
  })

  test('a symlink is not followed at the last step', () => {
    fs.writeFileSync(at('secret'), 'x')
    fs.symlinkSync(at('secret'), at('link.log'))
    expect(codeOfCall(() => disk.open(at('link.log')))).toBe('ELOOP')
    expect(disk.look(at('link.log'))?.kind).toBe('symlink')
  })

  test('a symlink on the way shows in where the descriptor really is', () => {
    fs.mkdirSync(at('real'))
    fs.writeFileSync(at('real/a.log'), 'x')
    fs.symlinkSync(at('real'), at('linked'))
    const descriptor = disk.open(at('linked/a.log'))
    expect(disk.pathOf(descriptor)).toBe(at('real/a.log'))
    expect(disk.resolve(at('linked/a.log'))).toBe(at('real/a.log'))
    disk.close(descriptor)
  })

  test('whoever waits to write into a FIFO goes on waiting: it has no reader, not for a moment', () => {
    execFileSync('mkfifo', [at('waiting.log')])
    const descriptor = disk.open(at('waiting.log'))
    expect(disk.factsOf(descriptor).kind).toBe('fifo')
    expect(disk.pathOf(descriptor)).toBe(at('waiting.log'))
    // Source: fifo(7), "Opening with O_NONBLOCK".
    const { O_WRONLY, O_NONBLOCK } = fs.constants
    expect(codeOfCall(() => fs.openSync(at('waiting.log'), O_WRONLY | O_NONBLOCK))).toBe('ENXIO')
    expect(codeOfCall(() => disk.read(descriptor, Buffer.alloc(1), 0, 1, 0))).toBe('EBADF')
    disk.close(descriptor)
  })

  test('what was looked at is what is opened, also when its name leads elsewhere by then', () => {
    fs.writeFileSync(at('a.log'), 'first')
    const openSync = fs.openSync.bind(fs)
    const spy = vi.spyOn(fs, 'openSync').mockImplementation((file, flags, mode) => {
      // Between the two steps.
      if (String(file).startsWith('/proc/self/fd/')) {
        fs.renameSync(at('a.log'), at('a.log.1'))
        fs.writeFileSync(at('a.log'), 'other')
      }
      return openSync(file, flags, mode)
    })
    const descriptor = disk.open(at('a.log'))
    spy.mockRestore()
    const into = Buffer.alloc(5)
    disk.read(descriptor, into, 0, 5, 0)
    expect([into.toString(), disk.pathOf(descriptor)]).toEqual(['first', at('a.log.1')])
    disk.close(descriptor)
  })

  test('what may not be read says so of its own name', () => {
    fs.writeFileSync(at('a.log'), 'x', { mode: 0 })
    fs.chmodSync(directory, 0o755)
    const refused = asNobody(() => {
      try {
        return disk.open(at('a.log'))
      } catch (error) {
        return error as Error
      }
    })
    expect(refused).toMatchObject({ code: 'EACCES', message: expect.stringContaining(at('a.log')) })
  })

  test('a FIFO without a writer does not block', () => {
    execFileSync('mkfifo', [at('pipe.log')])
    const descriptor = disk.open(at('pipe.log'))
    expect(disk.factsOf(descriptor).kind).toBe('fifo')
    disk.close(descriptor)
  })

  test('a deleted file can still be read', () => {
    fs.writeFileSync(at('a.log'), 'still here')
    const descriptor = disk.open(at('a.log'))
    disk.remove(at('a.log'))
    expect(disk.sizeOf(descriptor)).toMatchObject({ sizeBytes: 10, links: 0 })
    expect(disk.read(descriptor, Buffer.alloc(10), 0, 10, 0)).toBe(10)
    expect(disk.look(at('a.log'))).toBeUndefined()
    disk.close(descriptor)
  })
})

test('a directory is listed with what is in it', () => {
  fs.mkdirSync(at('d'))
  fs.writeFileSync(at('f'), '')
  fs.symlinkSync('f', at('l'))
  execFileSync('mkfifo', [at('p')])
  expect(disk.list(directory).toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
    { name: 'd', kind: 'directory' },
    { name: 'f', kind: 'file' },
    { name: 'l', kind: 'symlink' },
    { name: 'p', kind: 'fifo' },
  ])
  expect(codeOfCall(() => disk.list(at('none')))).toBe('ENOENT')
})

test('text is appended, for no eyes but ours, and directories are made on the way', () => {
  disk.makeDirectory(at('x/y'))
  disk.makeDirectory(at('x/y'))
  disk.append(at('x/y/letters'), 'one\n')
  disk.append(at('x/y/letters'), 'two\n')
  disk.rename(at('x/y/letters'), at('x/older'))
  expect(disk.readText(at('x/older'))).toBe('one\ntwo\n')
  expect(disk.look(at('x/older'))?.mode).toBe(0o600)
  disk.remove(at('x/older'))
  disk.remove(at('x/older'))
  expect(codeOfCall(() => disk.readText(at('x/older')))).toBe('ENOENT')
})

test('two names of one inode are one file', () => {
  fs.writeFileSync(at('a.log'), 'x')
  fs.linkSync(at('a.log'), at('b.log'))
  const [a, b] = ['a.log', 'b.log'].map((name) => disk.look(at(name)))
  expect(a).toEqual(b)
  expect(a?.links).toBe(2)
})
