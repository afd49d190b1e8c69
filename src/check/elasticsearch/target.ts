/** What the target is now, read from the answers of Elasticsearch; `target-findings.ts` says what it means. */
import type { Asked } from './ask.ts'
import { at, entriesAt, isText, isTrue, listAt, parseJson, textAt } from './json.ts'

export type Target =
  | { readonly kind: 'data stream'; readonly writeIndex: string | undefined }
  | { readonly kind: 'index'; readonly closed: boolean }
  /** `indices` may be data streams. */
  | { readonly kind: 'alias'; readonly indices: readonly string[] }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly status: number }

/** Source: Elasticsearch reference, "Resolve index". */
export const resolvePath = (target: string) => `/_resolve/index/${encodeURIComponent(target)}`

export function targetFrom(target: string, asked: Asked): Target {
  if (asked.kind === 'failed') return { kind: 'unknown', status: 0 }
  if (asked.status === 404) return { kind: 'absent' }
  const body = asked.status === 200 ? parseJson(asked.body) : undefined
  if (body === undefined) return { kind: 'unknown', status: asked.status }
  const named = (list: string) => listAt(body, list).find((each) => textAt(each, 'name') === target)
  const [stream, alias, index] = [named('data_streams'), named('aliases'), named('indices')]
  // The newest is written to and comes last.
  if (stream !== undefined) {
    return { kind: 'data stream', writeIndex: listAt(stream, 'backing_indices').filter(isText).at(-1) }
  }
  if (alias !== undefined) return { kind: 'alias', indices: listAt(alias, 'indices').filter(isText) }
  if (index !== undefined) return { kind: 'index', closed: listAt(index, 'attributes').includes('closed') }
  return { kind: 'absent' }
}

export const aliasPath = (target: string) => `/_alias/${encodeURIComponent(target)}`

/** The index or data stream that a write to the alias goes to; `none` when Elasticsearch would refuse to choose. */
export function writeIndexOf(alias: string, asked: Asked): { name: string } | 'none' | 'unknown' {
  if (asked.kind === 'failed' || asked.status !== 200) return 'unknown'
  const indices = entriesAt(parseJson(asked.body))
  const flag = (of: unknown) => at(of, 'aliases', alias, 'is_write_index')
  const chosen = indices.find(([, of]) => flag(of) === true)
  if (chosen !== undefined) return { name: chosen[0] }
  const [only] = indices
  // A single index is written to unless it says that it is not.
  return indices.length === 1 && only !== undefined && flag(only[1]) !== false ? { name: only[0] } : 'none'
}

export const settingsPath = (target: string) => `/${encodeURIComponent(target)}/_settings?flat_settings=true`

const writeBlocks = ['index.blocks.write', 'index.blocks.read_only', 'index.blocks.read_only_allow_delete']

/**
 * The settings that keep documents out of the index that is written to; undefined when they may not be seen.
 *
 * @param writeIndex its name, or a data stream's; undefined: of any
 */
export function blocksFrom(asked: Asked, writeIndex: string | undefined): readonly string[] | undefined {
  if (asked.kind === 'failed' || asked.status !== 200) return undefined
  const indices = entriesAt(parseJson(asked.body))
  const own =
    indices.find(([name]) => name === writeIndex) ??
    indices.findLast(([name]) => writeIndex === undefined || name.startsWith(`.ds-${writeIndex}-`))
  return writeBlocks.filter((block) => isTrue(at(own?.[1], 'settings', block)))
}

export interface Template {
  readonly name: string
  readonly dataStream: boolean
  /** What it says of automatic creation, against the cluster's setting; undefined when nothing. */
  readonly autoCreate: boolean | undefined
}

const templateParts = ['index_patterns', 'priority', 'data_stream', 'allow_auto_create']
export const templatesPath = `/_index_template?filter_path=index_templates.name,${templateParts.map((part) => `index_templates.index_template.${part}`).join(',')}`

/** The index template that a target made now would get. Source: Elasticsearch reference, "Index templates". */
export function templateFrom(target: string, asked: Asked): Template | 'none' | 'unknown' {
  if (asked.kind === 'failed' || asked.status !== 200) return 'unknown'
  const body = parseJson(asked.body)
  if (body === undefined) return 'unknown'
  let best: unknown
  let bestPriority = -1
  for (const each of listAt(body, 'index_templates')) {
    const patterns = at(each, 'index_template', 'index_patterns')
    const matches = [patterns].flat().some((pattern) => isText(pattern) && matchesPattern(target, pattern))
    const priority = Number(at(each, 'index_template', 'priority') ?? 0)
    if (matches && priority > bestPriority) [best, bestPriority] = [each, priority]
  }
  if (best === undefined) return 'none'
  const autoCreate = at(best, 'index_template', 'allow_auto_create')
  return {
    name: textAt(best, 'name'),
    dataStream: at(best, 'index_template', 'data_stream') !== undefined,
    autoCreate: typeof autoCreate === 'boolean' ? autoCreate : undefined,
  }
}

export interface ClusterSettings {
  /** Whether the cluster makes this target by itself. */
  readonly autoCreate: boolean
  /** Nothing can be written in the whole cluster. */
  readonly readOnly: boolean
}

export const clusterSettingsPath =
  '/_cluster/settings?include_defaults=true&filter_path=*.action.auto_create_index,*.cluster.blocks'

export function clusterSettingsFrom(target: string, asked: Asked): ClusterSettings | undefined {
  if (asked.kind === 'failed' || asked.status !== 200) return undefined
  const body = parseJson(asked.body)
  // In the order in which they win.
  const setting = (...keys: readonly string[]) =>
    ['transient', 'persistent', 'defaults'].map((from) => at(body, from, ...keys)).find((value) => value !== undefined)
  const isSet = (name: string) => isTrue(setting('cluster', 'blocks', name))
  return {
    autoCreate: mayAutoCreate(target, setting('action', 'auto_create_index')),
    readOnly: isSet('read_only') || isSet('read_only_allow_delete'),
  }
}

/** `true`, `false`, or patterns of which the first that matches decides: `+logs-*,-*`. */
function mayAutoCreate(target: string, value: unknown): boolean {
  const patterns = (Array.isArray(value) ? value : [value ?? true]).map(String).flatMap((text) => text.split(','))
  if (patterns.length === 1 && (patterns[0] === 'true' || patterns[0] === 'false')) return patterns[0] === 'true'
  const first = patterns
    .map((text) => text.trim())
    .find((pattern) => matchesPattern(target, pattern.replace(/^[+-]/, '')))
  return first !== undefined && !first.startsWith('-')
}

/** `*` stands for any characters, everything else for itself. */
function matchesPattern(name: string, pattern: string): boolean {
  const parts = pattern.split('*')
  const [head = '', ...tail] = parts
  if (tail.length === 0) return name === pattern
  if (!name.startsWith(head)) return false
  let from = head.length
  const last = tail.pop() ?? ''
  for (const part of tail) {
    const found = name.indexOf(part, from)
    if (found < 0) return false
    from = found + part.length
  }
  return name.length - last.length >= from && name.endsWith(last)
}
