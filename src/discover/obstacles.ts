import { dirname } from 'node:path'
import type { Disk, FileFacts } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { denialOf, isDenied, ownReader } from '../base/rights.ts'
import type { Obstacle } from './entry.ts'

const descriptors = 'It is looked at again at each scan. Raise the limit of open files (ulimit -n).'

/** What a person can do when a directory cannot be looked at. */
const waysOut: Readonly<Record<string, string>> = {
  ENOENT:
    'It is looked for again at each scan. Check REMORA_PATHS and the volume mount if the application should have made it.',
  EMFILE: descriptors,
  ENFILE: descriptors,
}

/** The disk has refused to tell of a path. @param disk  is asked whose directory refuses */
export function failed(disk: Disk, at: string, error: unknown): Obstacle {
  const code = codeOf(error)
  if (isDenied(code)) return denied(disk, at, code)
  return { path: at, code, message: messageOf(error), wayOut: waysOut[code] ?? 'It is looked at again at each scan.' }
}

/** A directory that may not be searched refuses all that is below it: it is the one that is named. */
function denied(disk: Disk, at: string, code: string): Obstacle {
  let refusing = at
  let facts = lookQuietly(disk, refusing)
  while (facts === undefined && refusing !== '/') {
    refusing = dirname(refusing)
    facts = lookQuietly(disk, refusing)
  }
  const { message, wayOut } = denialOf(facts, ownReader())
  return { path: facts === undefined ? at : refusing, code, message, wayOut }
}

/** What a symlink leads to, as a root may be one. */
function lookQuietly(disk: Disk, at: string): FileFacts | undefined {
  try {
    const facts = disk.look(at)
    return facts?.kind === 'symlink' ? disk.look(disk.resolve(at)) : facts
  } catch (error) {
    if (codeOf(error) === '') throw error
    return undefined
  }
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

export function ownOutput(path: string): Obstacle {
  return {
    path,
    code: 'OWN_OUTPUT',
    message:
      'it is what Remora itself says (its stdout or stderr), or was: it is not shipped, or each message could make another one',
    wayOut: 'Send the output of Remora elsewhere, or leave it as it is: nothing else is affected.',
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
