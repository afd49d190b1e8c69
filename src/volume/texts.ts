/** What is said of the volume to a person. */
import { formatBytes } from '../base/units.ts'
import type { Policy } from './decide.ts'

interface Notice {
  readonly code: string
  readonly message: string
  readonly wayOut?: string
  readonly path?: string
}

const limit = (limitBytes: number) => `REMORA_VOLUME_LIMIT (${formatBytes(limitBytes)})`
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`

const fullWords: Readonly<Record<Policy, readonly [string, string]>> = {
  keep: [
    'nothing is deleted, for REMORA_VOLUME_POLICY is keep',
    'Rotate sooner or keep fewer files, raise the sizeLimit, or set REMORA_VOLUME_POLICY=delete-shipped.',
  ],
  'delete-shipped': [
    'nothing more may be deleted: what is left is written to, not wholly shipped, or not a file that Remora ships',
    'See whether Elasticsearch takes documents (remora_unread_bytes), rotate sooner, or raise the sizeLimit; REMORA_VOLUME_POLICY=drop-oldest would give up unshipped files rather than the Pod.',
  ],
  'drop-oldest': [
    'nothing more may be deleted: what is left is written to, or not a file that Remora ships',
    'Rotate sooner, so that there are rotated files to give up, or raise the sizeLimit.',
  ],
}

export function full(path: string, usedBytes: number, limitBytes: number, policy: Policy): Notice {
  const [why, wayOut] = fullWords[policy]
  return {
    code: 'VOLUME_FULL',
    path,
    message: `the volume holds ${mebibytes(usedBytes)} of ${limit(limitBytes)}, beyond which the Pod is evicted, and ${why}`,
    wayOut,
  }
}

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

export const dropped = (path: string, bytes: number, usedBytes: number | undefined, limitBytes: number): Notice => ({
  code: 'VOLUME_DROPPED',
  path,
  message: `deleted with ${bytes} bytes that nobody had read, for the volume held ${mebibytes(usedBytes ?? 0)} of ${limit(limitBytes)} and no shipped file was left that may go`,
  wayOut:
    'Their lines are lost, as REMORA_VOLUME_POLICY=drop-oldest has it: remora_dropped_bytes_total counts them. Mend what keeps Elasticsearch from taking documents, or raise the sizeLimit.',
})

export const leftAside = (path: string, name: string, code: string): Notice => ({
  code: 'VOLUME_RENAMED',
  path,
  message: `another file came to have this name while it was looked at, and could not be given it back (${code}): it is ${name} now`,
  wayOut: 'It is read under that name. Rename it if something else looks for it.',
})

export const unsure = (path: string, unreadable: string | undefined): Notice => ({
  code: 'VOLUME_UNSURE',
  path,
  message:
    unreadable === undefined
      ? 'there are more files in the volume than are measured: it holds more than remora_volume_used_bytes says'
      : `${unreadable} cannot be listed: the volume holds more than remora_volume_used_bytes says`,
  wayOut:
    'The Pod may be evicted sooner than Remora acts. Let Remora read all of it, or set a lower REMORA_VOLUME_LIMIT.',
})
