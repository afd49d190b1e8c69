import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { State } from '../../src/base/state.ts'
import { readLetter } from '../../src/ship/letters/letter.ts'
import { linesOf, segmentsIn } from '../../src/ship/letters/segments.ts'
import { runs } from '../base/runs.ts'
import { memoryDisk } from '../kit/agent-disk.ts'
import { diskError, type DiskHooks } from '../kit/agent-files.ts'
import { AgentWorld } from './world.ts'

const path = '/logs/app.log'
const directory = '/state/dead-letters'

/** Every second line is refused. */
async function worldOf(deadLetterBytesMax: number, hooks: DiskHooks = {}): Promise<AgentWorld> {
  const world = new AgentWorld({ deadLetterBytesMax }, {}, hooks)
  world.agent.server.outcome = () => ({
    item: ({ message }) =>
      Number(message.slice(5)) % 2 === 0 ? { status: 400, errorType: 'strict_dynamic_mapping_exception' } : undefined,
  })
  await world.agent.start()
  return world
}

const settled = (world: AgentWorld) =>
  world.agent.until(() => {
    const { readLines, heldLines } = world.agent.agent.ledger
    return readLines >= world.written && heldLines === 0
  })

function lettersOf(world: AgentWorld) {
  const disk = memoryDisk(world.files)
  return segmentsIn(disk, directory).flatMap(({ path: segment }) =>
    [...linesOf(disk, segment)].flatMap(({ text }) => readLetter(text ?? '') ?? []),
  )
}

test('a line that was refused is in a letter with its place, and in the figures', async () => {
  const world = await worldOf(64 * 1024)
  world.write(path, 10)
  await settled(world)
  const letters = lettersOf(world)
  expect(letters.map((letter) => [letter.path, letter.offset])).toEqual(
    [2, 4, 6, 8, 10].map((n) => [path, 7 * (n - 1)]),
  )
  const [first] = letters
  expect(JSON.parse(first!.source)).toMatchObject({ message: 'line 2' })
  expect(world.agent.agent.figures()).toMatchObject({
    deadLetteredLines: 5,
    letters: 5,
    letterBytes: world.files.find(`${directory}/00000003.ndjson`)!.bytes.length,
    expiredLetters: 0,
  })
  const said = world.agent.messages.filter(({ code }) => code === 'DEAD_LETTER')
  expect(said).toHaveLength(1)
  expect(said[0]!.text).toContain('remora replay')
  expect(said[0]!.text).not.toContain('line 2')
})

test('no checkpoint passes a letter that the device does not have', async () => {
  let checks = 0
  const world: AgentWorld = await worldOf(64 * 1024, {
    replaced: (text) => {
      const { generations } = JSON.parse(text.split('\n')[1]!) as State
      const offset = generations[0]?.offset ?? 0
      const flushed = segmentsIn(memoryDisk(world.files), directory).flatMap(({ path: segment }) =>
        (world.files.find(segment)!.flushed ?? Buffer.alloc(0)).toString().split('\n'),
      )
      const safe = new Set(flushed.map((line) => readLetter(line)?.offset))
      for (let line = 2; 7 * line <= offset; line += 2, checks++) expect(safe.has(7 * (line - 1))).toBe(true)
    },
  })
  for (let round = 0; round < 8; round++) {
    world.write(path)
    await world.agent.advance(1_500)
  }
  await world.stop()
  expect(checks).toBeGreaterThan(0)
})

test('while letters cannot be flushed there is no checkpoint, and shipping goes on', async () => {
  let isBroken = false
  const world = await worldOf(64 * 1024, {
    before: (call, at) => {
      if (isBroken && call === 'flush') throw diskError('EIO', at)
    },
  })
  await world.agent.advance(2_000)
  isBroken = true
  world.write(path, 9)
  await settled(world)
  await world.agent.advance(3_000)
  expect(world.stored).toHaveLength(5)
  expect(world.agent.agent.figures().checkpointFailures).toBeGreaterThan(0)
  isBroken = false
  await world.agent.advance(60_000)
  expect(world.agent.messages.map(({ code }) => code)).toContain('CHECKPOINT_RECOVERED')
})

describe('more than the bound', () => {
  test('the oldest go, their lines are lost in the ledger, and the books balance at all times', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 3_000, max: 30_000 }), fc.boolean(), async (rounds, bound, restart) => {
        const world = await worldOf(bound)
        let earlier = 0
        for (const [round, lines] of rounds.entries()) {
          if (restart && round === rounds.length >> 1) {
            await world.stop()
            earlier = lettersOf(world).length
            await world.agent.start()
          }
          world.write(round % 2 === 0 ? path : '/logs/other.log', lines)
          await world.agent.until(() => world.agent.agent.ledger.heldLines === 0)
          await world.agent.advance(1_000)
          const { ledger } = world.agent.agent
          for (const account of [ledger, ledger.others, ...ledger.files.values()]) {
            expect(account.imbalance).toBe(0)
            expect(Math.min(account.deadLetteredLines, account.lostLines)).toBeGreaterThanOrEqual(0)
          }
          const figures = world.agent.agent.figures()
          expect(figures.letters).toBe(lettersOf(world).length)
          expect(figures.letterBytes).toBeLessThanOrEqual(bound)
          // What this process has dead-lettered is there; what it has lost is not.
          const gone = figures.expiredEarlierLetters
          expect(figures.letters).toBe(ledger.deadLetteredLines + earlier - gone)
          expect(figures.expiredLetters).toBe(ledger.lostLines + gone)
        }
        const said = world.agent.messages.filter(({ code }) => code === 'DEAD_LETTERS_EXPIRED')
        expect(said.length).toBeLessThanOrEqual(restart ? 2 : 1)
        expect(said.every(({ level }) => level === 'error')).toBe(true)
        expect(world.agent.failure).toBeUndefined()
        await world.stop()
      }),
      runs(60),
    )
  })

  test('within one batch: letters that go before their verdict is in the books', async () => {
    const world = await worldOf(3_000)
    world.write(path, 400)
    await settled(world)
    const { ledger } = world.agent.agent
    expect(ledger.deadLetteredLines).toBe(lettersOf(world).length)
    expect(ledger.deadLetteredLines + ledger.lostLines).toBe(200)
    expect(ledger.deadLetteredLines).toBeLessThan(20)
    await world.stop()
  })
})
