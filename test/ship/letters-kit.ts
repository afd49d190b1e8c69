import type { Disk } from '../../src/base/disk.ts'
import type { DeadLetter } from '../../src/ship/dead-letter.ts'
import { DeadLetters, type Expired } from '../../src/ship/letters/dead-letters.ts'
import { readLetter, type Letter } from '../../src/ship/letters/letter.ts'
import { linesOf, segmentsIn } from '../../src/ship/letters/segments.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { memoryDisk } from '../kit/agent-disk.ts'
import { diskError, MemoryFiles, type Call } from '../kit/agent-files.ts'

export const stateDir = '/state'
export const directory = '/state/dead-letters'

/** A disk in memory that is full at `roomBytes`; what fits of an append is written, as a real one does. */
export class LetterDisk {
  readonly files = new MemoryFiles(() => 0)
  roomBytes = Infinity
  /** Before each call: may throw, or do what another process does in this moment. */
  before: (call: Call, path: string) => void = () => {}
  /** An append has opened its file, and not written yet. */
  opened: (path: string) => void = () => {}
  /** What others see of it: no test interferes there. */
  readonly plain: Disk = memoryDisk(this.files)
  readonly disk: Disk

  constructor() {
    this.files.makeDirectory(stateDir)
    const inner = memoryDisk(this.files, { before: (call, path) => this.before(call, path) })
    this.disk = {
      ...inner,
      append: (path, text) => {
        this.before('append', path)
        const inode = this.files.open(path)
        this.opened(path)
        const fits = Buffer.from(text).subarray(0, Math.max(0, this.roomBytes - this.bytes))
        this.files.append(inode, fits.toString('latin1'))
        if (fits.length < Buffer.byteLength(text)) throw diskError('ENOSPC', path)
      },
    }
  }

  get bytes(): number {
    return segmentsIn(this.plain, directory).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  /** Every letter that can be read. */
  letters(): Letter[] {
    return segmentsIn(this.plain, directory).flatMap(({ path }) =>
      [...linesOf(this.plain, path)].flatMap(({ text }) => readLetter(text ?? '') ?? []),
    )
  }

  ids(): string[] {
    return this.letters().map(({ action }) => (JSON.parse(action) as { create: { _id: string } }).create._id)
  }

  /** A replay that takes everything in one moment. @returns the ids */
  takeAll(): string[] {
    const ids = this.ids()
    for (const { path } of segmentsIn(this.plain, directory)) this.plain.remove(path)
    return ids
  }
}

export const clock = new VirtualClock(Date.UTC(2026, 0, 2) - 1000)

/** Only ASCII, for a full disk may cut it anywhere. */
export const refusedOf = (number: number, path = '/log/a.log', text = 'x'): DeadLetter => ({
  status: 400,
  errorType: 'strict_dynamic_mapping_exception',
  reason: 'mapping set to strict',
  target: 'logs-generic-default',
  action: `{"create":{"_id":"${number}"}}`,
  source: `{"message":"${text}","log":{"file":{"path":"${path}"},"offset":${number}}}`,
})

export function lettersOn(
  disk: Disk,
  bytesMax: number,
  run = 'this-run',
  expired: (expired: Expired) => void = () => {},
): DeadLetters {
  return new DeadLetters({ disk, clock: clock.view(() => true), stateDir, bytesMax, run, expired })
}
