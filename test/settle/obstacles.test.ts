import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { asNobody } from '../kit/agent-tree.ts'
import { fillUp, mayMount, mountSmall, remount } from '../kit/mount.ts'
import { stateOf } from './states.ts'
import { numberIn, StateWorld } from './world.ts'

const newest = 'checkpoint.json'
const previous = 'checkpoint.previous.json'

const theirs = 'of somebody else'

/** What may stand in the place of a file. */
const obstacles = {
  directory: (at: string) => fs.mkdirSync(`${at}/with/something`, { recursive: true }),
  fifo: (at: string) => execFileSync('mkfifo', [at]),
  'symlink to a file': (at: string) => {
    fs.writeFileSync(join(dirname(at), 'elsewhere'), theirs)
    fs.symlinkSync('elsewhere', at)
  },
  'symlink to nothing': (at: string) => fs.symlinkSync('nothing', at),
  'symlink to itself': (at: string) => fs.symlinkSync(basename(at), at),
  device: (at: string) => fs.symlinkSync('/dev/zero', at),
  'file of zeros, too large': (at: string) => {
    fs.writeFileSync(at, '')
    fs.truncateSync(at, limits.stateBytesMax + 1)
  },
} as const
const names = [newest, previous, 'instance', `${newest}.tmp`, 'instance.tmp'] as const
const cases = Object.keys(obstacles).flatMap((kind) =>
  names.map((name) => [kind as keyof typeof obstacles, name] as const),
)

describe('at the start', () => {
  test.each(cases)('a %s in the place of %s: a checkpoint is written, and read again', async (kind, name) => {
    const world = new StateWorld()
    obstacles[kind](world.at(name))
    const checkpoint = world.open()
    const loaded = checkpoint.load()
    const isRead = !name.endsWith('.tmp')
    expect(loaded.unreadable.map((each) => [each.path, each.future])).toEqual(isRead ? [[world.at(name), false]] : [])
    for (const { why } of loaded.unreadable) expect(why).toMatch(/^it (is a (directory|fifo|symlink)|has \d+ bytes)/)
    // One write may fail of it, and moves it out of the way.
    await checkpoint.write(stateOf(1))
    expect(await checkpoint.write(stateOf(2))).toBe(true)
    expect(world.number).toBe(2)
    expect(world.textOf('instance')).toBe('here\n')
    expect(world.textOf('elsewhere') ?? theirs, 'not written through').toBe(theirs)
    expect(world.codes.filter((code) => code === 'CHECKPOINT_FAILED').length).toBeLessThanOrEqual(1)
    expect(world.names.filter((each) => each.endsWith('.tmp'))).toEqual([])
  })
})

describe('while it runs', () => {
  test.each(cases)('a %s comes into the place of %s: writing goes on', async (kind, name) => {
    const world = new StateWorld()
    const checkpoint = world.open()
    for (const number of [1, 2]) await checkpoint.write(stateOf(number))
    fs.rmSync(world.at(name), { force: true })
    obstacles[kind](world.at(name))
    await checkpoint.write(stateOf(3))
    expect(await checkpoint.write(stateOf(4))).toBe(true)
    expect(world.number).toBe(4)
    expect(world.textOf('elsewhere') ?? theirs, 'not written through').toBe(theirs)
    for (const { wayOut } of world.reports.filter(({ level }) => level !== 'info')) expect(wayOut).not.toBe('')
    expect(world.codes.filter((code) => code === 'CHECKPOINT_FAILED').length).toBeLessThanOrEqual(1)
  })

  test('the directory is deleted: it is made again with all that was in it, and one message says so', async () => {
    const world = new StateWorld()
    const checkpoint = world.open()
    for (let number = 1; number < 4; number++) {
      await checkpoint.write(stateOf(number))
      fs.rmSync(world.directory, { recursive: true })
      expect(await checkpoint.write(stateOf(10 * number))).toBe(true)
      expect(await checkpoint.write(stateOf(10 * number))).toBe(true)
      expect(world.number).toBe(10 * number)
      expect(world.textOf('instance')).toBe('here\n')
    }
    expect(world.codes).toEqual(['STATE_DELETED', 'STATE_DELETED', 'STATE_DELETED'])
  })

  test('what is in the directory is deleted', async () => {
    const world = new StateWorld()
    const checkpoint = world.open()
    await checkpoint.write(stateOf(1))
    for (const name of world.names) fs.rmSync(world.at(name))
    expect(await checkpoint.write(stateOf(2))).toBe(true)
    expect(world.names).toEqual([newest, 'instance'])
    expect(world.codes).toEqual(['STATE_DELETED'])
  })

  test('a file takes the place of the directory, and goes again', async () => {
    const world = new StateWorld()
    const checkpoint = world.open()
    await checkpoint.write(stateOf(1))
    fs.rmSync(world.directory, { recursive: true })
    fs.writeFileSync(world.directory, '')
    for (let time = 0; time < 3; time++) expect(await checkpoint.write(stateOf(2))).toBe(false)
    fs.rmSync(world.directory)
    expect(await checkpoint.write(stateOf(3))).toBe(true)
    expect(world.number).toBe(3)
    expect(world.codes).toEqual(['STATE_DELETED', 'CHECKPOINT_FAILED', 'CHECKPOINT_RECOVERED'])
  })
})

test('there is no directory, nor the one above it', async () => {
  const world = new StateWorld(join(os.tmpdir(), `remora-none-${process.pid}`, 'deep', 'state'))
  onTestFinished(() => fs.rmSync(dirname(dirname(world.directory)), { recursive: true, force: true }))
  const checkpoint = world.open()
  expect(checkpoint.load()).toEqual({ newest: undefined, installation: undefined, unreadable: [] })
  expect(await checkpoint.write(stateOf(1))).toBe(true)
  expect(world.number).toBe(1)
  expect(world.codes).toEqual([])
})

test.runIf(process.getuid?.() === 0)(
  'a directory that this user may not look into is reported, and left as it is',
  () => {
    const world = new StateWorld()
    world.write(newest, 'x')
    fs.chmodSync(world.directory, 0o700)
    const loaded = asNobody(() => world.open().load())
    const path = world.at(newest)
    expect(loaded.newest).toBeUndefined()
    expect(loaded.unreadable[0]).toMatchObject({ path, keptAs: path, why: expect.stringMatching(/^EACCES/) })
    expect(world.textOf(newest)).toBe('x')
  },
)

function mounted(): StateWorld {
  const world = new StateWorld()
  // The hook that is asked for last runs first: before the directory is removed.
  onTestFinished(mountSmall(world.directory, 'size=64k'))
  return world
}

describe.runIf(mayMount)('a file system of its own', () => {
  test('is full: said once, what was there stays, no half-written file takes up room, and it recovers', async () => {
    const world = mounted()
    const checkpoint = world.open()
    expect(await checkpoint.write(stateOf(1))).toBe(true)
    fillUp(world.at('filling'))
    for (let time = 0; time < 3; time++) expect(await checkpoint.write(stateOf(2))).toBe(false)
    expect(world.number).toBe(1)
    expect(world.names).toEqual([newest, 'filling', 'instance'])
    fs.rmSync(world.at('filling'))
    expect(await checkpoint.write(stateOf(3))).toBe(true)
    expect(world.number).toBe(3)
    expect(world.codes).toEqual(['CHECKPOINT_FAILED', 'CHECKPOINT_RECOVERED'])
    expect(world.reports[0]).toMatchObject({
      message: expect.stringMatching(/ENOSPC/),
      wayOut: expect.stringMatching(/Make room/),
    })
  })

  test('becomes read-only, and writable again', async () => {
    const world = mounted()
    const checkpoint = world.open()
    await checkpoint.write(stateOf(1))
    remount(world.directory, 'ro')
    for (let time = 0; time < 3; time++) expect(await checkpoint.write(stateOf(2))).toBe(false)
    expect(numberIn(world.open('the next').load())).toBe(1)
    remount(world.directory, 'rw')
    expect(await checkpoint.write(stateOf(3))).toBe(true)
    expect(world.codes).toEqual(['CHECKPOINT_FAILED', 'CHECKPOINT_RECOVERED'])
    expect(world.reports[0]).toMatchObject({
      message: expect.stringMatching(/EROFS/),
      wayOut: expect.stringMatching(/Mount a writable volume/),
    })
  })

  test('is read-only from the start, with a damaged checkpoint: that one stays', () => {
    const world = mounted()
    world.write(newest, 'x')
    remount(world.directory, 'ro')
    const at = world.at(newest)
    expect(world.open().load().unreadable).toMatchObject([{ path: at, keptAs: at }])
    expect(world.textOf(newest)).toBe('x')
  })

  test('is unmounted while it runs: what is below is empty', async () => {
    const world = mounted()
    const checkpoint = world.open()
    await checkpoint.write(stateOf(1))
    execFileSync('umount', [world.directory])
    expect(await checkpoint.write(stateOf(2))).toBe(true)
    expect(world.number).toBe(2)
    expect(world.codes).toEqual(['STATE_DELETED'])
  })
})

test('a clock that was set back changes nothing', async () => {
  const world = new StateWorld()
  const checkpoint = world.open()
  await checkpoint.write(stateOf(1))
  world.wallMs = () => 0
  expect(await checkpoint.write(stateOf(2))).toBe(true)
  world.wallMs = () => -1e9
  world.write(newest, 'damaged')
  expect(numberIn(world.open().load())).toBe(1)
})
