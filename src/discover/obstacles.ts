import type { FileFacts } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import type { Obstacle } from './entry.ts'

const access = 'Give the user that Remora runs as the right to read and search it (fsGroup, or a shared group).'
const descriptors = 'It is looked at again at each scan. Raise the limit of open files (ulimit -n).'

/** What a person can do when a directory cannot be looked at. */
const waysOut: Readonly<Record<string, string>> = {
  ENOENT:
    'It is looked for again at each scan. Check REMORA_PATHS and the volume mount if the application should have made it.',
  EACCES: access,
  EPERM: access,
  EMFILE: descriptors,
  ENFILE: descriptors,
}

/** The disk has refused to tell of a path. */
export function failed(path: string, error: unknown): Obstacle {
  const code = codeOf(error)
  return { path, code, message: messageOf(error), wayOut: waysOut[code] ?? 'It is looked at again at each scan.' }
}

export function rootMoved(path: string, first: string, now: string): Obstacle {
  return {
    path,
    code: 'ROOT_MOVED',
    message: `it led to ${first} at first, and leads to ${now} now, which is not followed`,
    wayOut: 'Restart Remora if that is meant.',
  }
}

export function directoryTooLarge(path: string, entries: number): Obstacle {
  return {
    path,
    code: 'DIRECTORY_TOO_LARGE',
    message: `it has ${entries} entries, and ${limits.directoryEntriesMax} are looked at`,
    wayOut: 'Remove old files, or narrow REMORA_PATHS to a smaller directory.',
  }
}

export function tooManyDirectories(path: string): Obstacle {
  return {
    path,
    code: 'TOO_MANY_DIRECTORIES',
    message: `more than ${limits.directoriesMax} directories, or deeper than ${limits.directoryDepthMax}`,
    wayOut: 'Narrow REMORA_PATHS, or leave directories out with REMORA_EXCLUDE.',
  }
}

export function tooManyStrangers(path: string): Obstacle {
  return {
    path,
    code: 'TOO_MANY_STRANGERS',
    message: `more than ${limits.strangersMax} files that no glob matches and that are not named like rotated ones: further ones are not looked at`,
    wayOut:
      'A log that is renamed to such a name is read to its end while it is open, and not found again after a restart. Narrow REMORA_PATHS to the directory of the logs.',
  }
}

export function symlinkOutside(path: string): Obstacle {
  return {
    path,
    code: 'SYMLINK_OUTSIDE',
    message: 'it is a symlink to a place outside the watched directories, and is not followed',
    wayOut: 'Have the application write inside the watched directory, or name the real place in REMORA_PATHS.',
  }
}

export function unnameable(path: string): Obstacle {
  return {
    path,
    code: 'NAME_NOT_UTF8',
    message: 'its name is not valid UTF-8, so it cannot be opened by it; its lines are not shipped',
    wayOut: 'Have the application name its log files in UTF-8.',
  }
}

export function unfit(path: string, kind: FileFacts['kind']): Obstacle {
  return {
    path,
    code: 'NOT_A_FILE',
    message: `a ${kind} is not a log file; it is left alone`,
    wayOut: 'Leave it out with REMORA_EXCLUDE, or narrow REMORA_PATHS.',
  }
}
