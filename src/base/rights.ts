import type { FileFacts } from './disk.ts'

/** Whose process it is, as the kernel sees it. */
export interface Reader {
  readonly uid: number
  /** All of them, the first one too. */
  readonly groups: readonly number[]
}

type Owned = Pick<FileFacts, 'kind' | 'uid' | 'gid' | 'mode'>

/** Why something may not be read, for a person. */
export interface Denial {
  /** Owner and mode, and the own uid and groups. */
  readonly message: string
  readonly wayOut: string
  /** What to add to the Pod's manifest, as YAML; empty when no line of it helps. */
  readonly lines: readonly string[]
}

/** What would help; `elsewhere`: owner and mode forbid nothing. */
export type Remedy = 'group' | 'owner' | 'umask' | 'mode' | 'elsewhere'

export function ownReader(): Reader {
  const groups = new Set([process.getegid?.() ?? -1, ...(process.getgroups?.() ?? [])])
  return { uid: process.geteuid?.() ?? -1, groups: [...groups] }
}

export function isDenied(code: string): boolean {
  return code === 'EACCES' || code === 'EPERM'
}

/**
 * Going by owner and mode alone. One class of bits counts, the first that fits: an owner without the right has it neither as
 * one of the group. A directory must be searched, too. Source: path_resolution(7), "Permissions".
 */
export function remedyOf({ kind, uid, gid, mode }: Owned, reader: Reader): Remedy {
  const wanted = kind === 'directory' ? 0o5 : 0o4
  const allows = (shift: number) => ((mode >> shift) & wanted) === wanted
  const shift = reader.uid === uid ? 6 : reader.groups.includes(gid) ? 3 : 0
  if (allows(shift)) return 'elsewhere'
  if (shift === 6) return 'mode'
  if (shift === 0 && allows(3)) return 'group'
  // Nobody should have to run as root in order to read a log: there the application's umask is what helps.
  return allows(6) && uid !== 0 ? 'owner' : 'umask'
}

const shared =
  'Have the application create its logs readable by its group (umask 027) in a group that Remora has, too (fsGroup)'

const waysOut: Readonly<Record<Remedy, string>> = {
  group: 'Give Remora the group that it belongs to.',
  owner: `${shared}, or run Remora as its owner (runAsUser).`,
  umask: `${shared}, or run both as one user (runAsUser).`,
  mode: 'It is its own owner to whom its mode gives no right: have the application create it with mode 0640.',
  elsewhere:
    'Owner and mode would allow it, so something else forbids it: SELinux or AppArmor on the node, or a file server that maps users (root_squash).',
}

/** @param owned  undefined when nobody may even look at it */
export function denialOf(owned: Owned | undefined, reader: Reader): Denial {
  const who = `uid ${reader.uid} with groups ${reader.groups.join(', ')}`
  if (owned === undefined) return { message: `it may not be read by ${who}`, wayOut: waysOut.umask, lines: [] }
  const { kind, uid, gid, mode } = owned
  const verb = kind === 'directory' ? 'read and searched' : 'read'
  const remedy = remedyOf(owned, reader)
  const [where, ...lines] = linesFor(remedy, owned)
  return {
    message: `it may not be ${verb} by ${who} (owner ${uid}:${gid}, mode ${mode.toString(8).padStart(4, '0')})`,
    wayOut: where === undefined ? waysOut[remedy] : `${waysOut[remedy]} Add ${where}: ${flowOf(lines)}`,
    lines: where === undefined ? [] : [`# ${where}:`, ...lines],
  }
}

/** The place, and lines of YAML; nothing when no line helps. */
function linesFor(remedy: Remedy, { uid, gid }: Owned): string[] {
  if (remedy === 'group') return ['to the Pod', 'spec:', '  securityContext:', `    supplementalGroups: [${gid}]`]
  if (remedy === 'owner') return ["to Remora's container", 'securityContext:', `  runAsUser: ${uid}`]
  return []
}

/** The same lines as one: each but the last holds the next one. */
function flowOf(lines: readonly string[]): string {
  return lines.map((line) => line.trim()).join(' { ') + ' }'.repeat(lines.length - 1)
}
