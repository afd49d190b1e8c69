import type { Obstacle } from '../discover/discovery.ts'
import type { Refusal } from '../follow/opening.ts'
import { error, ok, warning, type Finding } from './finding.ts'
import { count, sizeText, someOf } from './words.ts'

/** What the first bytes look like. `packed`: the agent leaves it alone. */
export type Content = 'text' | 'binary' | 'packed'

/** A regular file that a glob matches, once however many names it has. */
export interface MatchedFile {
  readonly path: string
  readonly sizeBytes: number
  readonly seen: { readonly content: Content } | { readonly refusal: Refusal }
}

export interface FilesFacts {
  /** Directories that exist and are looked in. */
  readonly roots: readonly string[]
  readonly directories: number
  /** Globs that match no file. */
  readonly emptyGlobs: readonly string[]
  readonly obstacles: readonly Obstacle[]
  readonly files: readonly MatchedFile[]
  /** Names that a rotation may have given to files like these, and that no glob matches. */
  readonly siblings: readonly string[]
}

const namesShown = 5

/** @param scanIntervalMs REMORA_SCAN_INTERVAL */
export function filesFindings(facts: FilesFacts, scanIntervalMs: number): Finding[] {
  // Where the directory is the trouble, that is told, once.
  const inPlace = (glob: string) => !facts.obstacles.some(({ path }) => glob.startsWith(`${path}/`))
  return [
    ...rootFindings(facts),
    ...facts.emptyGlobs
      .filter(inPlace)
      .map((glob) =>
        warning(
          `no file matches ${glob} yet`,
          `It is looked for every ${scanIntervalMs / 1000} s. If the application writes elsewhere, correct REMORA_PATHS`,
        ),
      ),
    ...matchedFindings(facts.files),
    ...unreadableFindings(facts.files),
    ...contentFindings(facts.files),
    ...obstacleFindings(facts.obstacles),
    ...siblingFindings(facts.siblings),
  ]
}

function rootFindings({ roots, directories }: FilesFacts): Finding[] {
  if (roots.length === 0) return []
  const below = directories > roots.length ? `, ${count(directories, 'directory', 'directories')} in all` : ''
  return [ok(`looks in ${someOf(roots, namesShown)}${below}`)]
}

function matchedFindings(files: readonly MatchedFile[]): Finding[] {
  if (files.length === 0) return []
  const largestFirst = files.toSorted((one, other) => other.sizeBytes - one.sizeBytes)
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const names = largestFirst
    .slice(0, namesShown)
    .map(({ path, sizeBytes }) => `${sizeText(sizeBytes).padStart(8)}  ${path}`)
  const more = files.length > namesShown ? [`          and ${files.length - namesShown} more`] : []
  const order = files.length > 1 ? ', the largest first' : ''
  return [ok(`${count(files.length, 'file')} matched, ${sizeText(total)} in all${order}:`, [...names, ...more])]
}

/** Files with the same reason, which names owner and mode, have the same way out: they are told together. */
function unreadableFindings(files: readonly MatchedFile[]): Finding[] {
  const byReason = Map.groupBy(
    files.filter((file) => 'refusal' in file.seen),
    ({ seen }) => ('refusal' in seen ? seen.refusal.message : ''),
  )
  return [...byReason.values()].flatMap((alike) => {
    const [first] = alike
    if (first === undefined || !('refusal' in first.seen)) return []
    const { message, wayOut, lines = [] } = first.seen.refusal
    return [error(`${someOf(alike.map(({ path }) => path))}: ${message}`, withoutStop(wayOut), lines)]
  })
}

function contentFindings(files: readonly MatchedFile[]): Finding[] {
  const of = (content: Content) =>
    files.filter(({ seen }) => 'content' in seen && seen.content === content).map(({ path }) => path)
  const [binary, packed] = [of('binary'), of('packed')]
  const findings: Finding[] = []
  const wayOut = 'Leave such files out with REMORA_EXCLUDE'
  if (packed.length > 0) findings.push(warning(`${someOf(packed)}: compressed, so not read`, wayOut))
  if (binary.length > 0) {
    const text = `${someOf(binary)}: NUL bytes at the start, so binary or UTF-16; would be shipped with what is no UTF-8 replaced`
    findings.push(warning(text, wayOut))
  }
  return findings
}

/** The agent goes on without any of these; only what cannot be read at all is an error, for it hides an unknown number of lines. */
function obstacleFindings(obstacles: readonly Obstacle[]): Finding[] {
  const alike = Map.groupBy(obstacles, (obstacle) => `${obstacle.code} ${obstacleText(obstacle)}`)
  return [...alike.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const text = `${someOf(group.map(({ path }) => path))}: ${obstacleText(first)}`
    const make = first.code === 'EACCES' || first.code === 'EPERM' ? error : warning
    return [make(text, withoutStop(first.wayOut))]
  })
}

function obstacleText({ code, message }: Obstacle): string {
  if (code === 'ENOENT') return 'there is no such directory yet, so nothing in it is shipped'
  if (code === 'ENOTDIR') return 'it is not a directory'
  return message
}

function siblingFindings(siblings: readonly string[]): Finding[] {
  if (siblings.length === 0) return []
  return [
    ok(
      `${count(siblings.length, 'rotated file')} beside them (${someOf(siblings)}): finished where Remora had begun them; else, those older than its first start are left alone`,
    ),
  ]
}

const withoutStop = (sentence: string) => sentence.replace(/\.$/, '')
