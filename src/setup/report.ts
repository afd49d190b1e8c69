/** What came of a setup, for a person to read. Pure. */
import type { Outcome, Row } from './act.ts'
import type { Todo } from './plan.ts'
import type { Wish } from './wanted.ts'

export interface Report {
  /** Ends with a line break. */
  readonly text: string
  readonly exitCode: 0 | 1
}

/** @param dry  nothing was written: what would be is shown whole */
export function reportOf(outcome: Outcome, wish: Wish, dry: boolean): Report {
  switch (outcome.kind) {
    case 'known':
      return {
        text: `A newer Remora has put the templates for ${wish.target} in place: they are left alone.\n`,
        exitCode: 0,
      }
    case 'refused':
      return {
        text: `${tableOf(outcome.rows, false)}Not done: ${outcome.message}.\n  ${outcome.wayOut}.\n`,
        exitCode: 1,
      }
    case 'done':
      return { text: doneText(outcome, wish, dry), exitCode: 0 }
    case 'later':
    default:
      return { text: `Not now: ${outcome.message}.\n  ${laterWayOut(outcome.status)}\n`, exitCode: 1 }
  }
}

const laterWayOut = (status: number | undefined) =>
  status === 401
    ? 'Mend the credentials (REMORA_API_KEY, or REMORA_USERNAME and REMORA_PASSWORD).'
    : 'Run `remora check` to see why, then try again.'

function doneText({ features, wanted, rows }: Extract<Outcome, { kind: 'done' }>, wish: Wish, dry: boolean): string {
  const what = { 'data stream': 'a data stream', 'dated index': 'an index for each date', index: 'an index' }[
    wanted.kind
  ]
  const lines = [`${features.server}, ${wish.target} (${what})`, '', tableOf(rows, dry)]
  const changed = rows.some(({ todo }) => todo !== 'same')
  for (const note of wanted.notes) lines.push(`Note: ${note}.`)
  if (changed && features.target !== 'absent' && features.target !== 'unknown' && wanted.kind !== 'dated index') {
    lines.push(existingText(wish.target, wanted.kind))
  }
  lines.push(dry ? 'Nothing was written (--dry-run).' : changed ? 'Done.' : 'Nothing to do: everything is in place.')
  const bodies = rows
    .filter(({ todo }) => todo !== 'same')
    .map(({ item }) => `\nPUT ${item.path}\n${JSON.stringify(item.body, undefined, 2)}`)
  return `${[...lines, ...(dry ? bodies : [])].join('\n')}\n`
}

const existingText = (target: string, kind: 'data stream' | 'index') =>
  kind === 'data stream'
    ? `Note: ${target} is there already: its next backing index gets this. POST /${target}/_rollover makes it do so now.`
    : `Note: ${target} is there already, and stays as it is: a template is for what is made after it.`

const words: Readonly<Record<Todo, readonly [did: string, would: string]>> = {
  create: ['created', 'would be created'],
  update: ['updated', 'would be updated'],
  same: ['unchanged', 'unchanged'],
  newer: ['of a newer Remora, left alone', 'of a newer Remora, left alone'],
  foreign: ['not ours, left alone', 'not ours, left alone'],
  unseen: ['may not be read', 'may not be read'],
}

/** One line each. Ends with a line break, unless there is none. */
function tableOf(rows: readonly Row[], dry: boolean): string {
  const kindWidth = Math.max(0, ...rows.map(({ item }) => item.kind.length))
  const nameWidth = Math.max(0, ...rows.map(({ item }) => item.name.length))
  return rows
    .map(({ item, todo, written }) => {
      const [did, would] = words[todo]
      const isOpen = todo === 'create' || todo === 'update'
      const what = dry ? would : isOpen && !written ? 'not written' : did
      return `${item.kind.padEnd(kindWidth)}  ${item.name.padEnd(nameWidth)}  ${what}\n`
    })
    .join('')
}
