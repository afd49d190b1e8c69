import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { systemDisk } from '../../src/base/disk.ts'
import { Checkpoint, type Loaded } from '../../src/settle/checkpoint.ts'
import { numberOf, stateOf } from './states.ts'

let directory: string
beforeEach(() => void (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-crash-'))))
afterEach(() => {
  vi.restoreAllMocks()
  fs.rmSync(directory, { recursive: true })
})

const open = () =>
  new Checkpoint(
    systemDisk,
    systemClock,
    directory,
    () => undefined,
    () => undefined,
  )

const loadedNumber = (loaded: Loaded): number => (loaded.kind === 'loaded' ? numberOf(loaded.state) : 0)

const named = (file: unknown) => path.basename(String(file)).replace(/^remora-crash-.*/, 'the directory')

/**
 * From now on each step of a write is noted, and from step number `crashAt` on none takes place any more. The step at
 * which the power fails may be half done: of a write, the first `written` bytes.
 */
function watch(crashAt: number, written: number): string[] {
  const steps: string[] = []
  async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
    if (steps.length > crashAt) throw new Error('there is no power')
    steps.push(name)
    if (steps.length <= crashAt) return run()
    throw new Error('the power fails')
  }
  const { open: openFile, rename } = fs.promises
  vi.spyOn(fs.promises, 'rename').mockImplementation((from, to) =>
    step(`rename ${named(from)} to ${named(to)}`, () => rename(from, to)),
  )
  vi.spyOn(fs.promises, 'open').mockImplementation(async (file, flags, mode) => {
    const name = named(file)
    const handle = await step(`open ${name}`, () => openFile(file, flags, mode))
    const real = {
      writeFile: handle.writeFile.bind(handle),
      datasync: handle.datasync.bind(handle),
      sync: handle.sync.bind(handle),
      close: handle.close.bind(handle),
    }
    return Object.assign(handle, {
      writeFile: async (text: string) => {
        if (steps.length === crashAt) await real.writeFile(text.slice(0, written))
        return step(`write ${name}`, () => real.writeFile(text))
      },
      datasync: () => step(`flush ${name}`, () => real.datasync()),
      sync: () => step(`flush ${name}`, () => real.sync()),
      close: async () => {
        // A dead process's descriptors are closed too; only then it is no step of the program.
        if (steps.length <= crashAt) steps.push(`close ${name}`)
        return real.close()
      },
    })
  })
  return steps
}

const allSteps = [
  'open checkpoint.json.tmp',
  'write checkpoint.json.tmp',
  'flush checkpoint.json.tmp',
  'close checkpoint.json.tmp',
  'rename checkpoint.json to checkpoint.previous.json',
  'rename checkpoint.json.tmp to checkpoint.json',
  'open the directory',
  'flush the directory',
  'close the directory',
]

test('the bytes are on disk before their name is, and the name before the write counts', async () => {
  await open().write(stateOf(1))
  const steps = watch(Infinity, 0)
  expect(await open().write(stateOf(2))).toBe(true)
  expect(steps).toEqual(allSteps)
})

describe.each([0, 1, 100, 250])('when a write of which %i bytes get through', (written) => {
  test.each(allSteps.map((name, crashAt) => [name, crashAt] as const))('ends at: %s', async (_name, crashAt) => {
    await open().write(stateOf(1))
    await open().write(stateOf(2))
    watch(crashAt, written)
    const answered = await open().write(stateOf(3))
    vi.restoreAllMocks()

    const loaded = open().load()
    const number = loadedNumber(loaded)
    expect([2, 3], 'the state before or the one that was being written').toContain(number)
    expect(answered ? number : 3, 'what was answered for is there').toBe(3)
    expect(loaded, 'nothing is broken').not.toHaveProperty('setAside')

    expect(await open().write(stateOf(4)), 'and it goes on from there').toBe(true)
    expect(loadedNumber(open().load())).toBe(4)
  })
})

test('the first write of all, cut anywhere, leaves a first start or the state', async () => {
  for (const [crashAt] of allSteps.entries()) {
    watch(crashAt, 50)
    await open().write(stateOf(1))
    vi.restoreAllMocks()
    const loaded = open().load()
    expect(loaded.kind === 'fresh' ? loaded : numberOf(loaded.state)).toEqual(
      loaded.kind === 'fresh' ? { kind: 'fresh' } : 1,
    )
    fs.rmSync(directory, { recursive: true })
    fs.mkdirSync(directory)
  }
})

test('crash after crash, there is always a state, and it never goes back', async () => {
  await open().write(stateOf(1))
  let least = 1
  for (let number = 2; number < 40; number++) {
    watch(number % (allSteps.length + 2), (number * 37) % 300)
    const answered = await open().write(stateOf(number))
    vi.restoreAllMocks()
    const now = loadedNumber(open().load())
    expect(now).toBeGreaterThanOrEqual(least)
    expect(answered ? now : number).toBe(number)
    least = now
  }
})

test('only the user that Remora runs as may read the state', async () => {
  await open().write(stateOf(1))
  await open().write(stateOf(2))
  const modes = fs.readdirSync(directory).map((name) => fs.statSync(path.join(directory, name)).mode & 0o777)
  expect(modes).toEqual([0o600, 0o600])
})
