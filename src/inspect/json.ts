/** A state directory as JSON for a machine. */
import type { CheckpointFile, Row, StateDirectory, Totals } from './facts.ts'

/** What JSON lets through and a terminal might obey. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const tricky = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

export function inspectJson(found: StateDirectory, rows: readonly Row[], totals: Totals, shown: number): string {
  const { directory, obstacle, checkpoints, used, installation, setAside, deadLetters, drafts } = found
  const value = {
    directory,
    obstacle: typeof obstacle === 'object' ? obstacle.why : (obstacle ?? null),
    checkpoints: checkpoints.map(checkpointOf),
    used: used?.path ?? null,
    instance: used?.read.state.instance ?? (installation.kind === 'readable' ? installation.value.instance : null),
    incarnation: used?.read.state.incarnation ?? null,
    writer: used?.read.writer ?? null,
    sinceMs: used?.read.state.sinceMs ?? null,
    indices: used?.read.state.indices ?? null,
    leftOut: used?.read.dropped ?? [],
    deadLetters,
    setAside,
    drafts,
    totals,
    generations: rows.slice(0, shown).map(({ saved, sizeBytes, isThere, lagBytes, percent }) => ({
      ...saved,
      savedSizeBytes: saved.sizeBytes,
      sizeBytes,
      isThere,
      lagBytes,
      percent,
    })),
    generationsLeftOut: Math.max(0, rows.length - shown),
  }
  return `${safeJson(value, 2)}\n`
}

/** JSON that cannot play tricks on a terminal either. */
export function safeJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent)
  return text.replace(tricky, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function checkpointOf({ path, found, sizeBytes, writtenMs }: CheckpointFile): Record<string, unknown> {
  if (found.kind === 'none') return { path, kind: found.kind }
  const more = found.kind === 'readable' ? { version: found.value.version } : { why: found.why }
  return { path, kind: found.kind, ...more, sizeBytes, writtenMs }
}
