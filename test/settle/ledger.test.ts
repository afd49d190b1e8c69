import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ledger } from '../../src/settle/ledger.ts'
import { runs } from '../base/runs.ts'

/** Lines move: into the hands of Remora, and out of them into one account. */
const step = fc.record({
  kind: fc.constantFrom('read', 'acknowledge', 'dead letter', 'lose', 'gap'),
  lines: fc.nat(1000),
  others: fc.nat(1000),
})

test('at all times every line that was read is in exactly one account', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ledger = new Ledger()
      const model = {
        read: 0,
        bytes: 0,
        held: 0,
        acknowledged: 0,
        duplicates: 0,
        dead: 0,
        lost: 0,
        gap: 0,
        gaps: 0,
        cut: 0,
      }
      for (const { kind, lines, others } of steps) {
        const some = Math.min(lines, model.held)
        const part = Math.min(others, some)
        if (kind === 'read') {
          ledger.read(lines, 10 * lines, part)
          model.read += lines
          model.held += lines
          model.bytes += 10 * lines
          model.cut += part
        } else if (kind === 'gap') {
          ledger.gap(others)
          model.gap += others
          model.gaps++
        } else {
          model.held -= some
          if (kind === 'acknowledge') {
            ledger.acknowledge(some, part)
            model.acknowledged += some
            model.duplicates += part
          } else if (kind === 'dead letter') {
            ledger.deadLetter(some)
            model.dead += some
          } else {
            ledger.lose(some)
            model.lost += some
          }
        }
        expect(ledger.imbalance).toBe(0)
        expect(ledger).toMatchObject({
          readLines: model.read,
          readBytes: model.bytes,
          acknowledgedLines: model.acknowledged,
          duplicateLines: model.duplicates,
          filteredLines: 0,
          deadLetteredLines: model.dead,
          lostLines: model.lost,
          heldLines: model.held,
          cutLines: model.cut,
          gapBytes: model.gap,
          gaps: model.gaps,
        })
      }
    }),
    runs(500),
  )
})

test.each(['readLines', 'acknowledgedLines', 'filteredLines', 'deadLetteredLines', 'lostLines', 'heldLines'] as const)(
  'a line that is counted in %s alone shows',
  (account) => {
    const ledger = new Ledger()
    ledger[account]++
    expect(ledger.imbalance).not.toBe(0)
  },
)
