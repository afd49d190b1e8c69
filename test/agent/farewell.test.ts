import { describe, expect, test } from 'vitest'
import type { Summary } from '../../src/agent.ts'
import { limits } from '../../src/base/limits.ts'
import { farewell } from '../../src/commands/farewell.ts'
import { Ledger } from '../../src/settle/ledger.ts'

function summaryOf(given: Partial<Summary> = {}): Summary {
  return {
    failure: undefined,
    checkpoint: 'written',
    ledger: new Ledger(),
    unreadBytes: 0,
    heldLines: 0,
    files: [],
    ...given,
  }
}

const files = Array.from({ length: 30 }, (_, n) => ({ path: `/logs/${n}.log`, unreadBytes: 1_000 - n, heldLines: n }))
const rest: Partial<Summary> = {
  files,
  unreadBytes: files.reduce((sum, { unreadBytes }) => sum + unreadBytes, 0),
  heldLines: files.reduce((sum, { heldLines }) => sum + heldLines, 0),
}

test('everything is shipped', () => {
  expect(farewell(summaryOf())).toMatchObject({
    level: 'info',
    code: 'STOPPED',
    text: 'stopped, everything is shipped: read 0 lines, acknowledged 0 (0 were there already), filtered 0, dead-lettered 0, lost 0, held 0',
  })
})

test('what is left is named by file, with what becomes of it', () => {
  const { level, code, text, fields } = farewell(summaryOf({ ...rest, files: files.slice(0, 2) }))
  expect({ level, code }).toEqual({ level: 'warn', code: 'STOPPED_WITH_REST' })
  expect(text).toContain(
    'of 2 files are left: /logs/0.log: 1000 bytes unread, 0 lines held; /logs/1.log: 999 bytes unread, 1 lines held. ' +
      'They are shipped after a restart of the container; with the Pod they are gone',
  )
  expect(fields).toMatchObject({ remora: { unreadBytes: rest.unreadBytes, left: files.slice(0, 2) } })
})

test('no more files than a bound are named', () => {
  const { text } = farewell(summaryOf(rest))
  expect(text.match(/bytes unread/g)).toHaveLength(limits.leftFilesMax)
  expect(text).toContain('; and 10 more. ')
})

describe('the last checkpoint', () => {
  test.each([
    ['failed', 'could not be written'],
    ['hanging', 'did not take the last checkpoint in time'],
    ['kept', 'The checkpoint of before is kept'],
  ] as const)('%s is said, also when everything is shipped', (checkpoint, words) => {
    expect(farewell(summaryOf({ checkpoint })).text).toContain(words)
    expect(farewell(summaryOf({ checkpoint })).level).toBe('warn')
    expect(farewell(summaryOf({ checkpoint, ...rest })).text).toContain(words)
  })
})
