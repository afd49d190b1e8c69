import type { Logger } from '../admin/logger.ts'
import { limits } from '../base/limits.ts'
import type { Happening } from '../follow/seen.ts'

/** What was decided about files, by kind and by the fact that decided. */
export interface EventCount {
  readonly kind: string
  readonly why: string
  count: number
}

type FileEvent = Exclude<Happening, { kind: 'refused' | 'unopened' }>

/** The fact that decides where the decision itself has only one. */
const reasons: Readonly<Partial<Record<FileEvent['kind'], string>>> = {
  found: 'no inode, copy or saved state that is known fits it',
  resumed: 'inode, birth, first line and the bytes before the offset are those of the checkpoint',
  rotated: 'its first name does not lead to it any more',
  deleted: 'no name leads to its inode any more',
  missed: 'it has the rotated name of a watched file, and is younger than the first start',
  replaced: 'its inode holds another content',
  copy: 'it has the bytes of a file that is known',
  finished: 'it has ended, and everything of it was read',
  freed: 'the volume had to be kept below its limit, and everything of it was shipped',
  dropped: 'the volume had to be kept below its limit, and nothing that was shipped could go',
}

/** Why a decision about a file was made, for log and metrics; a number in it would make each one a reason of its own. */
export function reasonOf(happening: FileEvent): string {
  const why = 'why' in happening ? happening.why : undefined
  return why ?? reasons[happening.kind] ?? ''
}

/** Logs each decision of identity at debug with the facts behind it, and counts it by its reason. */
export class FileEvents {
  readonly #logger: Logger
  readonly #counts = new Map<string, EventCount>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get counts(): readonly EventCount[] {
    return [...this.#counts.values()]
  }

  take(happening: FileEvent): void {
    const { kind, generation } = happening
    const why = reasonOf(happening)
    this.#count(kind, why)
    if (!this.#logger.isLevelEnabled('debug')) return
    const { path, currentPath, inode, birthNs, epoch, offset, sizeBytes, fingerprint, id, stage } = generation
    const remora = {
      id,
      birthNs: String(birthNs),
      epoch,
      offset,
      fingerprint: fingerprint?.hash,
      fingerprintBytes: fingerprint?.bytes,
      stage,
      currentPath,
      why,
    }
    this.#logger.debug(
      {
        'event.code': `FILE_${kind.toUpperCase()}`,
        'file.path': path,
        'file.inode': String(inode),
        'file.size': sizeBytes,
        remora,
      },
      `${path}: ${kind}, for ${why} (inode ${inode}, born ${birthNs}, epoch ${epoch}, offset ${offset}, size ${sizeBytes}, fingerprint ${fingerprint?.hash ?? 'none'})`,
    )
  }

  #count(kind: string, why: string): void {
    const known = this.#counts.get(`${kind} ${why}`)
    if (known !== undefined) {
      known.count++
      return
    }
    if (this.#counts.size >= limits.reasonsMax && why !== 'another') return this.#count(kind, 'another')
    this.#counts.set(`${kind} ${why}`, { kind, why, count: 1 })
  }
}
