/** What is to be done about each item, from what the server has of that name. Pure. */
import type { Reply } from './ask.ts'
import { at, textAt } from './read.ts'
import { managedBy, setupVersion, type Item } from './wanted.ts'

/** What a server has under the name of an item. */
export type Existing =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'present'
      readonly managedBy: string
      readonly version: number
      readonly digest: string
      readonly wish: string
    }
  | { readonly kind: 'unknown' }

/**
 * - `create`, `update`: to be written; ours, older or of other settings
 * - `same`: nothing to do
 * - `newer`: a newer Remora has made it; left alone
 * - `foreign`: somebody else has; left alone
 * - `unseen`: it may not be read, and what cannot be read is not written over
 */
export type Todo = 'create' | 'update' | 'same' | 'newer' | 'foreign' | 'unseen'

export function existingOf({ kind, name }: Pick<Item, 'kind' | 'name'>, reply: Reply): Existing {
  if (reply.kind === 'failed') return { kind: 'unknown' }
  if (reply.status === 404) return { kind: 'absent' }
  const found = {
    'lifecycle policy': at(reply.body, name, 'policy'),
    'component template': at(reply.body, 'component_templates', 0, 'component_template'),
    'index template': at(reply.body, 'index_templates', 0, 'index_template'),
  }[kind]
  if (reply.status !== 200 || found === undefined) return { kind: 'unknown' }
  const version = at(found, '_meta', 'version')
  return {
    kind: 'present',
    managedBy: textAt(found, '_meta', 'managed_by'),
    version: typeof version === 'number' ? version : 0,
    digest: textAt(found, '_meta', 'digest'),
    wish: textAt(found, '_meta', 'wish'),
  }
}

export function todoOf({ digest }: Pick<Item, 'digest'>, existing: Existing): Todo {
  if (existing.kind === 'absent') return 'create'
  if (existing.kind === 'unknown') return 'unseen'
  if (existing.managedBy !== managedBy) return 'foreign'
  if (existing.version > setupVersion) return 'newer'
  return existing.version === setupVersion && existing.digest === digest ? 'same' : 'update'
}

/** Whether everything may be written that is to be: all of it, or nothing, for the parts belong together. */
export function mayWrite(todos: readonly Todo[]): boolean {
  return todos.every((todo) => todo === 'create' || todo === 'update' || todo === 'same')
}
