import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { replay, withNewReason, type Replayed } from '../../src/ship/letters/replay.ts'
import { segmentPath, segmentsIn } from '../../src/ship/letters/segments.ts'
import type { LetterVerdict, Outbound } from '../../src/ship/letters/sending.ts'
import { again } from '../../src/ship/letters/shapes.ts'
import { diskError } from '../kit/agent-files.ts'
import { runs } from '../base/runs.ts'
import { clock, directory, LetterDisk, lettersOn, refusedOf, stateDir } from './letters-kit.ts'

let world: LetterDisk
beforeEach(() => void (world = new LetterDisk()))

const idIn = (action: string) => (JSON.parse(action) as { create: { _id: string } }).create._id

/** A server that keeps documents by id. */
class Server {
  readonly taken = new Set<string>()
  readonly batches: number[] = []
  isOver = false
  twice = 0
  verdict: (id: string) => 'taken' | 'refused' | 'none' = () => 'taken'
  during: () => void | Promise<void> = () => {}

  async send(letters: readonly Outbound[]): Promise<LetterVerdict[]> {
    this.batches.push(letters.length)
    await this.during()
    return letters.map(({ action, source, target }): LetterVerdict => {
      const id = idIn(action)
      const kind = this.verdict(id)
      if (kind === 'none') return { kind }
      if (kind === 'refused')
        return { kind, refused: { status: 400, errorType: 'again', reason: 'new', target, action, source } }
      const duplicate = this.taken.has(id)
      if (duplicate) this.twice++
      this.taken.add(id)
      return { kind, duplicate, possiblyDuplicated: false }
    })
  }
}

function run(server: Server, disk = world.disk): Promise<Replayed> {
  return replay({
    disk,
    clock: clock.view(() => true),
    stateDir,
    sending: server,
    shape: (letter) => again(letter, {}),
    refusedAgain: withNewReason,
  })
}

const fill = (count: number, bytesMax = 8_000, to = world) => {
  const letters = lettersOn(to.disk, bytesMax)
  for (let number = 0; number < count; number++) letters.keep(refusedOf(number))
  return letters
}
const all = (count: number) => Array.from({ length: count }, (_, number) => String(number))

test('what is taken goes, what is refused again stays with its new reason, what got no verdict stays as it is', async () => {
  fill(9)
  const server = new Server()
  const kinds = ['taken', 'refused', 'none'] as const
  server.verdict = (id) => kinds[Number(id) % 3]!
  const before = world.letters()
  const result = await run(server)
  expect(result).toMatchObject({ taken: 3, refused: 3, left: 3, unreadable: 0, torn: 0, failure: undefined })
  expect([...result.reasons]).toEqual([['400 again', 3]])
  const after = world.letters()
  expect(after.map(({ action }) => idIn(action))).toEqual(all(9).filter((id) => Number(id) % 3 > 0))
  for (const letter of after) {
    const was = before.find(({ action }) => action === letter.action)!
    const refused = Number(idIn(letter.action)) % 3 === 1
    expect(letter).toEqual(refused ? { ...was, at: letter.at, type: 'again', reason: 'new' } : was)
  }
  server.verdict = () => 'taken'
  expect(await run(server)).toMatchObject({ taken: 6, duplicates: 0, left: 0 })
  expect(world.plain.list(directory)).toEqual([])
  expect(await run(server)).toMatchObject({ taken: 0, segments: 0 })
})

test('one batch after another, bounded in documents and bytes', async () => {
  fill(limits.replayBatchDocuments + 5, 2 ** 24)
  const server = new Server()
  await run(server)
  expect(server.batches).toEqual([limits.replayBatchDocuments, 5])
  const letters = lettersOn(world.disk, 2 ** 24)
  for (let number = 0; number < 10; number++) letters.keep(refusedOf(number, '/a', 'x'.repeat(300_000)))
  const large = new Server()
  await run(large)
  expect(large.batches.reduce((sum, count) => sum + count, 0)).toBe(10)
  expect(Math.max(...large.batches)).toBeLessThanOrEqual(4)
})

test('letters of another target go in a request of their own', async () => {
  const letters = lettersOn(world.disk, 64_000)
  for (const [number, target] of ['a', 'a', 'b', 'b', 'a'].entries()) letters.keep({ ...refusedOf(number), target })
  const server = new Server()
  expect(await run(server)).toMatchObject({ taken: 5 })
  expect(server.batches).toEqual([2, 2, 1])
})

test('once nothing more gets through the rest is counted, and stays', async () => {
  fill(20, 4_000)
  const kept = world.ids()
  const server = new Server()
  server.verdict = () => 'none'
  server.during = () => void (server.isOver = true)
  const result = await run(server)
  expect(result).toMatchObject({ taken: 0, left: kept.length })
  expect(server.batches).toHaveLength(1)
  expect(world.ids()).toEqual(kept)
})

describe('lines that are no letters', () => {
  test('stay as they are and where they are; what was cut at the end goes', async () => {
    fill(2)
    const path = segmentPath(directory, 3)
    world.files.append(world.files.find(path)!, 'what somebody has written\n')
    lettersOn(world.disk, 8_000).keep(refusedOf(2))
    world.files.append(world.files.find(path)!, '{"at":"20')
    const result = await run(new Server())
    expect(result).toMatchObject({ taken: 3, unreadable: 1, torn: 1, left: 0 })
    expect(result.unreadableIn).toContain('00000003')
    const [segment] = segmentsIn(world.plain, directory)
    expect(world.files.find(segment!.path)!.bytes.toString()).toBe('what somebody has written\n')
  })

  test('a letter that was made into a request of its own is not sent', async () => {
    const letters = lettersOn(world.disk, 8_000)
    letters.keep({ ...refusedOf(1), action: '{"delete":{"_id":"1"}}' })
    const server = new Server()
    expect(await run(server)).toMatchObject({ taken: 0, unreadable: 1 })
    expect(server.batches).toEqual([])
    expect(world.letters()).toHaveLength(1)
  })
})

/** Ends the world at the call of that number; what was under way stays undone. */
async function killedAt(step: number, server: Server): Promise<boolean> {
  let calls = 0
  let dead = false
  world.before = (_call, path) => {
    if (dead || calls++ === step) {
      dead = true
      throw diskError('KILLED', path)
    }
  }
  await run(server)
  world.before = () => {}
  return dead
}

describe('killed at any step', () => {
  test('no letter is lost, and the next one brings exactly the rest', async () => {
    const count = 12
    let steps = 0
    for (let wasKilled = true; wasKilled && steps < 1_000; steps++) {
      world = new LetterDisk()
      fill(count, 16_000)
      const server = new Server()
      server.verdict = (id) => (Number(id) % 4 === 0 ? 'refused' : 'taken')
      wasKilled = await killedAt(steps, server)
      const there = new Set([...server.taken, ...world.ids()])
      expect([...there].toSorted(), `killed at ${steps}`).toEqual(all(count).toSorted())
      server.verdict = () => 'taken'
      const result = await run(server)
      expect(result.failure).toBeUndefined()
      expect([...server.taken].toSorted()).toEqual(all(count).toSorted())
      expect(world.ids()).toEqual([])
    }
    expect(steps, 'it was killed at some').toBeGreaterThan(20)
  })

  test('what it has left half-written is removed when it is old', async () => {
    fill(2)
    const draft = `${segmentPath(directory, 3, true)}.abc-1.draft`
    world.files.append(world.files.open(draft), 'x')
    world.files.find(draft)!.modifiedMs = clock.wallMs
    await run(new Server())
    expect(world.plain.list(directory)).toHaveLength(1)
    world.files.find(draft)!.modifiedMs = clock.wallMs - limits.letterDraftMs - 1
    await run(new Server())
    expect(world.plain.list(directory)).toEqual([])
  })
})

describe('while others are at it', () => {
  test('letters that are put down during a replay are there after it, and the next one takes them', async () => {
    const letters = fill(10)
    const server = new Server()
    let number = 10
    server.during = () => {
      for (let more = 0; more < 3; more++) expect(letters.keep(refusedOf(number++))).toBeUndefined()
    }
    await run(server)
    const there = new Set([...server.taken, ...world.ids()])
    expect(there.size).toBe(number)
    server.during = () => {}
    await run(server)
    expect(server.taken.size).toBe(number)
    expect(world.ids()).toEqual([])
  })

  test('two replays at once, and a Remora that goes on: nothing is lost', async () => {
    const verdicts = fc.array(fc.constantFrom('taken', 'refused', 'none'), { minLength: 20, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(verdicts, fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }), async (kinds, turns) => {
        world = new LetterDisk()
        const letters = fill(10, 32_000)
        let number = 10
        const servers = [new Server(), new Server()]
        for (const server of servers) {
          server.verdict = (id) => kinds[(Number(id) + servers.indexOf(server)) % kinds.length]!
          server.during = async () => {
            for (let turn = turns[number % turns.length]!; turn > 0; turn--) await Promise.resolve()
            if (number < 20) letters.keep(refusedOf(number++))
          }
        }
        await Promise.all(servers.map((server) => run(server)))
        const there = new Set([...servers.flatMap(({ taken }) => [...taken]), ...world.ids()])
        expect([...there].toSorted()).toEqual(all(number).toSorted())
      }),
      runs(200),
    )
  })

  test('a segment that goes for the bound does not come back', async () => {
    fill(10, 64_000)
    const server = new Server()
    server.verdict = () => 'refused'
    server.during = () => void world.takeAll()
    expect(await run(server)).toMatchObject({ failure: undefined })
    expect(world.ids()).toEqual([])
  })

  test('a closed segment of the same number is not written over', async () => {
    fill(3, 64_000)
    const closed = segmentPath(directory, 3, true)
    world.plain.append(closed, 'somebody\n')
    const result = await run(new Server())
    expect(result.failure).toContain('both there')
    expect(world.ids()).toHaveLength(3)
  })

  test('a segment that was edited meanwhile is not written over', async () => {
    fill(3, 64_000)
    const server = new Server()
    const path = segmentPath(directory, 3, true)
    server.during = () => {
      world.plain.append(`${path}.new`, 'edited\n')
      world.plain.rename(`${path}.new`, path)
    }
    const result = await run(server)
    expect(result.failure).toContain('changed by somebody else')
    expect(world.files.find(path)!.bytes.toString()).toBe('edited\n')
  })

  test('a draft that somebody takes for an old one costs no letter', async () => {
    fill(limits.replayBatchDocuments + 5, 2 ** 24)
    const server = new Server()
    server.verdict = () => 'refused'
    server.during = () => {
      for (const { name } of world.plain.list(directory))
        if (name.endsWith('.draft')) world.plain.remove(`${directory}/${name}`)
    }
    expect((await run(server)).failure).toContain('changed by somebody else')
    expect(world.ids()).toHaveLength(limits.replayBatchDocuments + 5)
  })
})

test('what is left again and again does not become ever more files', async () => {
  const server = new Server()
  server.verdict = () => 'refused'
  const letters = lettersOn(world.disk, 2 ** 24)
  for (let number = 0; number < 100; number++) {
    letters.keep(refusedOf(number))
    expect(await run(server)).toMatchObject({ failure: undefined, refused: number + 1 })
  }
  expect(world.ids()).toEqual(all(100))
  expect(segmentsIn(world.plain, directory).length).toBeLessThan(4)
})

test('what is put into the place of a segment is on the device before', async () => {
  const server = new Server()
  server.verdict = () => 'refused'
  let renamed = 0
  world.before = (call, path) => {
    if (call !== 'rename' || !path.endsWith('.draft')) return
    renamed++
    const { bytes, flushed } = world.files.find(path)!
    expect(flushed?.equals(bytes)).toBe(true)
  }
  const letters = lettersOn(world.disk, 2 ** 24)
  for (let number = 0; number < 3; number++) {
    letters.keep(refusedOf(number))
    await run(server)
  }
  expect(renamed, 'rests that are put together, too').toBeGreaterThan(6)
})

test('a full disk: what was taken may be sent once more, what is left stays', async () => {
  fill(10, 64_000)
  const server = new Server()
  server.verdict = (id) => (id === '5' ? 'refused' : 'taken')
  world.roomBytes = world.bytes
  expect((await run(server)).failure).toContain('ENOSPC')
  expect(world.ids()).toHaveLength(10)
  world.roomBytes = Infinity
  expect(await run(server)).toMatchObject({ taken: 9, duplicates: 9, refused: 1, failure: undefined })
  expect(world.ids()).toEqual(['5'])
})

test('former files are replayed where no newer Remora has run', async () => {
  const { errorType: type, reason: _reason, ...rest } = refusedOf(1)
  world.files.append(
    world.files.open('/state/dead-letters.ndjson'),
    `${JSON.stringify({ at: '2026-01-01T00:00:00.000Z', type, ...rest })}\n`,
  )
  const server = new Server()
  expect(await run(server)).toMatchObject({ taken: 1 })
  expect([...server.taken]).toEqual(['1'])
})
