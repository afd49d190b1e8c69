/** Puts in place what is wanted, as far as the server lets us. */
import type { Ask, Reply } from './ask.ts'
import { askFeatures, type Features } from './features.ts'
import { existingOf, mayWrite, todoOf, type Todo } from './plan.ts'
import { at, isForLater, reasonOf } from './read.ts'
import {
  baseNameOf,
  digestOfWish,
  managedBy,
  pathOf,
  setupVersion,
  wantedFor,
  type Item,
  type Wanted,
  type Wish,
} from './wanted.ts'

export interface Row {
  readonly item: Item
  readonly todo: Todo
  /** It was written now. */
  readonly written: boolean
}

export type Outcome =
  /** All is in place, or would be after a dry run. */
  | { readonly kind: 'done'; readonly features: Features; readonly wanted: Wanted; readonly rows: readonly Row[] }
  /** This Remora, or a newer one, has put all in place before: nothing was written. */
  | { readonly kind: 'known'; readonly newer: boolean }
  /** Trying again does not help: somebody has to decide. `rows`: as far as it came. */
  | { readonly kind: 'refused'; readonly message: string; readonly wayOut: string; readonly rows: readonly Row[] }
  /** No answer, or one that says so. `status` is undefined when there was none. */
  | { readonly kind: 'later'; readonly message: string; readonly status: number | undefined }

const later = (reply: Reply): Outcome => ({
  kind: 'later',
  message: reasonOf(reply),
  status: reply.kind === 'failed' ? undefined : reply.status,
})

const privileges = 'the cluster privileges manage_index_templates, monitor and, where there is ILM, manage_ilm'

/** Looks at one thing only: whether this, or a newer, Remora has made the index template of this wish. */
export async function isInPlace(ask: Ask, wish: Wish): Promise<Outcome | undefined> {
  const name = baseNameOf(wish.target)
  const reply = await ask('GET', pathOf('index template', name))
  if (isForLater(reply)) return later(reply)
  const existing = existingOf({ kind: 'index template', name }, reply)
  if (existing.kind !== 'present' || existing.managedBy !== managedBy) return undefined
  const newer = existing.version > setupVersion
  const same = existing.version === setupVersion && existing.wish === digestOfWish(wish)
  return same || newer ? { kind: 'known', newer } : undefined
}

/** @param dry  asks, and writes nothing */
export async function setUp(ask: Ask, wish: Wish, dry: boolean): Promise<Outcome> {
  const asked = await askFeatures(ask, wish.target)
  if (asked.kind === 'later') return later(asked.reply)
  const { features } = asked
  if (features.target === 'alias') {
    return {
      kind: 'refused',
      message: `${wish.target} is an alias: what it leads to was made by somebody else, with a template and a lifecycle of its own`,
      wayOut: 'Leave REMORA_SETUP at never, or write to a data stream',
      rows: [],
    }
  }
  const wanted = wantedFor(wish, features)
  const rows: Row[] = []
  for (const item of wanted.items) {
    const reply = await ask('GET', item.path)
    if (isForLater(reply)) return later(reply)
    rows.push({ item, todo: todoOf(item, existingOf(item, reply)), written: false })
  }
  if (!mayWrite(rows.map(({ todo }) => todo))) return leftAlone(rows)
  if (dry) return { kind: 'done', features, wanted, rows }
  for (const [index, { item, todo }] of rows.entries()) {
    if (todo === 'same') continue
    const reply = await ask('PUT', item.path, item.body)
    if (isForLater(reply)) return later(reply)
    if (reply.kind === 'failed' || reply.status !== 200) return refused(item, reply, rows)
    rows[index] = { item, todo, written: true }
  }
  return { kind: 'done', features, wanted, rows }
}

function leftAlone(rows: readonly Row[]): Outcome {
  const named = (todo: Todo) => rows.filter((row) => row.todo === todo).map(({ item }) => `${item.kind} ${item.name}`)
  const [foreign, unseen] = [named('foreign'), named('unseen')]
  if (foreign.length > 0) {
    return {
      kind: 'refused',
      message: `somebody else has made the ${foreign.join(' and the ')}: it is left alone, and nothing is written`,
      wayOut: 'Keep it, with REMORA_SETUP at never; or delete it, or rename it, and run `remora setup` again',
      rows,
    }
  }
  if (unseen.length > 0) {
    return {
      kind: 'refused',
      message: `the ${unseen.join(' and the ')} may not be read with these credentials, so nothing is written`,
      wayOut: `Give the role, or the API key, ${privileges}; or have somebody run \`remora setup\` who has them`,
      rows,
    }
  }
  return { kind: 'known', newer: true }
}

function refused(item: Item, reply: Reply, rows: readonly Row[]): Outcome {
  const reason = reasonOf(reply)
  const failed = (message: string, wayOut: string): Outcome => ({ kind: 'refused', message, wayOut, rows })
  if (reply.kind === 'answered' && reply.status === 403) {
    return failed(
      `the ${item.kind} ${item.name} may not be written with these credentials`,
      `Give the role, or the API key, ${privileges}; or have somebody run \`remora setup\` who has them`,
    )
  }
  const [, rivals] = /matching patterns from existing templates \[([^\]]*)\]/.exec(reason) ?? []
  if (rivals !== undefined) {
    return failed(
      `another index template has the same priority (${String(at(item.body, 'priority'))}) and a pattern that may match the same names: ${rivals}`,
      `Give that template another priority, or choose another target`,
    )
  }
  return failed(
    `the ${item.kind} ${item.name} is not taken: ${reason}`,
    'Mend what it says, then run `remora setup` again',
  )
}
