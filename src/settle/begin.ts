import type { State } from '../base/state.ts'
import type { Loaded } from './checkpoint.ts'
import type { StateReport, Unreadable } from './report.ts'
import { unnamed } from './state-shape.ts'

export interface Beginning {
  readonly state: State
  /** Nothing of an earlier run was here. Otherwise the end of a file is no place to begin: lines before may not be sent. */
  readonly first: boolean
  readonly reports: readonly StateReport[]
}

/** The first start counts from a little earlier: a file that is born in this very moment is ours. */
const slackMs = 1_000

/** What to begin with, and what to say of it. @param newId  makes a word that was never used before */
export function begin(loaded: Loaded, nowMs: number, newId: () => string): Beginning {
  const { newest, installation, unreadable } = loaded
  const checkpoints = unreadable.filter(({ path }) => !isInstanceFile(path))
  const others = unreadable.filter(({ path }) => isInstanceFile(path))
  // Of the two checkpoints the newest: the way out of both is one.
  const reports = [...checkpoints.slice(0, 1), ...others].map((each) => unreadableReport(each, loaded))
  if (newest === undefined) {
    const first = unreadable.length === 0 && installation === undefined
    if (unreadable.length === 0 && installation !== undefined) reports.push(lost)
    const since = checkedSince(first ? nowMs - slackMs : (installation?.sinceMs ?? 0), nowMs)
    return {
      state: {
        instance: installation?.instance ?? newId(),
        incarnation: newId(),
        sinceMs: since.sinceMs,
        names: '',
        indices: null,
        generations: [],
      },
      first,
      reports: [...reports, ...since.reports],
    }
  }

  const { state, dropped } = newest.read
  if (dropped.length > 0) reports.push(droppedReport(newest.path, dropped))
  if (installation !== undefined && installation.instance !== state.instance)
    reports.push(instanceReport(installation.instance, state.instance))
  const since = checkedSince(state.sinceMs, nowMs)
  // The one that cannot be read may have given names out that the one before does not know.
  const behind = checkpoints.length > 0
  return {
    state: {
      ...state,
      instance: installation?.instance ?? state.instance,
      incarnation: behind || state.incarnation === unnamed ? newId() : state.incarnation,
      sinceMs: since.sinceMs,
    },
    first: false,
    reports: [...reports, ...since.reports],
  }
}

/** In the future, it would make every file that is rotated away unseen look older than Remora, and be left alone. */
function checkedSince(sinceMs: number, nowMs: number): { sinceMs: number; reports: readonly StateReport[] } {
  if (sinceMs <= nowMs) return { sinceMs, reports: [] }
  const report: StateReport = {
    level: 'warn',
    code: 'CLOCK_SET_BACK',
    message: `Remora first started here at ${new Date(sinceMs).toISOString()}, which is in the future: the clock was set back`,
    wayOut:
      'Nothing is lost: rotated files whose time of birth says nothing now are shipped, those from before the first start too.',
  }
  return { sinceMs: 0, reports: [report] }
}

const isInstanceFile = (path: string): boolean => path.endsWith('/instance')

const again =
  'With REMORA_POD_UID set, or the file `instance` intact, what Elasticsearch has already is answered as a duplicate'

function unreadableReport({ path, keptAs, why, future }: Unreadable, { newest }: Loaded): StateReport {
  const kept = keptAs === path ? 'it stays where it is' : `it was set aside as ${keptAs}`
  const back = future ? ' To go back to the newer Remora, put that file back first.' : ''
  if (isInstanceFile(path)) {
    return {
      level: newest === undefined ? 'error' : 'warn',
      code: 'INSTANCE_UNREADABLE',
      path: keptAs,
      message: `${path} cannot be read: ${why}; ${kept}`,
      wayOut:
        newest === undefined
          ? 'A new instance id is made: without REMORA_POD_UID, lines that are sent again are stored twice.'
          : 'Nothing needs to be done: the checkpoint has the instance id too.',
    }
  }
  if (newest !== undefined) {
    return {
      level: 'warn',
      code: 'STATE_FALLBACK',
      path: keptAs,
      message: `${path} cannot be read: ${why}; ${kept}, and ${newest.path} is used`,
      wayOut: `Nothing is lost: some lines are sent again and answered as duplicates.${back}`,
    }
  }
  return {
    level: 'error',
    code: 'STATE_UNREADABLE',
    path: keptAs,
    message: `the checkpoint cannot be read: ${path}: ${why}; ${kept}`,
    wayOut: `Nothing is lost: every file is sent again from its start. ${again}; without, it is stored twice.${back}`,
  }
}

const lost: StateReport = {
  level: 'error',
  code: 'STATE_LOST',
  message: 'Remora has run here before, yet there is no checkpoint: somebody has deleted it',
  wayOut: `Nothing is lost: every file is sent again from its start. ${again}. Leave REMORA_STATE_DIR alone.`,
}

function droppedReport(path: string, dropped: readonly string[]): StateReport {
  const [first = ''] = dropped
  const more = dropped.length > 1 ? `, and ${dropped.length - 1} more` : ''
  return {
    level: 'error',
    code: 'STATE_ENTRIES_BROKEN',
    path,
    message: `parts of the checkpoint make no sense and are left out (${first}${more}); the others are used`,
    wayOut:
      'A file whose entry is left out is sent again from its start, under the same ids as far as those do not depend on the entry.',
  }
}

function instanceReport(installed: string, inState: string): StateReport {
  return {
    level: 'warn',
    code: 'INSTANCE_DIFFERS',
    message: `the checkpoint is of the instance ${inState}, the file \`instance\` says ${installed}, which is used from now on`,
    wayOut: 'If the checkpoint was copied from elsewhere, that is as it should be.',
  }
}
