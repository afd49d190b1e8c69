import { error, ok, warning, type Finding } from './finding.ts'
import { ageText, count, sizeText } from './words.ts'

/** What keeps the directory from being used. */
export interface StateObstacle {
  /** Node's code (`EROFS`). */
  readonly code: string
  readonly message: string
}

/** What the last run has left. */
export type CheckpointFacts =
  | { readonly kind: 'none' }
  /** There is none, yet Remora has run here before. */
  | { readonly kind: 'lost' }
  | {
      readonly kind: 'readable'
      readonly version: number
      readonly generations: number
      /** Of those, the ones of which no more is expected. */
      readonly finished: number
      /** Since it was written. */
      readonly ageMs: number
      /** The newest could not be read and this is the one before; `why` says what is wrong with the newest. */
      readonly fallback: { readonly why: string } | undefined
      /** Parts that cannot be used; the others are. */
      readonly broken: readonly string[]
    }
  | { readonly kind: 'unreadable'; readonly why: string }

export interface StateFacts {
  readonly directory: string
  /** `made`: there was none, it could be made, and it was removed again. */
  readonly presence: 'there' | 'made'
  readonly obstacle: StateObstacle | undefined
  /** Undefined when nobody could tell. */
  readonly freeBytes: number | undefined
  readonly fileSystem: 'overlay' | 'tmpfs' | 'other'
  readonly checkpoint: CheckpointFacts
  /** Of this process. */
  readonly identity: string
}

/** Room for three checkpoints of a thousand files. */
const checkpointsBytes = 4 * 1024 * 1024

/** @param deadLetterBytesMax what dead letters may take in the directory */
export function stateFindings(facts: StateFacts, deadLetterBytesMax: number): Finding[] {
  const { directory, obstacle } = facts
  if (obstacle !== undefined) {
    const [what, wayOut] = obstacleText(obstacle, facts)
    return [
      error(`${directory}: ${what}. Remora would ship, but after each restart it would send every file again`, wayOut),
      ...(facts.checkpoint.kind === 'none' ? [] : [checkpointFinding(facts.checkpoint)]),
    ]
  }
  return [
    ok(`${directory} is ${facts.presence === 'there' ? 'there' : 'not there yet, can be made'} and can be written`),
    ...volumeFindings(facts),
    ...spaceFindings(facts, deadLetterBytesMax),
    checkpointFinding(facts.checkpoint),
  ]
}

function obstacleText({ code, message }: StateObstacle, { identity }: StateFacts): [what: string, wayOut: string] {
  const volume = 'Mount a writable volume there, such as an emptyDir, or name another place with REMORA_STATE_DIR'
  switch (code) {
    case 'EROFS':
      return ['its file system is read-only', volume]
    case 'EACCES':
    case 'EPERM':
      return [
        `it may not be written by ${identity}`,
        `${volume}; fsGroup of the Pod makes a volume writable for its group`,
      ]
    case 'ENOSPC':
    case 'EDQUOT':
      return ['its disk is full', 'Make room there, or raise the sizeLimit of the volume']
    case 'EEXIST':
    case 'ENOTDIR':
      return ['a part of this path is a file', 'Correct REMORA_STATE_DIR, or remove the file']
    default:
      return [message, volume]
  }
}

function volumeFindings({ fileSystem }: StateFacts): Finding[] {
  if (fileSystem === 'overlay') {
    const text = "it is in the container's own file system, which a restart of the container empties"
    return [warning(text, 'Mount an emptyDir there: it lives as long as the Pod')]
  }
  if (fileSystem === 'tmpfs') {
    const text = "it is in memory (tmpfs): what is in it counts against the container's memory limit"
    return [warning(text, 'Mount an emptyDir without medium: Memory, or lower REMORA_DEAD_LETTER_BYTES')]
  }
  return []
}

function spaceFindings({ freeBytes }: StateFacts, deadLetterBytesMax: number): Finding[] {
  if (freeBytes === undefined) return []
  const text = `${sizeText(freeBytes)} are free`
  if (freeBytes >= deadLetterBytesMax + checkpointsBytes) return [ok(text)]
  return [
    warning(
      `${text}; dead letters alone may take ${sizeText(deadLetterBytesMax)} (REMORA_DEAD_LETTER_BYTES)`,
      'Make room there, or lower REMORA_DEAD_LETTER_BYTES: refused documents that do not fit are lost and counted',
    ),
  ]
}

function checkpointFinding(checkpoint: CheckpointFacts): Finding {
  if (checkpoint.kind === 'none') return ok('no checkpoint yet: this would be the first start')
  if (checkpoint.kind === 'lost') {
    return warning(
      'Remora has run here before, yet there is no checkpoint. It would send every file again from its start; what is there already is answered as a duplicate',
      'Put the checkpoint back if there is a copy; otherwise nothing needs to be done',
    )
  }
  if (checkpoint.kind === 'unreadable') {
    return warning(
      `the checkpoint cannot be read: ${checkpoint.why}. Remora would set it aside and send every file again from its start; what is there already is answered as a duplicate`,
      'Put a copy of the file back if there is one; otherwise nothing needs to be done',
    )
  }
  const { version, generations, finished, ageMs, fallback, broken } = checkpoint
  const text = `checkpoint of version ${version}, written ${ageMs < 0 ? 'in the future (the clock was set back)' : `${ageText(ageMs)} ago`}: ${count(generations, 'generation')}, ${finished} of them finished`
  if (fallback === undefined && broken.length === 0) return ok(text)
  if (fallback === undefined) {
    return warning(
      `${text}; ${count(broken.length, 'part')} of the state cannot be used: ${broken[0]}`,
      'Nothing needs to be done: `remora run` reports it and goes on with the rest',
    )
  }
  return warning(
    `the newest checkpoint cannot be read: ${fallback.why}. The one before would be used: ${text}`,
    'Nothing needs to be done: some lines are sent again and answered as duplicates',
  )
}
