/** What a server should have for the documents that Remora writes. Pure: settings and features in, bodies out. */
import { createHash } from 'node:crypto'
import { hasDate, patternOf } from '../base/placeholders.ts'
import type { Settings } from '../config/types.ts'
import type { Features } from './features.ts'

/** Of the bodies below: one more with each change to them that is to reach servers that have an older one. */
export const setupVersion = 1

export const managedBy = 'remora'

/** Above the templates of Elasticsearch itself (100 at most) and of its integrations (200). */
export const priority = 300

export interface Wish {
  /** Name of an index or data stream; with a date in it a plain index for each. */
  readonly target: string
  readonly retentionMs: number | undefined
  readonly routing: boolean
}

/** What the settings ask of a server. */
export function wishOf({ target, retentionMs, routing }: Pick<Settings, 'target' | 'retentionMs' | 'routing'>): Wish {
  return { target, retentionMs, routing: routing !== undefined }
}

export type ItemKind = 'lifecycle policy' | 'component template' | 'index template'

export interface Item {
  readonly kind: ItemKind
  readonly name: string
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  /** Of the body without what tells whose it is. */
  readonly digest: string
}

export interface Wanted {
  /** In the order in which they have to come to be. */
  readonly items: readonly Item[]
  readonly kind: 'data stream' | 'dated index' | 'index'
  /** What was asked for and cannot be had, one sentence each. */
  readonly notes: readonly string[]
}

const dayMs = 86_400_000
const hourMs = 3_600_000
const nameCharactersMax = 200

/** Begins the name of everything that belongs to a target. */
export function baseNameOf(target: string): string {
  const slug = target.replace(/\{\+([^}]*)\}/g, (_, format: string) => format.toLowerCase())
  const name = `remora-${slug}`
  return name.length <= nameCharactersMax ? name : `${name.slice(0, nameCharactersMax)}-${digestOf(target)}`
}

export const pathOf = (kind: ItemKind, name: string) =>
  `/${{ 'lifecycle policy': '_ilm/policy', 'component template': '_component_template', 'index template': '_index_template' }[kind]}/${encodeURIComponent(name)}`

/** Tells whether an index template was made for the same wish, without asking what the server can do. */
export function digestOfWish(wish: Wish): string {
  return digestOf([setupVersion, wish.target, wish.retentionMs ?? null, wish.routing])
}

export function wantedFor(wish: Wish, features: Features): Wanted {
  const kind = kindOf(wish, features)
  const base = baseNameOf(wish.target)
  const notes: string[] = []
  if (kind === 'index' && isStreamName(wish.target) && !features.dataStreams) {
    notes.push('this server has no data streams: the target is one plain index')
  }
  const lifecycle = lifecycleFor(wish, features, kind, base, notes)
  const components = [
    component(`${base}-mappings`, { mappings: mappings(features) }),
    component(`${base}-settings`, {
      settings: { index: { codec: 'best_compression', query: { default_field: ['message'] } } },
    }),
    ...lifecycle.component,
  ]
  const template = item('index template', base, {
    index_patterns: [patternOf(wish.target)],
    priority,
    composed_of: components.map(({ name }) => name),
    ...(kind === 'data stream' && { data_stream: wish.routing ? { allow_custom_routing: true } : {} }),
    _meta: { wish: digestOfWish(wish) },
  })
  return { items: [...lifecycle.policy, ...components, template], kind, notes }
}

function kindOf({ target }: Wish, features: Features): Wanted['kind'] {
  if (hasDate(target)) return 'dated index'
  if (features.target === 'data stream') return 'data stream'
  return features.target !== 'index' && isStreamName(target) && features.dataStreams ? 'data stream' : 'index'
}

/** The naming scheme of data streams. Source: ECS, "data_stream" field group. */
const isStreamName = (target: string) => /^(?:logs|metrics|traces|synthetics)-[^-]+-./.test(target)

/** Whatever else a document has (REMORA_FIELDS, an ingest pipeline): a text is a keyword. So all agents of a target agree. */
function mappings({ matchOnlyText }: Features): Record<string, unknown> {
  const keyword = { type: 'keyword', ignore_above: 1024 }
  const path = { type: 'keyword', ignore_above: 4096 }
  return {
    date_detection: false,
    dynamic_templates: [{ texts: { match_mapping_type: 'string', mapping: keyword } }],
    properties: {
      '@timestamp': { type: 'date' },
      message: matchOnlyText ? { type: 'match_only_text' } : { type: 'text', norms: false },
      log: { properties: { file: { properties: { path } }, offset: { type: 'long' }, flags: keyword } },
      service: { properties: { name: keyword } },
      kubernetes: {
        properties: {
          namespace: keyword,
          node: { properties: { name: keyword } },
          pod: { properties: { name: keyword, uid: keyword } },
        },
      },
    },
  }
}

function lifecycleFor(
  { retentionMs }: Wish,
  { ilm, streamLifecycle }: Features,
  kind: Wanted['kind'],
  base: string,
  notes: string[],
): { policy: readonly Item[]; component: readonly Item[] } {
  const name = `${base}-lifecycle`
  if (kind === 'index') {
    if (retentionMs !== undefined)
      notes.push(
        'REMORA_RETENTION has no effect on one plain index: it would be deleted whole; write to a data stream, or put a date into REMORA_INDEX',
      )
    return { policy: [], component: [] }
  }
  if (ilm && (kind === 'data stream' || retentionMs !== undefined)) {
    const policy = item('lifecycle policy', base, { policy: { phases: phases(kind, retentionMs) } })
    return { policy: [policy], component: [component(name, { settings: { index: { lifecycle: { name: base } } } })] }
  }
  if (kind === 'data stream' && streamLifecycle) {
    const lifecycle = retentionMs === undefined ? {} : { data_retention: timeValue(retentionMs) }
    return { policy: [], component: [component(name, { lifecycle })] }
  }
  if (retentionMs !== undefined)
    notes.push(
      'REMORA_RETENTION has no effect: this server has no lifecycle for such a target, and documents are kept until somebody deletes them',
    )
  else if (kind === 'data stream')
    notes.push('this server has no lifecycle: the data stream is rolled over only when somebody does so')
  return { policy: [], component: [] }
}

/** What is rolled over is deleted so long after that; an index with a date so long after it was made. */
function phases(kind: Wanted['kind'], retentionMs: number | undefined): Record<string, unknown> {
  const rollover = { max_age: timeValue(rolloverAgeMs(retentionMs)), max_primary_shard_size: '50gb' }
  return {
    hot: { min_age: '0ms', actions: kind === 'data stream' ? { rollover } : {} },
    ...(retentionMs !== undefined && { delete: { min_age: timeValue(retentionMs), actions: { delete: {} } } }),
  }
}

/** As the data stream lifecycle chooses it. Source: Elasticsearch reference, "Data stream lifecycle settings", rollover `max_age=auto`. */
function rolloverAgeMs(retentionMs = Infinity): number {
  if (retentionMs <= dayMs) return hourMs
  if (retentionMs <= 14 * dayMs) return dayMs
  return retentionMs <= 90 * dayMs ? 7 * dayMs : 30 * dayMs
}

/** One number with one unit: Elasticsearch takes no `1d12h`. */
export function timeValue(durationMs: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['d', dayMs],
    ['h', hourMs],
    ['m', 60_000],
    ['s', 1_000],
  ]
  const [name, unitMs] = units.find(([, each]) => durationMs % each === 0) ?? ['ms', 1]
  return `${durationMs / unitMs}${name}`
}

const component = (name: string, template: Record<string, unknown>) => item('component template', name, { template })

function item(kind: ItemKind, name: string, content: Record<string, unknown>): Item {
  const { _meta: more, ...rest } = content
  const digest = digestOf(content)
  const mark = { managed_by: managedBy, version: setupVersion, digest, ...(more as object | undefined) }
  const body =
    kind === 'lifecycle policy'
      ? { policy: { ...(rest['policy'] as object), _meta: mark } }
      : { ...rest, version: setupVersion, _meta: mark }
  return { kind, name, path: pathOf(kind, name), body, digest }
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
}
