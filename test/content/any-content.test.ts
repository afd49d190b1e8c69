import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { runs } from '../base/runs.ts'
import { content, units } from '../encode/bytes.ts'
import { linesIn } from '../encode/content.ts'
import { OneFile } from './kit.ts'

const mark = (hex: string) => Buffer.from(hex, 'hex')

const contents = fc.oneof(
  { weight: 4, arbitrary: content },
  { weight: 1, arbitrary: content.map((bytes) => Buffer.concat([mark('efbbbf'), bytes])) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(1, 255, 256, 257, 600, 3000, 9000), content)
      .map(([zeros, bytes]) => Buffer.concat([Buffer.alloc(zeros), bytes])),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom('fffe', 'feff'), units)
      .map(([hex, bytes]) => Buffer.concat([mark(hex), bytes])),
  },
)

const steps = fc.array(
  fc.record({
    bytes: fc.oneof(fc.nat(3), fc.nat(60), fc.nat(700), fc.constant(5000)),
    next: fc.oneof(
      { weight: 3, arbitrary: fc.constant('nothing' as const) },
      { weight: 4, arbitrary: fc.constantFrom(25, 400, 3000) },
      { weight: 1, arbitrary: fc.constantFrom('stop' as const, 'crash' as const) },
    ),
  }),
  { maxLength: 15 },
)

const conditions = fc.record({
  lineBytesMax: fc.constantFrom(16, 17, 33, 100, 300, 1000),
  batchBytes: fc.constantFrom(9_000, 20_000, 65_536),
  /** What one read gives at most: a file system in user space may give less than was asked for. */
  readBytesMax: fc.constantFrom(1, 7, 300, 2000, Infinity, Infinity, Infinity),
})

test('any bytes, in any pieces and reads, with restarts in between, become the lines that the whole content has', async () => {
  await fc.assert(
    fc.asyncProperty(contents, steps, conditions, async (bytes, schedule, given) => {
      const { lineBytesMax, batchBytes, readBytesMax } = given
      const file = new OneFile({ lineBytesMax }, { batchBytes }, { short: (wanted) => Math.min(wanted, readBytesMax) })
      await file.harness.start()
      let at = 0
      for (const step of schedule) {
        file.append(bytes.subarray(at, at + step.bytes))
        at += step.bytes
        if (step.next === 'stop' || step.next === 'crash') await file.restart(step.next)
        else if (step.next !== 'nothing') await file.harness.advance(step.next)
      }
      file.append(bytes.subarray(at))
      await file.harness.advance(1_000)
      await file.end()
      expect(file.said()).toEqual(linesIn(bytes, lineBytesMax))
      expect(file.harness.server.complaints).toEqual([])
      expect(file.harness.failure).toBeUndefined()
      const { ledger } = file.harness.agent
      expect([ledger.imbalance, ledger.heldLines]).toEqual([0, 0])
      file.harness.crash()
    }),
    runs(600),
  )
})
