import { limits } from '../base/limits.ts'
import { formatBytes } from '../base/units.ts'

/** Something about the state that a person is to know; `admin/` says it. */
export interface StateReport {
  readonly level: 'info' | 'warn' | 'error'
  readonly code: string
  readonly message: string
  readonly wayOut?: string
  readonly path?: string
}

export type Say = (report: StateReport) => void

/** What could not be read, and where it is now. */
export interface Unreadable {
  readonly path: string
  /** Where it was set aside; the path itself: it could not be moved. */
  readonly keptAs: string
  readonly why: string
  /** A newer Remora has written it. */
  readonly future: boolean
}

const volume = 'Mount a writable volume at REMORA_STATE_DIR.'

/** Room for a checkpoint, the one before, and the new one until it is whole; at least what a few files take. */
const roomFor = (bytes: number) => formatBytes(Math.max(64 * 1024, 3 * Math.ceil(bytes / 1024) * 1024))

/**
 * @param code   Node's, of what the disk said
 * @param bytes  of the last checkpoint that was written; 0: none was
 */
export function writeFailed(path: string, code: string, message: string, bytes: number): StateReport {
  const wayOuts: Readonly<Record<string, string>> = {
    ENOSPC: `Make room in REMORA_STATE_DIR for ${roomFor(bytes)} at the least (dead letters take up to REMORA_DEAD_LETTER_BYTES more), or raise the sizeLimit of its volume by that.`,
    EDQUOT: `Make room in REMORA_STATE_DIR for ${roomFor(bytes)} at the least, or raise the quota by that.`,
    EMFILE: `No file descriptor was free: raise the limit of open files of the container (ulimit -n) to ${limits.openFilesMax + limits.descriptorsReserve} or more.`,
    ENFILE: 'The node has run out of open files: raise fs.file-max there (sysctl).',
    ENOENT: 'A part of the path of REMORA_STATE_DIR is gone: mount its volume again, or correct the setting.',
    EROFS: volume,
    EACCES: `Give the user that Remora runs as the right to write there; fsGroup of the Pod does so for a volume.`,
    EPERM: `Give the user that Remora runs as the right to write there; fsGroup of the Pod does so for a volume.`,
    ENOTDIR: 'A part of the path of REMORA_STATE_DIR is a file: remove it, or correct the setting.',
    EEXIST: 'A part of the path of REMORA_STATE_DIR is a file: remove it, or correct the setting.',
  }
  return {
    level: 'warn',
    code: 'CHECKPOINT_FAILED',
    path,
    message: `the checkpoint could not be written: ${message}`,
    wayOut: `Shipping goes on, and it is tried again; after a crash now, lines would be sent again and answered as duplicates. ${wayOuts[code] ?? 'Make room in, or rights to, REMORA_STATE_DIR.'}`,
  }
}

export const writtenAgain: StateReport = {
  level: 'info',
  code: 'CHECKPOINT_RECOVERED',
  message: 'checkpoints are written again',
}

export function deleted(path: string): StateReport {
  return {
    level: 'warn',
    code: 'STATE_DELETED',
    path,
    message: 'the checkpoint was deleted while Remora runs; all of it is written again now',
    wayOut: 'Nothing is lost. Leave REMORA_STATE_DIR alone: deleted between two runs it makes lines be sent again.',
  }
}

export function shared(path: string): StateReport {
  return {
    level: 'error',
    code: 'STATE_SHARED',
    path,
    message:
      'another Remora writes into this state directory too. This one leaves it the checkpoint and goes on shipping without one',
    wayOut:
      'Give each Remora a REMORA_STATE_DIR of its own. During a rolling update on one volume this is the old Pod, and all is well; otherwise lines are sent again after a restart.',
  }
}

export function takenBack(path: string): StateReport {
  return {
    level: 'warn',
    code: 'STATE_TAKEN_BACK',
    path,
    message: 'the other Remora in this state directory was silent for long: checkpoints are written again',
    wayOut: 'Give each Remora a REMORA_STATE_DIR of its own.',
  }
}

export function inTheWay(path: string, keptAs: string, why: string): StateReport {
  return {
    level: 'warn',
    code: 'STATE_IN_THE_WAY',
    path,
    message: `in the place of a file of the state something else stood (${why}); it is now ${keptAs}`,
    wayOut: 'Nothing but Remora is to write into REMORA_STATE_DIR.',
  }
}
