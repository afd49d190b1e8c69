import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { systemDisk } from '../../src/base/disk.ts'
import { Checkpoint } from '../../src/settle/checkpoint.ts'
import { stateOf } from './states.ts'
import { numberIn, StateWorld } from './world.ts'

let world: StateWorld
beforeEach(() => void (world = new StateWorld()))
afterEach(() => void vi.restoreAllMocks())

const open = () =>
  new Checkpoint({
    disk: systemDisk,
    clock: systemClock,
    directory: world.directory,
    writer: 'me',
    say: () => undefined,
  })

const named = (file: unknown) => path.basename(String(file)).replace(/^remora-state-.*/, 'the directory')

/**
 * From now on each step of a write is noted, and from step number `crashAt` on none takes place any more. The step at
 * which the power fails may be half done: of a write, the first `written` bytes.
 */
function watch(crashAt: number, written: number): string[] {
  const steps: string[] = []
  const hasPower = () => steps.length <= crashAt
  async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
    if (!hasPower()) throw new Error('there is no power')
    steps.push(name)
    if (hasPower()) return run()
    throw new Error('the power fails')
  }
  const { open: openFile, rename, unlink } = fs.promises
  vi.spyOn(fs.promises, 'rename').mockImplementation((from, to) =>
    step(`rename ${named(from)} to ${named(to)}`, () => rename(from, to)),
  )
  vi.spyOn(fs.promises, 'unlink').mockImplementation((file) => step(`remove ${named(file)}`, () => unlink(file)))
  // What a program does about a failure is no step of a program that has no power.
  const { renameSync, rmSync } = fs
  vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => (hasPower() ? renameSync(from, to) : undefined))
  vi.spyOn(fs, 'rmSync').mockImplementation((file, options) => (hasPower() ? rmSync(file, options) : undefined))
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
        if (hasPower()) steps.push(`close ${name}`)
        return real.close()
      },
    })
  })
  return steps
}

const draftSteps = (name: string) => [`open ${name}.tmp`, `write ${name}.tmp`, `flush ${name}.tmp`, `close ${name}.tmp`]
const directorySteps = ['open the directory', 'flush the directory', 'close the directory']
const allSteps = [
  ...draftSteps('checkpoint.json'),
  'rename checkpoint.json to checkpoint.previous.json',
  'rename checkpoint.json.tmp to checkpoint.json',
  ...directorySteps,
]
/** Of all, or after a version that kept the instance in the checkpoint. */
const firstSteps = [
  ...draftSteps('checkpoint.json'),
  'rename checkpoint.json.tmp to checkpoint.json',
  ...directorySteps,
  ...draftSteps('instance'),
  'rename instance.tmp to instance',
  ...directorySteps,
]

async function writeAgain(number: number): Promise<boolean> {
  const checkpoint = open()
  checkpoint.load()
  return checkpoint.write(stateOf(number))
}

test('the bytes are on disk before their name is, and the name before the write counts', async () => {
  const first = watch(Infinity, 0)
  expect(await writeAgain(1)).toBe(true)
  expect(first).toEqual(firstSteps)
  vi.restoreAllMocks()
  const steps = watch(Infinity, 0)
  expect(await writeAgain(2)).toBe(true)
  expect(steps).toEqual(allSteps)
})

describe.each([0, 1, 100, 250])('when a write of which %i bytes get through', (written) => {
  test.each(allSteps.map((name, crashAt) => [name, crashAt] as const))('ends at: %s', async (_name, crashAt) => {
    await writeAgain(1)
    await writeAgain(2)
    watch(crashAt, written)
    const answered = await writeAgain(3)
    vi.restoreAllMocks()

    const loaded = open().load()
    const number = numberIn(loaded)
    expect([2, 3], 'the state before or the one that was being written').toContain(number)
    expect(answered ? number : 3, 'what was answered for is there').toBe(3)
    expect(loaded.unreadable, 'nothing is broken').toEqual([])
    expect(loaded.installation?.instance).toBe('here')

    expect(await writeAgain(4), 'and it goes on from there').toBe(true)
    expect(world.number).toBe(4)
    expect(world.names, 'what was half-written is gone').toEqual([
      'checkpoint.json',
      'checkpoint.previous.json',
      'instance',
    ])
  })
})

test.each(firstSteps.map((name, crashAt) => [name, crashAt] as const))(
  'the first write of all, ending at: %s, leaves a first start or the whole state with its instance',
  async (_name, crashAt) => {
    watch(crashAt, 3)
    const answered = await writeAgain(1)
    vi.restoreAllMocks()
    const loaded = open().load()
    expect(answered ? numberIn(loaded) : 1, 'what was answered for is there').toBe(1)
    expect(loaded.unreadable).toEqual([])
    // The instance without the state would be a state that was lost, and no first start.
    const { newest, installation } = loaded
    expect(newest === undefined ? [installation] : [newest.read.state.instance]).toEqual([newest && 'here'])
    expect(await writeAgain(2)).toBe(true)
    expect(open().load()).toMatchObject({ installation: { instance: 'here' }, unreadable: [] })
  },
)

test('crash after crash, there is always a state, and it never goes back', async () => {
  await writeAgain(1)
  let least = 1
  for (let number = 2; number < 40; number++) {
    watch(number % (allSteps.length + 2), (number * 37) % 300)
    const answered = await writeAgain(number)
    vi.restoreAllMocks()
    const now = world.number
    expect(now).toBeGreaterThanOrEqual(least)
    expect(answered ? now : number).toBe(number)
    least = now
  }
})

test('only the user that Remora runs as may read the state', async () => {
  await writeAgain(1)
  await writeAgain(2)
  const modes = world.names.map((name) => fs.statSync(world.at(name)).mode & 0o777)
  expect(modes).toEqual([0o600, 0o600, 0o600])
})
