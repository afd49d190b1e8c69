import { randomInt } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeElasticsearch, sharedElasticsearch, type Elasticsearch } from '../kit/elasticsearch.ts'
import { succeed } from '../kit/elasticsearch/client.ts'
import { cells, type Cell } from './cells.ts'
import { cellsIn, documentOf, rowOf, saidIn } from './document.ts'
import { makeTarget, runCell, streams, type Ran } from './run-cell.ts'

const document = new URL('../../docs/faults.md', import.meta.url)
/** `FAULTS=write` writes the table anew; any other text runs the cells only whose row holds it. */
const wanted = process.env['FAULTS'] ?? ''
const chosen = cells.filter((cell) => wanted === 'write' || rowOf(cell).includes(wanted))

let server: Elasticsearch
const ran = new Map<Cell, Ran>()

/** At least what the table says: a slow machine may add to it. */
function expectSaid({ said, output }: Ran, cell: Cell): void {
  expect(said, output).toEqual(expect.arrayContaining(saidIn(readFileSync(document, 'utf8'), cell)))
}

describe('docs/faults.md', () => {
  test('has the cells of the matrix, each with nothing lost and nothing twice', () => {
    if (wanted === 'write') return
    expect(
      cellsIn(readFileSync(document, 'utf8')),
      '`FAULTS=write npx vitest run test/fault/matrix` writes it',
    ).toEqual(cells.map((cell) => rowOf(cell)))
  })
})

describeElasticsearch('between agent and Elasticsearch', () => {
  beforeAll(async () => {
    server = await sharedElasticsearch()
    const body = { index_patterns: [`${streams}*`], data_stream: {}, priority: 950 }
    await succeed(server, 'PUT', '/_index_template/faults', body)
  })

  afterAll(() => {
    if (wanted === 'write' && ran.size === cells.length) writeFileSync(document, documentOf(cells, ran))
  })

  const run = randomInt(1e9)
  test.concurrent.for(chosen.map((cell) => [rowOf(cell), cell] as const))(
    '%s',
    { timeout: 150_000 },
    async ([, cell]) => {
      const name = `${run}-${cells.indexOf(cell)}`
      await makeTarget(server, cell, name)
      const result = await runCell(server, cell, name)
      expect(result.proxyFailures).toEqual([])
      expect(result.hits, result.output).toEqual(cell.strikes.map(({ times }) => times))
      expect(result.stored, result.output).toEqual({ documents: result.expected, lost: 0, twice: 0, wrong: 0 })
      expect(result.exitCode, result.output).toBe(0)
      expect(result.said.filter((code) => /^DEAD_LETTER|^DUPLICATES/.test(code))).toEqual([])
      if (wanted !== 'write') expectSaid(result, cell)
      ran.set(cell, result)
    },
  )
})
