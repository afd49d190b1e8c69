import { expect, test } from 'vitest'
import { accountOf } from '../../src/demo/account.ts'
import { accountTable } from '../../src/demo/account-table.ts'
import type { AgentAccount } from '../../src/demo/agent-figures.ts'
import { LineHashSum } from '../../src/demo/application-hash.ts'
import type { ApplicationAccount } from '../../src/demo/application.ts'
import { Arrivals } from '../../src/demo/arrivals.ts'

const lineOf = (log: string, number: number) => `GET /?rid=${log}-${String(number).padStart(7, '0')} "SKU-1234567"`
const linesOf = (log: string, count: number) => Array.from({ length: count }, (_, index) => lineOf(log, index + 1))

function writtenOf(orders: readonly string[], payments: readonly string[]): ApplicationAccount {
  const all = new LineHashSum()
  const files = Object.entries({ orders, payments }).map(([log, lines]) => {
    const sum = new LineHashSum()
    for (const line of lines) sum.add(line)
    all.merge(sum)
    return { file: `${log}.log`, lines: lines.length, bytes: 0, rotations: 2, hash: sum.value() }
  })
  return { lines: all.lines, bytes: 0, hash: all.value(), files }
}

const [orders, payments] = [linesOf('orders', 3000), linesOf('payments', 40)]
const written = writtenOf(orders, payments)
const agent: AgentAccount = {
  readLines: 3040,
  acknowledgedLines: 3040,
  duplicateLines: 0,
  deadLetteredLines: 0,
  lostLines: 0,
  heldLines: 0,
}

/** Everything that was written, but for what `change` does to it: no document, one, or more. */
function arrivalsOf(change: (line: string, path: string) => readonly string[] = (line) => [line]): Arrivals {
  const arrivals = new Arrivals()
  let id = 0
  const logs = [
    ['/logs/orders.log', orders],
    ['/logs/payments.log.1', payments],
  ] as const
  for (const [path, lines] of logs) {
    for (const line of lines) for (const text of change(line, path)) arrivals.add(String(id++), path, text)
  }
  return arrivals
}

const differencesOf = (arrivals: Arrivals, of: AgentAccount | undefined = agent) =>
  accountOf(written, of, arrivals).differences

test('what arrived once, in whatever order and file, is in order', () => {
  const { all, files, differences } = accountOf(written, agent, arrivalsOf())
  expect(differences).toEqual([])
  expect(all).toMatchObject({
    writtenLines: 3040,
    arrivedLines: 3040,
    duplicatedLines: 0,
    lostLines: 0,
    textEqual: true,
  })
  expect(files.map(({ file, arrivedLines }) => [file, arrivedLines])).toEqual([
    ['orders.log', 3000],
    ['payments.log', 40],
  ])
})

test.each<[string, (line: string) => readonly string[], object, RegExp[]]>([
  [
    'a missing line',
    (line) => (line.includes('orders-0000007') ? [] : [line]),
    { lostLines: 1, arrivedLines: 3039, duplicatedLines: 0, textEqual: false },
    [/^orders.log: 1 line did not arrive: orders-0000007$/],
  ],
  [
    'many missing lines',
    (line) => (/payments-00000[12]/.test(line) ? [] : [line]),
    { lostLines: 20 },
    [/^payments.log: 20 lines did not arrive: payments-0000010, payments-0000011, payments-0000012 and 17 more$/],
  ],
  [
    'a line three times',
    (line) => (line.includes('payments-0000040') ? [line, line, line] : [line]),
    { duplicatedLines: 2, lostLines: 0, arrivedLines: 3040 },
    [/^payments.log: 1 line arrived more than once: payments-0000040$/],
  ],
  [
    'another text',
    (line) => [line.replace('rid=orders-0000100', 'RID=orders-0000100')],
    { lostLines: 0, duplicatedLines: 0, textEqual: false },
    [/^orders.log: every line is there, but the text of at least one is not what was written$/],
  ],
  [
    'lines that nobody wrote',
    (line) => (line.includes('payments-0000001') ? [line, 'forged', 'payments-0000041', 'payments-99999999'] : [line]),
    { lostLines: 0, duplicatedLines: 0, textEqual: false },
    [/^payments.log: 3 documents with a line that the application has not written$/],
  ],
])('%s is named', (_, change, row, expected) => {
  const account = accountOf(written, agent, arrivalsOf(change))
  expect(account.all).toMatchObject(row)
  expect(account.differences).toHaveLength(expected.length)
  for (const [index, pattern] of expected.entries()) expect(account.differences[index]).toMatch(pattern)
})

test('a document of another file, and an _id for two documents', () => {
  const arrivals = arrivalsOf()
  arrivals.add('0', '/logs/other.log', 'a line')
  expect(differencesOf(arrivals)).toEqual([
    'other.log: 1 document of a file that the application has not',
    '3,041 documents have only 3,040 distinct _ids',
  ])
})

test.each<[Partial<AgentAccount>, RegExp]>([
  [{ readLines: 3041, acknowledgedLines: 3041 }, /read 3,041 lines of 3,040 written lines/],
  [{ acknowledgedLines: 3039 }, /of 3,040 lines that the agent read, 3,039 lines were acknowledged/],
  [{ deadLetteredLines: 1 }, /refused 1 line for good/],
  [{ lostLines: 2 }, /gave up 2 lines/],
  [{ heldLines: 5 }, /ended with 5 lines unanswered/],
])('the agent says %j', (says, expected) => {
  const differences = differencesOf(arrivalsOf(), { ...agent, ...says })
  expect(differences).toHaveLength(1)
  expect(differences[0]).toMatch(expected)
})

test('an agent without an account', () => {
  const account = accountOf(written, undefined, arrivalsOf())
  expect(account.differences).toEqual(['the agent ended without an account of its own'])
  expect(accountTable(account)).toMatch(/read +unknown +by the agent/)
})

test('the table fits 80 columns, and tells what was sent twice and stored once', () => {
  const account = accountOf(written, { ...agent, duplicateLines: 12 }, arrivalsOf())
  expect(account.differences).toEqual([])
  const lines = accountTable(account).split('\n')
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(80)
  expect(lines).toContainEqual(expect.stringMatching(/written +3,040 +3,000 +40 +by the application/))
  expect(lines).toContainEqual(expect.stringMatching(/sent twice +12 +and stored once/))
})
