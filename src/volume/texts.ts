/** What is said of the volume to a person. */
import { limits } from '../base/limits.ts'
import { formatBytes } from '../base/units.ts'
import type { Policy } from './decide.ts'
import type { Doubt } from './doubts.ts'

interface Notice {
  readonly code: string
  readonly message: string
  readonly wayOut?: string
  readonly path?: string
}

const limit = (limitBytes: number) => `REMORA_VOLUME_LIMIT (${formatBytes(limitBytes)})`
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`

const mebibyte = 2 ** 20

/** In which what is there now leaves some room. */
const enough = (usedBytes: number) => {
  const bytes = (usedBytes * 100) / limits.volumeLowPercent
  return formatBytes(Math.ceil(bytes / mebibyte) * mebibyte)
}

const raise = (usedBytes: number) =>
  `raise the sizeLimit of the emptyDir and REMORA_VOLUME_LIMIT with it, to ${enough(usedBytes)} or more for what is there now`

const fullWords: Readonly<Record<Policy, readonly [why: string, wayOut: (usedBytes: number) => string]>> = {
  keep: [
    'nothing is deleted, for REMORA_VOLUME_POLICY is keep',
    (used) => `Rotate sooner or keep fewer files, ${raise(used)}, or set REMORA_VOLUME_POLICY=delete-shipped.`,
  ],
  'delete-shipped': [
    'nothing more may be deleted: what is left is written to, not wholly shipped, or not a file that Remora ships',
    (used) =>
      `See whether Elasticsearch takes documents (remora_unread_bytes), rotate sooner, or ${raise(used)}; REMORA_VOLUME_POLICY=drop-oldest would give up unshipped files rather than the Pod.`,
  ],
  'drop-oldest': [
    'nothing more may be deleted: what is left is written to, or not a file that Remora ships',
    (used) => `Rotate sooner, so that there are rotated files to give up, or ${raise(used)}.`,
  ],
}

export function full(path: string, usedBytes: number, limitBytes: number, policy: Policy): Notice {
  const [why, wayOut] = fullWords[policy]
  return {
    code: 'VOLUME_FULL',
    path,
    message: `the volume holds ${mebibytes(usedBytes)} of ${limit(limitBytes)}, beyond which the Pod is evicted, and ${why}`,
    wayOut: wayOut(usedBytes),
  }
}

/** A file that could make room, if a checkpoint had it as shipped. */
export interface Unsaved {
  readonly path: string
  readonly bytes: number
  readonly forMs: number
}

/** @param file  that waits, and for how long since its last line has its verdict */
export const unsaved = (volume: string, { path, bytes, forMs }: Unsaved): Notice => ({
  code: 'VOLUME_UNSAVED',
  path: volume,
  message: `${path} is wholly shipped and could make ${mebibytes(bytes)} of room, but for ${Math.round(forMs / 1000)} s no checkpoint has said so: others are looked at instead`,
  wayOut:
    'Files go only after a checkpoint that has them as shipped: deleted before, a crash would make a gap of them. See what CHECKPOINT_FAILED or STATE_SHARED says, and whether there is room in REMORA_STATE_DIR.',
})

export const readOnly = (path: string, code: string): Notice => ({
  code: 'VOLUME_NOT_WRITABLE',
  path,
  message:
    code === 'EROFS'
      ? 'it is mounted read-only, so REMORA_VOLUME_POLICY can delete nothing in it'
      : `files in it may not be deleted (${code}), so REMORA_VOLUME_POLICY can do nothing there`,
  wayOut:
    code === 'EROFS'
      ? 'Remove readOnly: true from the volumeMount of Remora, or set REMORA_VOLUME_POLICY=keep.'
      : 'Let Remora write to the directory: run it as its owner (runAsUser), or share a group through fsGroup; or set REMORA_VOLUME_POLICY=keep.',
})

const filesShown = 5

/** @param paths  in the order in which they went */
export function freed(volume: string, paths: readonly string[], bytes: number): Notice {
  const more = paths.length > filesShown ? ` and ${paths.length - filesShown} more` : ''
  return {
    code: 'VOLUME_FREED',
    path: volume,
    message: `deleted what is wholly shipped to stay below REMORA_VOLUME_LIMIT, ${mebibytes(bytes)}: ${paths.slice(0, filesShown).join(', ')}${more}`,
  }
}

/** @param bytes  that nobody had read; 0: all of them are under way */
export function dropped(path: string, bytes: number, usedBytes: number | undefined, limitBytes: number): Notice {
  const what = bytes === 0 ? 'lines that are under way' : `${bytes} bytes that nobody had read`
  const became =
    bytes === 0
      ? 'They are shipped from memory; ended before that, Remora reports them as a gap at its next start.'
      : 'Their lines are lost, as REMORA_VOLUME_POLICY=drop-oldest has it: remora_dropped_bytes_total counts them.'
  return {
    code: 'VOLUME_DROPPED',
    path,
    message: `deleted with ${what}, for the volume held ${mebibytes(usedBytes ?? 0)} of ${limit(limitBytes)} and no shipped file was left that may go`,
    wayOut: `${became} Mend what keeps Elasticsearch from taking documents, or ${raise(usedBytes ?? limitBytes)}.`,
  }
}

/** Given up with all of it shipped. */
export const freedUnsaved = (path: string, bytes: number): Notice => ({
  code: 'VOLUME_FREED',
  path,
  message: `deleted to stay below REMORA_VOLUME_LIMIT, ${mebibytes(bytes)}: all of it is shipped, though no checkpoint says so; after a crash now it would be reported as a gap`,
})

export const leftAside = (path: string, name: string, code: string): Notice => ({
  code: 'VOLUME_RENAMED',
  path,
  message: `another file came to have this name while it was looked at, and could not be given it back (${code}): it is ${name} now`,
  wayOut: 'It is read under that name. Rename it if something else looks for it.',
})

const cannotSay = 'The Pod may be evicted sooner than Remora acts.'

const unmeasuredWaysOut: Readonly<Record<string, string>> = {
  ENOENT:
    'It is looked for twice a second. If the application should have made it, check REMORA_PATHS and the volumeMount.',
  EACCES: 'Let Remora list and search it: run it as its owner (runAsUser), or share a group through fsGroup.',
  EPERM: 'Let Remora list and search it: run it as its owner (runAsUser), or share a group through fsGroup.',
  EMFILE: 'Raise the limit of open files of the container (ulimit -n).',
  ENFILE: 'The node has run out of open files: raise fs.file-max there (sysctl).',
}

/** @param usedBytes  as far as is known; undefined: nothing is */
export function doubt(volume: string, of: Doubt, usedBytes: number | undefined, limitBytes: number): Notice {
  const used = usedBytes === undefined ? 'nothing is known of it' : `${mebibytes(usedBytes)} are known`
  const readable = of.kind === 'more' ? undefined : unmeasuredWaysOut[of.code]
  if (of.kind === 'unmeasured')
    return {
      code: 'VOLUME_UNMEASURED',
      path: volume,
      message: `how much the volume holds of ${limit(limitBytes)} cannot be measured: ${of.path} answers ${of.code}; ${used}`,
      wayOut: `${readable ?? 'It is tried again twice a second. The kernel log of the node may say more (dmesg).'} ${usedBytes === undefined ? 'Until then nothing is deleted.' : cannotSay}`,
    }
  const what =
    of.kind === 'more'
      ? `there are more than the ${of.entries} files in the volume that are measured`
      : `${of.path} cannot be looked at (${of.code})`
  return {
    code: 'VOLUME_UNSURE',
    path: volume,
    message: `${what}: the volume holds more than remora_volume_used_bytes says (${used})`,
    wayOut: `${cannotSay} ${readable ?? 'Remove old files.'} Or set a REMORA_VOLUME_LIMIT below ${formatBytes(limitBytes)} by what is not measured.`,
  }
}

export const measuredAgain = (volume: string, usedBytes: number | undefined, limitBytes: number): Notice => ({
  code: 'VOLUME_MEASURED',
  path: volume,
  message:
    usedBytes === undefined
      ? 'it can be read again'
      : `it is measured again: ${mebibytes(usedBytes)} of ${limit(limitBytes)}`,
})
