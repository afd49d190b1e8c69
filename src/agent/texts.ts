/** What Remora says to a person at three in the morning: a code, what happened, the way out. */
import type { Notice } from '../admin/logger.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Settings } from '../config/types.ts'
import type { Generation } from '../follow/generation.ts'
import type { Refusal } from '../follow/opening.ts'
import type { DeadLetter } from '../ship/dead-letter.ts'

export const stateDirUnavailable = (path: string, error: unknown): Notice => ({
  code: 'STATE_DIR_UNAVAILABLE',
  path,
  message: `REMORA_STATE_DIR cannot be made: ${messageOf(error)}`,
  wayOut: 'Mount a writable volume there; without it every restart sends all files again.',
})

/** That no descriptors are left is said once, not of each file. */
export function cannotOpen({ path, ...notice }: Notice & { readonly path: string }): Notice {
  if (notice.code !== 'EMFILE' && notice.code !== 'ENFILE') return { path, ...notice }
  return { ...notice, message: `${path} cannot be opened: ${notice.message}` }
}

const asksInstead = `It is looked at every ${limits.unwatchedIntervalMs / 1000} s instead, and less often the longer it is quiet: what happens is seen within ${limits.idlePollMaxMs / 1000} s.`

/** Which limit of the node's kernel has run out. Source: inotify(7), inotify_init(2), inotify_add_watch(2). */
const watchLimits: Readonly<Record<string, string>> = {
  ENOSPC: 'fs.inotify.max_user_watches',
  EMFILE: 'fs.inotify.max_user_instances',
}

/** A limit is the same for all directories, and said once; anything else is said of each. */
export function watchFailed(path: string, error: unknown): Notice {
  const limit = watchLimits[codeOf(error)]
  if (limit === undefined)
    return {
      code: 'WATCH_FAILED',
      path,
      message: `the directory cannot be watched: ${messageOf(error)}`,
      wayOut: asksInstead,
    }
  return {
    code: 'WATCH_LIMIT',
    message: `directories cannot be watched, the first of them ${path}: the node has run out of ${limit} (${messageOf(error)})`,
    wayOut: `${asksInstead} Nothing is lost. To have it seen at once, raise ${limit} on the node (sysctl) and restart Remora.`,
  }
}

export const noFiles = ({ paths, scanIntervalMs }: Settings): Notice => ({
  code: 'NO_FILES',
  message: `no file matches ${paths.join(', ')} yet`,
  wayOut: `It is looked for every ${scanIntervalMs / 1000} s. If the application writes elsewhere, set REMORA_PATHS.`,
})

export const readFailed = (generation: Generation, code: string, message: string): Notice => ({
  code: `READ_${code}`,
  path: generation.currentPath ?? generation.path,
  message: `it cannot be read: ${message}`,
  wayOut: 'It is tried again; the other files go on.',
})

export const lineCut = ({ path }: Generation, lineBytesMax: number): Notice => ({
  code: 'LINE_CUT',
  path,
  message: `it has lines of more than ${lineBytesMax} bytes; they are cut there and marked with log.flags: truncated`,
  wayOut: 'Raise REMORA_MAX_LINE_BYTES to keep them whole; remora_cut_lines_total counts them.',
})

export const binaryFile = ({ path }: Generation): Notice => ({
  code: 'BINARY_FILE',
  path,
  message: 'it looks binary: it is shipped with what is no UTF-8 replaced',
  wayOut: 'Leave it out with REMORA_EXCLUDE if it is not a log.',
})

export const holeSkipped = ({ path }: Generation): Notice => ({
  code: 'HOLE_SKIPPED',
  path,
  message:
    'it has a hole: NUL bytes where a line would begin, which are passed over; the lines behind them are shipped',
  wayOut:
    'A writer that does not append leaves one when its file is truncated: open the log for appending, or rotate by renaming. remora_skipped_bytes_total counts them.',
})

export const gap = ({ path, offset }: Generation, bytes: number, why: string): Notice => ({
  code: 'GAP',
  path,
  message: `${bytes} bytes at the least were not shipped, from offset ${offset}: ${why}`,
  wayOut: 'They are gone. Keep rotated files for longer than Elasticsearch may be away.',
})

const unopenedWaysOut: Readonly<Record<string, string>> = {
  EACCES: 'Give Remora the right to read what the application writes (runAsUser, or fsGroup and umask 027).',
  EPERM: 'Give Remora the right to read what the application writes (runAsUser, or fsGroup and umask 027).',
  EMFILE: `Raise the limit of open files of the container (ulimit -n) to ${limits.openFilesMax + limits.descriptorsReserve} or more, or mend what keeps Elasticsearch from taking documents.`,
  ENFILE: 'The node has run out of open files: raise fs.file-max there (sysctl).',
}

/** The same of a file of which nobody has read a byte. */
export const gapUnopened = (path: string, bytes: number, { code, message }: Refusal): Notice => ({
  code: 'GAP',
  path,
  message: `${bytes} bytes at the least were not shipped, from offset 0: it was deleted or emptied before it could be opened (${code}: ${message})`,
  wayOut: `They are gone. ${unopenedWaysOut[code] ?? 'Keep rotated files for longer.'}`,
})

export const blind = (target: string, why: string): Notice => ({
  code: 'DUPLICATES_POSSIBLE',
  message: `lines were sent again that an older index of ${target} may have already, which could not be found out: ${why}`,
  wayOut:
    "Nothing is lost. Give Remora's user the index privileges view_index_metadata and read on it to rule duplicates out; remora_possibly_duplicated_lines_total counts them.",
})

/** @param why  it could not be kept; undefined: it was, at `path` */
export const refused = (why: string | undefined, { status, errorType }: DeadLetter, path: string): Notice =>
  why === undefined
    ? {
        code: 'DEAD_LETTER',
        message: `Elasticsearch refuses a document for good (${status} ${errorType})`,
        wayOut: `It is kept in ${path}: \`remora inspect dead-letters\` says why, \`remora replay\` sends it again once that is mended.`,
      }
    : {
        code: 'DEAD_LETTER_LOST',
        message: `Elasticsearch refuses a document for good (${status} ${errorType}) and it could not be kept: ${why}`,
        wayOut: 'Make room in REMORA_STATE_DIR; see remora_lost_lines_total.',
      }

/** @param letters  that have gone so far */
export const lettersExpired = (directory: string, letters: number): Notice => ({
  code: 'DEAD_LETTERS_EXPIRED',
  path: directory,
  message: `there are more dead letters than REMORA_DEAD_LETTER_BYTES allows: the oldest go (${letters} so far), and their lines are lost`,
  wayOut:
    'Mend what refuses them and run `remora replay` soon, or raise REMORA_DEAD_LETTER_BYTES; remora_dead_letters_expired_total counts them.',
})

export const lettersUnavailable = (directory: string, error: unknown): Notice => ({
  code: 'DEAD_LETTERS_UNAVAILABLE',
  path: directory,
  message: `the dead letters cannot be looked at: ${messageOf(error)}`,
  wayOut: 'Shipping goes on; make the directory readable and writable for Remora.',
})

export const lettersStuck = (index: string, why: string, directory: string): Notice => ({
  code: 'DEAD_LETTERS_STUCK',
  message: `${index} does not take dead letters: ${why}`,
  wayOut: `They stay in ${directory} and are tried again; \`remora inspect dead-letters\` shows them.`,
})
