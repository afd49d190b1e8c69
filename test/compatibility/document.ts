/** The parts of `docs/compatibility.md` that the tests check. `node test/compatibility/document.ts` writes them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { distributionOf } from '../kit/elasticsearch/distributions.ts'
import { differences } from './differences.ts'
import { scenarios, servers } from './servers.ts'

export const documentPath = fileURLToPath(new URL('../../docs/compatibility.md', import.meta.url))

const rowOf = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map(rowOf).join('\n')

function serversText(): string {
  const rows = servers.map(({ version, name }) => {
    const { product, jdkMajorMin, jdkMajorMax } = distributionOf(version)
    const from = product === 'elasticsearch' ? 'the slim distribution (`integ-test-zip`)' : 'its jars, in one JVM'
    const jdk = jdkMajorMax === Infinity ? `${jdkMajorMin} or later` : `${jdkMajorMin} to ${jdkMajorMax}`
    return [name, from, jdk]
  })
  return tableOf(['server', 'from Maven Central', 'JDK'], rows)
}

function scenariosText(): string {
  return Object.values(scenarios)
    .map((scenario) => `- ${scenario}`)
    .join('\n')
}

const isSame = (label: string) => new Set(servers.map(({ observed }) => observed[label])).size === 1

function differencesText(): string {
  const rows = differences
    .filter(({ label }) => !isSame(label))
    .map(({ label }) => [label, ...servers.map(({ observed }) => observed[label] ?? '')])
  return tableOf(['', ...servers.map(({ name }) => name)], rows)
}

function sameText(): string {
  const rows = differences
    .filter(({ label }) => isSame(label))
    .map(({ label }) => [label, servers[0]?.observed[label] ?? ''])
  return tableOf(['', 'all five'], rows)
}

const parts: Readonly<Record<string, () => string>> = {
  servers: serversText,
  scenarios: scenariosText,
  differences: differencesText,
  same: sameText,
}

/** The document with each part as it must be. */
export function documentText(text: string): string {
  let result = text
  for (const [name, make] of Object.entries(parts)) {
    const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
    const [from, to] = [result.indexOf(begin), result.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`docs/compatibility.md has no part ${name}`)
    result = `${result.slice(0, from + begin.length)}\n\n${make()}\n\n${result.slice(to)}`
  }
  return result
}

if (import.meta.main) writeFileSync(documentPath, documentText(readFileSync(documentPath, 'utf8')))
