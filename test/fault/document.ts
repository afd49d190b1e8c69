import type { Cell } from './cells.ts'
import type { Ran } from './run-cell.ts'

/** What a cell is, as the table's first columns say it. */
export function rowOf({ fault, where, target, strikes }: Cell): string {
  return `| ${fault} | ${where} | ${target} | ${strikes.map(({ times }) => times).join(' + ')} |`
}

const head = '| what goes wrong | where | target | requests hit | what the agent said | lost | twice |'

export function documentOf(cells: readonly Cell[], ran: ReadonlyMap<Cell, Ran>): string {
  const rows = cells.map((cell) => {
    const { stored, said } = ran.get(cell)!
    const text = isByChance(cell) ? 'depends on the moment' : said.map((code) => `\`${code}\``).join(', ')
    return `${rowOf(cell)} ${text} | ${stored.lost} | ${stored.twice} |`
  })
  return `${introduction}
${head}
|---|---|---|---|---|---|---|
${rows.join('\n')}
`
}

/** Whether a connection is closed before or after the next request is on it: only then somebody is disappointed. */
function isByChance({ strikes }: Cell): boolean {
  return strikes.some(({ phase }) => phase === 'idle' || phase === 'reused')
}

/** What the agent says at the least, by the document. */
export function saidIn(text: string, cell: Cell): string[] {
  const row = text.split('\n').find((line) => line.startsWith(rowOf(cell))) ?? ''
  return [...row.slice(rowOf(cell).length).matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code!)
}

/** The cells that a document has, without those of which something was lost or stored twice. */
export function cellsIn(text: string): string[] {
  const rows = text.split('\n').filter((line) => line.startsWith('| ') && line !== head)
  return rows.filter((row) => row.endsWith(' | 0 | 0 |')).map((row) => `${row.split(' |').slice(0, 4).join(' |')} |`)
}

const introduction = `# Faults between Remora and Elasticsearch

Each row is a test (\`test/fault\`): the real agent ships some thousand lines to a real Elasticsearch through a proxy (\`test/kit/fault-proxy\`), with batches of 128 KiB, two requests
at once and a time-out of 2 s. Something goes wrong with as many requests as the row says, then nothing does any more. At the end every document is compared with the line that it was made from: id, offset and text.
\`FAULTS=write npx vitest run test/fault/matrix\` writes this page.

- *connect*: before a byte of a request; *request head*, *request body*: in the middle of it, unless the row says otherwise; *request complete*: the server has it and has answered, which nobody hears of
- *answer head*, *answer body*: in the middle; *answer begun*: the head is out, and no byte of the body
- *idle*: the connection is kept, and nothing comes for 25 ms; *reused*: as the first byte of a further request comes
- what the agent said: codes of its warnings; where there is none, it was mended without a word
`
