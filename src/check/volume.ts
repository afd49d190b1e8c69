/** What the volume guard would find: how full the volume is, and whether files in it may be deleted. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { formatBytes } from '../base/units.ts'
import type { VolumeDisk } from '../base/volume-disk.ts'
import type { Settings } from '../config/types.ts'
import { limits } from '../base/limits.ts'
import { measure } from '../volume/measure.ts'
import { volumesOf } from '../volume/volumes.ts'
import { ok, warning, type Finding } from './finding.ts'
import { sizeText } from './words.ts'

type Wanted = Pick<Settings, 'volumeLimitBytes' | 'volumePolicy'>

export interface VolumeFacts {
  readonly volumes: readonly {
    readonly path: string
    /** Undefined: it could not be measured. */
    readonly usedBytes: number | undefined
    /** Not all of it could be. */
    readonly unsure: boolean
  }[]
  /** Watched directories in which nothing can be deleted, and the disk's code for that. */
  readonly closed: readonly { readonly path: string; readonly code: string }[]
}

const rest = () => turn().then(() => true)

/** @param roots  real directories that are watched */
export async function volumeFactsOf(roots: readonly string[], disk: VolumeDisk, clock: Clock): Promise<VolumeFacts> {
  const volumes: VolumeFacts['volumes'][number][] = []
  for (const path of volumesOf(disk, roots)) {
    const measured = await measure(disk, path, () => clock.monotonicMs(), rest)
    volumes.push({ path, usedBytes: measured?.bytes, unsure: measured?.doubt !== undefined })
  }
  const closed = roots.flatMap((path) => {
    const code = disk.refusalToWrite(path)
    return code === undefined ? [] : [{ path, code }]
  })
  return { volumes, closed }
}

export function volumeFindings(
  { volumes, closed }: VolumeFacts,
  { volumeLimitBytes, volumePolicy }: Wanted,
): Finding[] {
  if (volumeLimitBytes === undefined) return []
  const used = volumes.map(({ path, usedBytes, unsure }) => {
    if (usedBytes === undefined)
      return warning(`the volume ${path} could not be measured`, 'Give Remora the right to read it')
    const text = `the volume ${path} holds ${unsure ? 'more than ' : ''}${sizeText(usedBytes)} of ${formatBytes(volumeLimitBytes)} (REMORA_VOLUME_LIMIT)`
    if (usedBytes <= (volumeLimitBytes / 100) * limits.volumeHighPercent) return ok(`${text}; policy ${volumePolicy}`)
    const wayOut =
      volumePolicy === 'keep'
        ? 'Nothing is deleted: rotate sooner, raise the sizeLimit, or set REMORA_VOLUME_POLICY=delete-shipped'
        : `REMORA_VOLUME_POLICY=${volumePolicy} will make room when Remora runs, as far as files may go`
    return warning(text, wayOut)
  })
  if (volumePolicy === 'keep') return used
  const refused = closed.map(({ path, code }) =>
    code === 'EROFS'
      ? warning(
          `${path} is mounted read-only: REMORA_VOLUME_POLICY=${volumePolicy} can delete nothing in it`,
          'Remove readOnly: true from the volumeMount of Remora, or set REMORA_VOLUME_POLICY=keep',
        )
      : warning(
          `files in ${path} may not be deleted (${code}): REMORA_VOLUME_POLICY=${volumePolicy} can do nothing there`,
          'Let Remora write to the directory (runAsUser of its owner, or a group by fsGroup), or set REMORA_VOLUME_POLICY=keep',
        ),
  )
  return [...used, ...refused]
}
