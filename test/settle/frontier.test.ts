import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Frontier, type Mark } from '../../src/settle/frontier.ts'
import { runs } from '../base/runs.ts'

const markAt = (offset: number, skipping = false): Mark => ({ offset, skipping, guardHash: String(offset) })

/** A piece that is under way, or was. */
interface Piece {
  readonly mark: Mark
  settled: boolean
  readonly settle: () => void
}

interface World {
  readonly frontier: Frontier
  readonly start: Mark
  readonly pieces: Piece[]
}

/** What the frontier must be: the end of the longest run of settled pieces from the start. */
function markOf({ start, pieces }: World): Mark {
  const first = pieces.findIndex(({ settled }) => !settled)
  return pieces[(first === -1 ? pieces.length : first) - 1]?.mark ?? start
}

type Step = { readonly kind: 'issue'; readonly bytes: number; readonly skipping: boolean } | Settle
interface Settle {
  readonly kind: 'settle'
  readonly which: number
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('issue' as const), bytes: fc.integer({ min: 1, max: 1000 }), skipping: fc.boolean() }),
  fc.record({ kind: fc.constant('settle' as const), which: fc.nat() }),
)

function take({ frontier, pieces, start }: World, given: Step): void {
  if (given.kind === 'issue') {
    const from = pieces.at(-1)?.mark.offset ?? start.offset
    const mark = markAt(from + given.bytes, given.skipping)
    pieces.push({ mark, settled: false, settle: frontier.issue(from, mark) })
    return
  }
  const waiting = pieces.filter(({ settled }) => !settled)
  const piece = waiting[given.which % waiting.length]
  if (piece === undefined) return
  piece.settled = true
  piece.settle()
}

test('the frontier is the end of the longest settled run from the start, whatever the order of the verdicts', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), fc.array(step, { maxLength: 60 }), (offset, steps) => {
      const start = markAt(offset)
      const world: World = { frontier: new Frontier(start), start, pieces: [] }
      for (const each of steps) {
        const before = world.frontier.mark.offset
        take(world, each)
        expect(world.frontier.mark).toBe(markOf(world))
        expect(world.frontier.mark.offset, 'never backwards').toBeGreaterThanOrEqual(before)
        expect(world.frontier.settled).toBe(world.pieces.every(({ settled }) => settled))
      }
    }),
    runs(1000),
  )
})

test('a second verdict on one piece is a fault, passed or not', () => {
  const frontier = new Frontier(markAt(0))
  const [first, second] = [frontier.issue(0, markAt(10)), frontier.issue(10, markAt(20))]
  second()
  expect(second).toThrow('settled once')
  first()
  expect(first).toThrow('settled once')
  expect(frontier.mark.offset).toBe(20)
})

describe('what would leave a gap is a fault', () => {
  test.each([
    ['a piece behind the end', 0, [[10, 20]]],
    ['a piece before the end', 10, [[0, 20]]],
    [
      'a piece again',
      0,
      [
        [0, 10],
        [0, 10],
      ],
    ],
    [
      'a piece with a hole before it',
      0,
      [
        [0, 10],
        [11, 20],
      ],
    ],
    ['a piece without bytes', 5, [[5, 5]]],
    ['a piece backwards', 5, [[5, 4]]],
  ] as const)('%s', (_name, start, pieces) => {
    const frontier = new Frontier(markAt(start))
    const issue = () => {
      for (const [from, to] of pieces) frontier.issue(from, markAt(to))
    }
    expect(issue).toThrow(/assertion failed: a piece from \d+ to \d+ follows \d+/)
  })
})

test('a long run that waits for its first piece passes at once', () => {
  const frontier = new Frontier(markAt(0))
  const settles = Array.from({ length: 5000 }, (_, index) => frontier.issue(index, markAt(index + 1)))
  for (const settle of settles.slice(1)) settle()
  expect(frontier.mark.offset).toBe(0)
  settles[0]!()
  expect(frontier.mark.offset).toBe(5000)
  expect(frontier.settled).toBe(true)
})
