import { describe, expect, test } from 'vitest'
import { failureOf, type RunFacts } from '../../src/bench/verdict.ts'

const good: RunFacts = {
  account: {
    writtenLines: 100,
    writtenBytes: 10_000,
    storedLines: 100,
    lostLines: 0,
    twiceLines: 0,
    againLines: 5,
    wrongLines: 0,
  },
  written: { rateShare: 1 },
  endedByItself: '',
  stopped: 'code 0',
  oomKills: 0,
  targetFailure: '',
  drained: { isAll: true, tookMs: 100 },
}
const account = (wrong: Partial<RunFacts['account']>) => ({ account: { ...good.account, ...wrong } })

describe('a run fails', () => {
  test('not, when all is well; lines that were sent again are stored once', () => {
    expect(failureOf(good)).toBe('')
    expect(failureOf({ ...good, written: {} })).toBe('')
  })

  test.each<[string, Partial<RunFacts>, RegExp]>([
    ['one line lost', account({ lostLines: 1 }), /^1 of 100 lines lost$/],
    [
      'lines that are late',
      { ...account({ lostLines: 7 }), drained: { isAll: false, tookMs: 1_000 } },
      /^7 of 100 lines lost, or not there 1 s after/,
    ],
    [
      'lines that were held back',
      { drained: { isAll: false, tookMs: 1_000 } },
      /^lines came only when the agent was asked to stop/,
    ],
    ['one line twice', account({ twiceLines: 1 }), /^1 lines stored twice$/],
    ['one line wrong', account({ wrongLines: 1 }), /^1 lines stored that were not written so$/],
    ['nothing written', account({ writtenLines: 0 }), /^nothing was written$/],
    ['the agent ended', { endedByItself: 'code 1' }, /^the agent ended by itself: code 1$/],
    [
      'the kernel ended it',
      { oomKills: 1, endedByItself: 'signal SIGKILL' },
      /SIGKILL; killed for lack of memory, 1 times/,
    ],
    ['it did not stop well', { stopped: 'deadline of 60000 ms' }, /^asked to stop, the agent ended with deadline/],
    ['a request that makes no sense', { targetFailure: 'no length' }, /^a request could not be understood: no length$/],
    ['the writer is behind', { written: { rateShare: 0.979 } }, /^the writer kept up 97 % of its rate only/],
  ])('%s', (_, wrong, message) => {
    expect(failureOf({ ...good, ...wrong })).toMatch(message)
  })
})
