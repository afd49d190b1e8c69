import { wildcard } from './bulk-server-indices.ts'

/** Keeps the parts of an answer that a `filter_path` asks for. */
export type ResponseFilter = (answer: object) => object

type Path = readonly string[]

/**
 * Source: Elasticsearch reference, "Common options", response filtering: comma-separated paths, `*` for a part of a
 * name, `**` for any number of names, `-` to leave out. Arrays are transparent, what becomes empty disappears.
 */
export function responseFilter(filterPath: string | null): ResponseFilter {
  const paths = (filterPath ?? '').split(',').map((path) => path.trim())
  const kept = paths.filter((path) => path !== '' && !path.startsWith('-')).map((path) => path.split('.'))
  const dropped = paths.filter((path) => path.startsWith('-')).map((path) => path.slice(1).split('.'))
  return (answer) => {
    const some = kept.length === 0 ? answer : keep(answer, kept)
    return (dropped.length === 0 || some === undefined ? some : drop(some, dropped)) ?? {}
  }
}

function keep(value: object, paths: readonly Path[]): object | undefined {
  return mapChildren(value, paths, (child, rest) => {
    if (rest.some(isComplete)) return child
    return rest.length > 0 && isContainer(child) ? keep(child, rest) : undefined
  })
}

function drop(value: object, paths: readonly Path[]): object | undefined {
  return mapChildren(value, paths, (child, rest) => {
    if (rest.some(isComplete)) return undefined
    return rest.length > 0 && isContainer(child) ? drop(child, rest) : child
  })
}

/** The value with each child replaced, or left out for undefined; undefined when nothing remains. */
function mapChildren(
  value: object,
  paths: readonly Path[],
  change: (child: unknown, rest: readonly Path[]) => unknown,
): object | undefined {
  if (Array.isArray(value)) {
    const elements = (value as unknown[]).map((element) =>
      isContainer(element) ? mapChildren(element, paths, change) : change(element, paths),
    )
    const remaining = elements.filter((element) => element !== undefined)
    return remaining.length > 0 ? remaining : undefined
  }
  const entries: [string, unknown][] = []
  for (const [name, child] of Object.entries(value)) {
    const changed = change(
      child,
      paths.flatMap((path) => step(path, name)),
    )
    if (changed !== undefined) entries.push([name, changed])
  }
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

/** What remains of `path` below a member called `name`. */
function step(path: Path, name: string): Path[] {
  const [head, ...tail] = path
  if (head === undefined) return []
  if (head === '**') return [path, ...step(tail, name)]
  return matches(head, name) ? [tail] : []
}

function isComplete(path: Path): boolean {
  return path.every((part) => part === '**')
}

function matches(pattern: string, name: string): boolean {
  return pattern.includes('*') ? wildcard(pattern).test(name) : pattern === name
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
