import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { AgentWorld, sorted } from './world.ts'

const log = '/logs/app.log'

async function started(...given: ConstructorParameters<typeof AgentWorld>): Promise<AgentWorld> {
  const world = new AgentWorld(...given)
  world.write(log, 10)
  await world.agent.start()
  await world.agent.advance(3_000)
  return world
}

describe('an application that still writes', () => {
  const quiet = { drainQuietMs: 2_000 }

  test.each([1_000, 5_000, 19_000])('for %i ms: all of it is shipped, two seconds later it is over', async (forMs) => {
    const world = await started(quiet)
    world.every(100, forMs, () => world.write(log))
    const { tookMs, files, checkpoint } = await world.stop()
    expect(sorted(world.stored)).toEqual(sorted(world.lines()))
    expect({ files, checkpoint }).toEqual({ files: [], checkpoint: 'written' })
    expect(tookMs).toBeGreaterThanOrEqual(forMs + 2_000 - 100)
    expect(tookMs).toBeLessThanOrEqual(forMs + 2_000 + limits.pollIntervalMaxMs)
  })

  test('for ever: until the grace less three seconds, and what comes then is named', async () => {
    const world = await started(quiet)
    world.every(100, 60_000, () => world.write(log))
    const { tookMs, files, unreadBytes } = await world.stop()
    expect(tookMs).toBeGreaterThanOrEqual(25_000 - limits.drainReserveMs)
    expect(tookMs).toBeLessThanOrEqual(25_000 - limits.drainReserveMs + limits.pollIntervalMinMs)
    // All lines up to the last look, of which the very last may have come with it.
    expect(sorted(world.stored)).toEqual(sorted(world.lines(1, world.written - files.length)))
    expect(unreadBytes).toBe(files.length * 'line 230\n'.length)
  })

  test.each([0, 2_000])('without a pause: what the last look showed is shipped (quiet %i ms)', async (drainQuietMs) => {
    const world = await started({ drainQuietMs })
    world.agent.server.travel = () => new Promise((resolve) => world.clock.after(40, () => resolve()))
    world.every(5, 60_000, () => world.write(log))
    world.write(log)
    const { tookMs, unreadBytes, heldLines } = await world.stop()
    expect(tookMs).toBeGreaterThanOrEqual(25_000 - limits.drainReserveMs)
    expect(tookMs).toBeLessThanOrEqual(25_000 - limits.drainReserveMs + 500)
    expect(heldLines).toBe(0)
    const left = world.lines().filter((line) => !world.stored.includes(line))
    expect(left.length).toBeGreaterThan(0)
    // As the files are at the very end; in the same moment one more line may have come.
    const leftBytes = left.join('\n').length + 1
    expect([leftBytes, leftBytes - 'line 4999\n'.length]).toContain(unreadBytes)
  })

  test('and is silent for less than that in between', async () => {
    const world = await started(quiet)
    world.every(1_900, 10_000, () => world.write(log))
    await world.stop()
    expect(sorted(world.stored)).toEqual(sorted(world.lines()))
  })

  test('which nobody waits for without the setting: what comes within a second is shipped, as far as it is seen', async () => {
    const world = await started()
    world.every(1, 60_000, () => world.write(log))
    const { tookMs } = await world.stop()
    expect(tookMs).toBeLessThanOrEqual(limits.drainFollowMs + 1)
  })

  test('rotates meanwhile, out of the glob', async () => {
    const world = await started(quiet)
    let round = 0
    world.every(700, 6_000, () => {
      world.write(log, 3)
      world.files.rename(log, `/logs/app.log.${++round}`)
      world.write(log, 2)
    })
    const { files } = await world.stop()
    expect(round).toBeGreaterThan(5)
    expect(sorted(world.stored)).toEqual(sorted(world.lines()))
    expect(files).toEqual([])
  })

  test('begins a new file, in a new directory, and nobody hints at it', async () => {
    const world = await started(quiet)
    world.files.changed = () => {}
    world.clock.after(1_500, () => {
      world.files.makeDirectory('/logs/late')
      world.write('/logs/late/new.log', 4)
    })
    const { tookMs, files } = await world.stop()
    expect(sorted(world.stored)).toEqual(sorted(world.lines()))
    expect(files).toEqual([])
    expect(tookMs, 'it was found when it was quiet, and was news then').toBeGreaterThanOrEqual(4_000)
  })

  test('deletes its file: the open one still has the lines', async () => {
    const world = await started(quiet)
    world.clock.after(500, () => {
      world.write(log, 5)
      world.files.remove(log)
    })
    await world.stop()
    expect(sorted(world.stored)).toEqual(sorted(world.lines()))
  })
})

test('without the setting, what was written until the signal is shipped at once', async () => {
  const world = await started()
  world.write(log, 20)
  world.files.rename(log, '/logs/app.log.1')
  world.write(log, 5)
  const { tookMs, files } = await world.stop()
  expect(sorted(world.stored)).toEqual(sorted(world.lines()))
  expect(files).toEqual([])
  expect(tookMs).toBeLessThanOrEqual(100)
})

test('a signal while the first checkpoint is slow: shipping begins, and is brought to its end', async () => {
  let slow = true
  const step = () => (slow ? new Promise<void>((resolve) => world.clock.after(1_000, () => resolve())) : undefined)
  const world = new AgentWorld({}, {}, { step: async () => step() })
  world.write(log, 7)
  void world.agent.start()
  await world.agent.advance(100)
  world.clock.after(2_000, () => (slow = false))
  const { files, tookMs } = await world.stop()
  expect(files).toEqual([])
  expect(sorted(world.stored)).toEqual(sorted(world.lines()))
  expect(tookMs).toBeGreaterThanOrEqual(2_000)
})

const pathOf = (file: number) => `/logs/${file}.log`

test('files that are gone make room in the ledger for those that come', async () => {
  const world = new AgentWorld()
  for (let file = 0; file < limits.ledgerFilesMax + 1; file++) world.write(pathOf(file))
  await world.agent.start()
  await world.agent.advance(2_000)
  const { ledger } = world.agent.agent
  expect(ledger.isFull).toBe(true)
  for (let file = 0; file < 20; file++) world.files.remove(pathOf(file))
  await world.agent.advance(limits.deletedHoldMs + 15_000)
  // Room is made when a checkpoint is written.
  world.write('/logs/late.log', 3)
  await world.agent.advance(2_000)
  world.write('/logs/late.log', 4)
  await world.agent.advance(2_000)
  expect(ledger.files.has('/logs/late.log')).toBe(true)
  expect(ledger.of('/logs/late.log')).toMatchObject({ readLines: 4, acknowledgedLines: 4 })
  expect(ledger.imbalance).toBe(0)
})

describe('when Elasticsearch is away', () => {
  test.each([0, 2_000])(
    'it is over within the grace, and what is left is named (quiet %i ms)',
    async (drainQuietMs) => {
      const world = await started({ drainQuietMs }, { slots: 1, concurrency: 1, batchBytes: 32_768 })
      world.agent.server.outcome = () => 'hang'
      world.write(log, 2_000)
      world.write('/logs/other.log', 300)
      const { tookMs, files, heldLines, unreadBytes, checkpoint, ledger } = await world.stop()
      expect(tookMs).toBe(25_000 - limits.shutdownReserveMs)
      expect(checkpoint).toBe('written')
      expect(heldLines).toBeGreaterThan(0)
      expect(files.map(({ path }) => path)).toContain('/logs/other.log')
      expect(files.reduce((sum, file) => sum + file.unreadBytes, 0)).toBe(unreadBytes)
      expect(files.reduce((sum, file) => sum + file.heldLines, 0)).toBe(heldLines)
      expect(ledger.imbalance).toBe(0)

      // After a restart of the container.
      world.agent.server.outcome = () => 'ok'
      await world.agent.start()
      await world.agent.advance(5_000)
      expect(sorted(world.stored)).toEqual(sorted(world.lines()))
      expect(world.agent.server.complaints).toEqual([])
    },
  )

  test('the checkpoint is there before the files are looked at once more, which may take long', async () => {
    const order: string[] = []
    const step = (what: string) => Promise.resolve(void order.push(what))
    const world = await started({}, {}, { step, listing: () => void order.push('look') })
    world.agent.server.outcome = () => 'hang'
    world.write(log, 2_000)
    world.clock.after(25_000 - limits.shutdownReserveMs - 1, () => (order.length = 0))
    const { checkpoint } = await world.stop()
    expect(checkpoint).toBe('written')
    expect(order).toContain('rename')
    expect(order).toContain('look')
    expect(order.indexOf('look')).toBeGreaterThan(order.lastIndexOf('rename'))
  })

  test('and comes back meanwhile: all of it is shipped', async () => {
    const world = await started()
    world.agent.server.outcome = () => 'failed'
    world.write(log, 2_000)
    world.clock.after(10_000, () => (world.agent.server.outcome = () => 'ok'))
    const { files, tookMs } = await world.stop()
    expect(files).toEqual([])
    expect(tookMs).toBeLessThan(24_000)
    expect(sorted(world.stored)).toEqual(sorted(world.lines()))
  })
})

describe('the grace is never exceeded', () => {
  test.each(['before the signal', 'at the last checkpoint'])('by a disk that hangs %s', async (when) => {
    let hangs = false
    const step = () => (hangs ? new Promise<void>(() => {}) : Promise.resolve())
    const world = await started({}, {}, { step })
    hangs = when === 'before the signal'
    // A new file needs a checkpoint before its lines may leave.
    if (hangs) world.write('/logs/new.log', 7)
    world.write(log, 3)
    hangs = true
    const { tookMs, checkpoint, files } = await world.stop()
    expect(checkpoint).toBe('hanging')
    expect(tookMs).toBeLessThanOrEqual(25_000)
    const held = when === 'before the signal' ? [{ path: '/logs/new.log', unreadBytes: 0, heldLines: 7 }] : []
    expect(files.filter(({ path }) => path === '/logs/new.log')).toEqual(held)

    hangs = false
    await world.agent.start()
    await world.agent.advance(5_000)
    expect(sorted(world.stored)).toEqual(sorted(world.lines()))
  })

  test.each([0, 5_000])('by a look at many files that lasts, with an answer after %i ms', async (answerMs) => {
    let isSlow = false
    let turns = 0
    const turn = () => {
      turns++
      return isSlow ? new Promise<void>((resolve) => world.clock.after(20, resolve)) : Promise.resolve()
    }
    const world: AgentWorld = new AgentWorld({}, { lookStepsMax: 1, turn })
    for (let n = 0; n < 100; n++) world.write(`/logs/app-${n}.log`)
    await world.agent.start()
    await world.agent.advance(3_000)
    world.agent.server.travel = () => new Promise((resolve) => world.clock.after(answerMs, () => resolve()))
    world.write('/logs/app-7.log', 3)
    await world.agent.advance(100)
    isSlow = true
    const { tookMs, checkpoint } = await world.stop(1_000)
    expect(checkpoint).toBe('written')
    expect(tookMs).toBeLessThanOrEqual(1_000)
    const before = turns
    await world.agent.advance(10_000)
    expect(turns).toBeGreaterThan(10)
    expect(turns).toBeLessThanOrEqual(before + 1)
  })

  test.each([100, 1_000, 2_500])('of %i ms', async (graceMs) => {
    const world = await started()
    world.agent.server.outcome = () => 'hang'
    world.write(log, 50)
    const { tookMs, checkpoint } = await world.stop(graceMs)
    expect(tookMs).toBeLessThanOrEqual(graceMs)
    expect(checkpoint).toBe('written')
  })

  test('by a state directory that hangs at the start', async () => {
    const world = new AgentWorld({}, {}, { step: () => new Promise<void>(() => {}) })
    world.write(log, 5)
    await expect(world.agent.start(), 'nothing but the disk could end it').rejects.toThrow('time alone')
    const { tookMs, checkpoint, unreadBytes } = await world.stop()
    expect(checkpoint).toBe('hanging')
    expect(tookMs).toBeLessThanOrEqual(25_000)
    expect(unreadBytes).toBe(5 * 'line 1\n'.length)
  })
})

describe('a second signal', () => {
  test('stops at once, with the checkpoint safe', async () => {
    const world = await started()
    world.agent.server.outcome = () => 'hang'
    world.write(log, 50)
    const now = new AbortController()
    const beganMs = world.clock.nowMs
    world.clock.after(3_000, () => now.abort())
    let atMs = 0
    const stopping = world.agent.agent.stop(25_000, now.signal).finally(() => (atMs = world.clock.nowMs))
    await world.agent.advance(25_000)
    const { checkpoint, heldLines } = await stopping
    expect(atMs - beganMs).toBe(3_000)
    expect({ checkpoint, heldLines }).toEqual({ checkpoint: 'written', heldLines: 50 })
  })

  test('waits no longer than a second for a disk that hangs', async () => {
    let hangs = false
    const world = await started({}, {}, { step: () => (hangs ? new Promise<void>(() => {}) : Promise.resolve()) })
    hangs = true
    world.write('/logs/new.log', 50)
    const now = new AbortController()
    const beganMs = world.clock.nowMs
    world.clock.after(3_000, () => now.abort())
    let atMs = 0
    const stopping = world.agent.agent.stop(25_000, now.signal).finally(() => (atMs = world.clock.nowMs))
    await world.agent.advance(25_000)
    expect((await stopping).checkpoint).toBe('hanging')
    expect(atMs - beganMs).toBe(3_000 + limits.shutdownReserveMs)
  })
})

test('a fault in Remora itself while draining: what it knew is told, and the checkpoint before is kept', async () => {
  const world = await started()
  const checkpointNow = () => JSON.parse(world.files.find('/state/checkpoint.json')!.bytes.toString().split('\n')[1]!)
  let before: unknown
  world.agent.server.outcome = () => 'failed'
  world.write(log, 8)
  // An answer with a verdict that no document has: the account cannot balance.
  world.clock.after(2_000, () => {
    world.agent.server.outcome = () => 'ok'
    world.agent.agent.ledger.heldLines += 1
    before = checkpointNow()
  })
  const { failure, checkpoint, tookMs, ledger } = await world.stop()
  expect(failure).toMatchObject({ message: expect.stringMatching(/the ledger of all files does not balance: \{/) })
  expect(checkpoint).toBe('kept')
  expect(tookMs).toBeLessThan(25_000)
  expect(ledger.readLines).toBe(18)
  expect(checkpointNow()).toEqual(before)
})

test('what may vanish is shipped first: rotated and deleted files before live ones', async () => {
  const world = await started({}, { slots: 1, concurrency: 1, batchBytes: 32_768 })
  world.agent.server.outcome = () => 'hang'
  world.agent.server.patience = () => new Promise((resolve) => world.clock.after(1_000, () => resolve()))
  world.write('/logs/live.log', 1_500)
  world.write('/logs/gone.log', 1_500)
  world.write('/logs/old.log', 1_500)
  await world.agent.advance(400)
  world.files.remove('/logs/gone.log')
  world.files.rename('/logs/old.log', '/logs/old.log.1')
  await world.agent.advance(400)
  const order: string[] = []
  world.agent.server.outcome = (documents) => {
    for (const { path } of documents) if (order.at(-1) !== path) order.push(path)
    return 'ok'
  }
  await world.stop()
  expect(sorted(world.stored)).toEqual(sorted(world.lines()))
  const last = (path: string) => order.lastIndexOf(path)
  expect(last('/logs/gone.log')).toBeLessThan(last('/logs/live.log'))
  expect(last('/logs/old.log')).toBeLessThan(last('/logs/live.log'))
})
