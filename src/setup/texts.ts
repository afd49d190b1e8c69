/** What the agent says of a setup that it did itself. */
import type { Notice } from '../admin/logger.ts'
import type { Outcome } from './act.ts'

export interface Said {
  readonly level: 'info' | 'warn'
  readonly notice: Notice
}

const anyway = 'documents are sent all the same, with whatever mapping the server gives them'

/** Each outcome that is the last one. */
export function saidOf(outcome: Outcome, target: string): Said {
  switch (outcome.kind) {
    case 'done': {
      const written = outcome.rows.filter((row) => row.written).map(({ item }) => `${item.kind} ${item.name}`)
      const message = `templates for ${target} are in place: ${written.length === 0 ? 'nothing was written' : `${written.join(', ')} written`}`
      const { notes } = outcome.wanted
      if (notes.length === 0) return { level: 'info', notice: { code: 'SETUP_DONE', message } }
      const wayOut = '`remora setup --dry-run` shows what the server is given.'
      return { level: 'warn', notice: { code: 'SETUP_DONE', message: `${message}; ${notes.join('; ')}`, wayOut } }
    }
    case 'known': {
      const who = outcome.newer ? 'a newer Remora has put them in place, they are left alone' : 'nothing to do'
      return { level: 'info', notice: { code: 'SETUP_DONE', message: `templates for ${target}: ${who}` } }
    }
    case 'refused':
      return {
        level: 'warn',
        notice: {
          code: 'SETUP_REFUSED',
          message: `REMORA_SETUP has not put templates in place: ${outcome.message}; ${anyway}`,
          wayOut: `${outcome.wayOut}.`,
        },
      }
    case 'later':
    default:
      return {
        level: 'warn',
        notice: {
          code: 'SETUP_FAILED',
          message: `REMORA_SETUP has not put templates in place after several attempts: ${outcome.message}; ${anyway}`,
          wayOut: 'Run `remora setup` when the server is well again, then roll the target over.',
        },
      }
  }
}
