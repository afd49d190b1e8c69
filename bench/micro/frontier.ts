import { Frontiers } from '../../src/agent/frontiers.ts'
import { Generation } from '../../src/follow/generation.ts'
import { Ledger } from '../../src/settle/ledger.ts'
import type { Case } from './case.ts'

const spansAtOnce = 4096
/** Spans of one file that are under way at once: a full plan has four batches, a small batch many files. */
const underWay = 8
const spanBytes = 10_000
const spanLines = 100
const filesAtOnce = 1000

type Settle = () => void

/** From a batch that leaves to its verdicts: what is under way, and what has been answered for. */
export function frontierCases(): Case[] {
  const reversed = Array.from({ length: underWay }, (_, at) => underWay - 1 - at)
  const mixed = Array.from({ length: underWay }, (_, at) => (at * 5 + 3) % underWay)
  const inOrder = reversed.toReversed()
  const group = 'frontier'
  const base = { group, item: 'span', items: spansAtOnce, bytes: 0 }
  return [
    { ...base, name: 'acknowledged in order', run: () => acknowledge(inOrder) },
    { ...base, name: 'acknowledged in any order', run: () => acknowledge(mixed) },
    { ...base, name: 'acknowledged the last one first', run: () => acknowledge(reversed) },
    { ...base, name: `of ${filesAtOnce} files, one span each`, items: filesAtOnce * 4, run: manyFiles() },
    { ...base, name: 'ledger: read and settled', run: ledger() },
  ]
}

function generationAt(path: string): Generation {
  return new Generation(path, path, 0, 0, 1000)
}

/** One span follows the other, `underWay` of them at a time, answered for in the order given. */
function acknowledge(order: readonly number[]): number {
  const frontiers = new Frontiers()
  const generation = generationAt('/var/log/app/app.log')
  const settles: Settle[] = []
  for (let spans = 0; spans < spansAtOnce; spans += underWay) {
    for (let span = 0; span < underWay; span++) settles[span] = issue(frontiers, generation)
    for (const at of order) settles[at]!()
  }
  return frontiers.markOf(generation)?.offset ?? generation.offset
}

/** As the pump does it: the frontier stands where reading began. */
function issue(frontiers: Frontiers, generation: Generation): Settle {
  frontiers.of(generation)
  const from = generation.offset
  generation.offset += spanBytes
  const to = { offset: generation.offset, skipping: false, guardHash: '' }
  return frontiers.issue({ source: generation, from, to, documents: spanLines })
}

function manyFiles(): () => number {
  const generations = Array.from({ length: filesAtOnce }, (_, at) => generationAt(`/var/log/app/app-${at}.log`))
  const settles: Settle[] = []
  return () => {
    const frontiers = new Frontiers()
    for (let round = 0; round < 4; round++) {
      for (const [at, generation] of generations.entries()) settles[at] = issue(frontiers, generation)
      for (const settle of settles) settle()
    }
    return generations[0]!.offset
  }
}

function ledger(): () => number {
  const book = new Ledger()
  const path = '/var/log/app/app.log'
  const settlement = { done: spanLines, duplicates: 0, deadLettered: 0, lost: 0, held: 0 }
  return () => {
    for (let span = 0; span < spansAtOnce; span++) {
      book.read(path, spanLines, spanBytes, 0)
      book.settle(path, spanLines, settlement)
    }
    return book.acknowledgedLines
  }
}
