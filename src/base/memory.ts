import os from 'node:os'
import {
  limitFile,
  limitOf,
  memoryCgroup,
  oomCount,
  stalledUs,
  systemCgroupFiles,
  usedBytesOf,
  type CgroupFiles,
} from './cgroup.ts'

export interface MemoryLimit {
  readonly bytes: number
  /** For a person: where the figure stands. */
  readonly origin: string
}

/** How the process stands with its memory at one moment. */
export interface MemorySample {
  /** The smallest limit: what the plan is made for. */
  readonly limit: MemoryLimit
  /** Anonymous, kernel and socket memory in use: of this process's own group, or of this process where nothing limits the group. */
  readonly usedBytes: number
  /** Until any of the limits is reached, whoever uses it; below 0 when one is passed. */
  readonly roomBytes: number
  /** How often the kernel found no memory; it never falls. */
  readonly ooms: number
  /** For how long in all nothing could go on for want of memory, milliseconds; undefined where nobody says. */
  readonly stalledMs: number | undefined
}

/** The smallest memory limit on the way from this process's cgroup to the root; the machine's memory when there is none. */
export function memoryLimit(files: CgroupFiles = systemCgroupFiles): MemoryLimit {
  return new MemoryGauge(undefined, files).sample().limit
}

/**
 * Bytes in use that the kernel cannot take back: of the cgroup, or of this process alone where no cgroup limits it. Page
 * cache is not counted: reading files fills it, and it gives way.
 */
export function memoryInUse(files: CgroupFiles = systemCgroupFiles): number {
  return new MemoryGauge(undefined, files).sample().usedBytes
}

/** Bytes in use of this process alone that the kernel cannot take back. */
export function anonymousBytes(files: CgroupFiles = systemCgroupFiles): number {
  const kib = Number(/^RssAnon:\s+(\d+) kB/m.exec(files.read('/proc/self/status') ?? '')?.[1] ?? 0)
  return kib * 1024
}

/** Looks at the same files again and again: the limit too, for Kubernetes resizes Pods in place. */
export class MemoryGauge {
  readonly #files: CgroupFiles
  readonly #setting: MemoryLimit | undefined
  readonly #group: ReturnType<typeof memoryCgroup>

  /** @param settingBytes  REMORA_MEMORY_LIMIT: held against what this process alone uses */
  constructor(settingBytes: number | undefined, files: CgroupFiles = systemCgroupFiles) {
    this.#files = files
    this.#setting = settingBytes === undefined ? undefined : { bytes: settingBytes, origin: 'REMORA_MEMORY_LIMIT' }
    // A process is not moved to another group while it runs; a container has one for its life.
    this.#group = memoryCgroup(files)
  }

  sample(): MemorySample {
    const [files, group] = [this.#files, this.#group]
    const own = group?.paths[0]
    const { limit, roomBytes, usedBytes } = this.#room()
    return {
      limit,
      usedBytes,
      roomBytes,
      ooms: own === undefined ? 0 : oomCount(files, group!.version, own),
      stalledMs: own === undefined ? undefined : toMs(stalledUs(files, group!.version, own)),
    }
  }

  #room(): { limit: MemoryLimit; roomBytes: number; usedBytes: number } {
    const [files, group, setting] = [this.#files, this.#group, this.#setting]
    let limit: MemoryLimit = { bytes: os.totalmem(), origin: "the machine's memory" }
    let roomBytes = Infinity
    let usedBytes: number | undefined
    for (const path of group?.paths ?? []) {
      const bytes = limitOf(files, group!.version, path)
      // One beyond the machine's own memory limits nothing.
      if (bytes === undefined || bytes >= os.totalmem()) continue
      // Of its own group, wherever the limit stands.
      usedBytes ??= usedBytesOf(files, group!.version, group!.paths[0]!)
      roomBytes = Math.min(roomBytes, bytes - usedBytesOf(files, group!.version, path))
      if (bytes < limit.bytes) limit = { bytes, origin: `cgroup v${group!.version} ${limitFile(group!.version)}` }
    }
    const alone = usedBytes === undefined || setting !== undefined ? anonymousBytes(files) : 0
    if (setting !== undefined) {
      roomBytes = Math.min(roomBytes, setting.bytes - alone)
      if (setting.bytes < limit.bytes) limit = setting
    }
    const used = usedBytes ?? alone
    return { limit, usedBytes: used, roomBytes: roomBytes === Infinity ? limit.bytes - used : roomBytes }
  }
}

function toMs(us: number | undefined): number | undefined {
  return us === undefined ? undefined : us / 1000
}
