/** Lists of absolute globs, and whether a glob reaches into a directory. Knows `*`, `**`, `?`, `[a-z]` and `{a,b}`. */
import { posix } from 'node:path'
import { bad, good, quoted } from '../base/units.ts'
import type { Parsed } from '../base/units.ts'
import { braceContents, classContents, expandBraces, splitOutside } from './braces.ts'
import type { Kind } from './kinds.ts'

const globsMax = 32
const globBytesMax = 1024
const alternativesMax = 256

/** Globs of what to read: each must begin with a fixed directory, for none may wander through the whole container. */
export const includeGlobs: Kind<readonly string[]> = globs(true)

/** Globs of what to leave alone: these may begin with a wildcard. */
export const excludeGlobs: Kind<readonly string[]> = globs(false)

function globs(rooted: boolean): Kind<readonly string[]> {
  return {
    words: 'globs',
    bounds: `absolute, comma-separated, at most ${globsMax}`,
    show: (value) => value.join(','),
    parse(text) {
      const given = splitOutside(text)?.map((glob) => glob.trim())
      if (given === undefined) {
        return bad(
          `${quoted(text)} has a brace or bracket without its partner`,
          'close it, or write [{] or [[] for itself',
        )
      }
      if (given.length > globsMax)
        return bad(`it lists ${given.length} globs`, `list at most ${globsMax}; braces may help`)
      for (const glob of given) {
        const problem = problemOf(glob, rooted)
        if (problem !== undefined) return problem
      }
      return good(given)
    },
  }
}

function problemOf(glob: string, rooted: boolean): Parsed<never> | undefined {
  const name = quoted(glob)
  if (glob === '') return bad('it has an empty entry', 'remove the comma that stands for nothing')
  if (Buffer.byteLength(glob) > globBytesMax) return bad(`${name} is too long`, `write at most ${globBytesMax} bytes`)
  if (glob.startsWith('!'))
    return bad(`${name} begins with !`, 'list what to leave out in REMORA_EXCLUDE, without the !')
  if (glob.includes('\\'))
    return bad(`${name} has a backslash in it`, 'write a class for a character itself: [*], [,], [[]')
  if (/[?*+@!]\(/.test(glob))
    return bad(`${name} has a group in ( )`, 'write alternatives in braces: {a,b}; [(] for a (')
  if (classContents(glob).some((inside) => inside.includes('/'))) {
    return bad(`${name} has a / inside [ ]`, 'a class stands for one character of a name; use braces: {a,b/c}')
  }
  for (const inside of braceContents(glob)) {
    if (inside.includes('..')) return bad(`${name} has a range or .. in braces`, 'list the alternatives: {1,2,3}')
    if (splitOutside(inside)?.length === 1) {
      return bad(`${name} has braces around one alternative`, 'write two or more, as in {a,b}, or leave the braces out')
    }
  }
  const alternatives = expandBraces(glob, alternativesMax)
  if (alternatives === undefined) {
    return bad(`${name} stands for more than ${alternativesMax} globs`, 'use fewer braces, or * instead')
  }
  for (const alternative of alternatives) {
    const problem = problemOfPlain(alternative, rooted)
    if (problem !== undefined) return problem
  }
  return undefined
}

function problemOfPlain(glob: string, rooted: boolean): Parsed<never> | undefined {
  const name = quoted(glob)
  if (!glob.startsWith('/'))
    return bad(`${name} is not absolute`, `begin it with /, as in ${rooted ? '/var/log/app' : '/**'}/*.log`)
  const segments = segmentsOf(glob)
  if (segments.includes('..')) return bad(`${name} has a .. in it`, 'write the path without ..')
  if (segments.at(-1) === '')
    return bad(`${name} names a directory`, 'say which files in it, as in /var/log/app/**/*.log')
  if (segments.includes('') || segments.includes('.')) return bad(`${name} has // or /./ in it`, 'write a single /')
  if (segments.some((segment) => segment.includes('**') && segment !== '**')) {
    return bad(
      `${name} has ** next to other characters, where it means no more than *`,
      'write **/ for all subdirectories, as in /var/log/**/*.log',
    )
  }
  if (rooted && /[*?[]/.test(segments[0] ?? '')) {
    return bad(
      `${name} would search the whole container, /proc included`,
      'begin it with the directory of the log volume',
    )
  }
  return undefined
}

/** Whether the glob could match any path below `directory`, whatever the files there are called. */
export function reachesInto(glob: string, directory: string): boolean {
  return plain(glob).some((segments) => {
    const ends = walk(segments, segmentsOf(directory)).at(-1)
    return ends !== undefined && [...ends].some((position) => position < segments.length)
  })
}

/** Whether the glob matches every path below `directory`: it ends in `/**`, and the directory or one above it is before that. */
export function coversAll(glob: string, directory: string): boolean {
  return plain(glob).some((segments) => {
    if (segments.at(-1) !== '**') return false
    const head = segments.slice(0, -1)
    return walk(head, segmentsOf(directory)).some((positions) => positions.has(head.length))
  })
}

/** After each segment of the path, none included, the positions in the glob up to which it can have been matched. */
function walk(glob: readonly string[], path: readonly string[]): Set<number>[] {
  const steps = [withSkipped(glob, [0])]
  for (const segment of path) {
    const next = [...(steps.at(-1) ?? [])].flatMap((position) => {
      const pattern = glob[position]
      if (pattern === undefined) return []
      if (pattern === '**') return [position]
      return matchesSegment(segment, pattern) ? [position + 1] : []
    })
    steps.push(withSkipped(glob, next))
  }
  return steps
}

/** `**` may stand for no directory at all. */
function withSkipped(glob: readonly string[], positions: readonly number[]): Set<number> {
  const all = new Set(positions)
  for (const position of all) if (glob[position] === '**') all.add(position + 1)
  return all
}

/** The x in front lets a wildcard match a leading dot too: better one directory too many in doubt than the state shipped. */
const matchesSegment = (segment: string, pattern: string) => posix.matchesGlob(`x${segment}`, `x${pattern}`)

const plain = (glob: string) => (expandBraces(glob, alternativesMax) ?? []).map(segmentsOf)

const segmentsOf = (path: string) => path.split('/').slice(1)
