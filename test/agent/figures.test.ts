import { describe, expect, test } from 'vitest'
import { diskError } from '../kit/agent-files.ts'
import { AgentWorld } from './world.ts'

const fileOf = (world: AgentWorld, path: string) =>
  world.agent.agent.figures().byFile.find((file) => file.path === path)

describe('bytes by verdict', () => {
  test('all that was read is answered for in the end, with what is no line of its own', async () => {
    const world = new AgentWorld()
    await world.agent.start()
    const file = world.files.open('/logs/app.log')
    world.files.append(file, `one\n\n${'x'.repeat(10_000)}\n`)
    await world.agent.advance(3_000)
    world.files.append(file, `${'\0'.repeat(4096)}two\n`)
    // The rest of a line that was cut comes by itself: a batch without a document.
    for (const part of ['y'.repeat(5_000), 'y'.repeat(3_000), 'y'.repeat(2_000), '\n']) {
      await world.agent.advance(3_000)
      world.files.append(file, part)
    }
    world.write('/logs/other.log', 500)
    await world.agent.advance(10_000)
    const { readBytes, acknowledgedBytes, refusedBytes } = world.agent.agent.figures()
    expect(readBytes).toBe(file.bytes.length + world.files.find('/logs/other.log')!.bytes.length)
    expect({ acknowledgedBytes, refusedBytes }).toEqual({ acknowledgedBytes: readBytes, refusedBytes: 0 })
    expect(fileOf(world, '/logs/app.log')?.acknowledgedBytes).toBe(file.bytes.length)
  })

  test('of lines that are refused each line has its share', async () => {
    const world = new AgentWorld()
    world.agent.server.outcome = () => ({
      item: ({ offset }) => (offset === 0 ? { status: 400, errorType: 'strict_dynamic_mapping_exception' } : undefined),
    })
    await world.agent.start()
    world.write('/logs/app.log', 9)
    await world.agent.advance(10_000)
    const bytes = 9 * 'line 1\n'.length
    expect(world.agent.agent.figures()).toMatchObject({
      refusedLines: 1,
      refusedBytes: bytes / 9,
      deadLetteredBytes: bytes / 9,
      acknowledgedBytes: (8 * bytes) / 9,
      lostBytes: 0,
    })
  })
})

describe('lag by file', () => {
  test('grows while a file cannot be read, and is nothing for half a line and what is read', async () => {
    const world = new AgentWorld()
    await world.agent.start()
    world.write('/logs/full.log', 10)
    world.files.append(world.files.open('/logs/half.log'), 'half a li')
    await world.agent.advance(100_000)
    expect(fileOf(world, '/logs/full.log')?.lagSeconds).toBe(0)
    world.agent.server.outcome = () => 'hang'
    world.write('/logs/full.log', 40_000)
    await world.agent.advance(60_000)
    world.write('/logs/late.log', 10)
    await world.agent.advance(20_000)
    const figures = world.agent.agent.figures()
    const lag = (path: string) => fileOf(world, path)?.lagSeconds ?? 0
    expect(lag('/logs/full.log')).toBeGreaterThan(70)
    expect(lag('/logs/full.log')).toBeLessThanOrEqual(90)
    expect(lag('/logs/half.log')).toBe(0)
    // Nothing of it was ever read, so it has no account of its own.
    const rest = figures.byFile.find(({ path }) => path === undefined)
    expect(rest?.lagSeconds).toBeGreaterThan(10)
    expect(rest?.lagSeconds).toBeLessThanOrEqual(21)
  })
})

describe('what cannot be read', () => {
  test('files by the reason, directories, and neither when it is mended', async () => {
    const broken = new Set<string>()
    const world = new AgentWorld(
      {},
      {},
      {
        before: (call, path) => {
          if (broken.has(`${call} ${path}`)) throw diskError(path.includes('secret') ? 'EACCES' : 'EIO', path)
        },
      },
    )
    world.files.makeDirectory('/logs/private')
    for (const key of ['open /logs/secret.log', 'read /logs/bad.log', 'list /logs/private']) broken.add(key)
    for (const name of ['secret', 'bad', 'good', 'private/app']) world.write(`/logs/${name}.log`, 2)
    await world.agent.start()
    await world.agent.advance(12_000)
    const { unreadableFiles, unreadableDirectories } = world.agent.agent.figures()
    expect(unreadableFiles).toEqual([
      { reason: 'EACCES', count: 1 },
      { reason: expect.any(String), count: 1 },
    ])
    expect(unreadableDirectories).toBe(1)
    broken.clear()
    await world.agent.advance(60_000)
    expect(world.agent.agent.figures()).toMatchObject({ unreadableFiles: [], unreadableDirectories: 0 })
    expect(world.stored).toHaveLength(8)
  })

  test('one that the process before has read in part', async () => {
    const broken = new Set<string>()
    const world = new AgentWorld(
      {},
      {},
      {
        before: (call, path) => {
          if (broken.has(`${call} ${path}`)) throw diskError('EACCES', path)
        },
      },
    )
    await world.agent.start()
    world.write('/logs/app.log', 5)
    await world.agent.advance(5_000)
    await world.agent.stop()
    world.write('/logs/app.log', 5)
    broken.add('open /logs/app.log')
    await world.agent.start()
    await world.agent.advance(30_000)
    expect(world.agent.agent.figures().unreadableFiles).toEqual([{ reason: 'NOT_REOPENED', count: 1 }])
    broken.clear()
    await world.agent.advance(60_000)
    expect(world.agent.agent.figures().unreadableFiles).toEqual([])
    expect(world.stored).toHaveLength(10)
  })
})
