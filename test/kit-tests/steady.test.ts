import { describe, expect, test } from 'vitest'
import { ledgerFault, ledgerFrom } from '../kit/storm/ledger.ts'

const good = { read: 10, acknowledged: 9, filtered: 1, deadLettered: 0, lost: 0, held: 0 }

describe('the account at the end of a soak', () => {
  test.each([
    ['all acknowledged or left out', {}, /^$/],
    ['a line too few', { acknowledged: 8 }, /does not balance/],
    ['a line too many', { acknowledged: 10 }, /does not balance/],
    ['a line still held', { acknowledged: 8, held: 1 }, /not acknowledged/],
    ['a line lost', { acknowledged: 8, lost: 1 }, /not acknowledged/],
    ['a dead letter', { acknowledged: 8, deadLettered: 1 }, /not acknowledged/],
  ])('%s', (_, change, fault) => {
    expect(ledgerFault({ ...good, ...change })).toMatch(fault)
  })

  test('a metric that is not there is no zero', () => {
    expect(() => ledgerFrom(new Map([['remora_read_lines_total', 1]]))).toThrow('remora_acknowledged_lines_total')
  })
})
