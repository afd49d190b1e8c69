import fs from 'node:fs'
import os from 'node:os'

/** How the memory files of a cgroup are read: in tests, directories of fixtures. */
export interface MemoryFiles {
  /** Text of a file, or undefined when it is not there or may not be read. */
  read(path: string): string | undefined
}

export const systemMemoryFiles: MemoryFiles = {
  read(path) {
    try {
      return fs.readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  },
}

export interface MemoryLimit {
  readonly bytes: number
  /** For a person: where the figure stands. */
  readonly origin: string
}

/** A v1 cgroup without a limit says a number near 2^63, rounded to pages. */
const unlimitedV1 = 2 ** 60

function v1Path(files: MemoryFiles): string | undefined {
  const line = files
    .read('/proc/self/cgroup')
    ?.split('\n')
    .find((text) => text.split(':')[1]?.split(',').includes('memory'))
  return line?.split(':').slice(2).join(':')
}

function v2Path(files: MemoryFiles): string | undefined {
  return files
    .read('/proc/self/cgroup')
    ?.split('\n')
    .find((text) => text.startsWith('0::'))
    ?.slice(3)
}

/** The path itself and each of its parents up to the root: a limit may stand on any of them. */
function* upwards(path: string): Generator<string> {
  for (let at = path.replace(/\/+$/, ''); ; at = at.slice(0, at.lastIndexOf('/'))) {
    yield at
    if (at === '') return
  }
}

/**
 * The directory of this process's memory cgroup. In a container the mount shows the container's own group at its root
 * while `/proc/self/cgroup` may still name the path on the node: then the root is right.
 */
function directories(files: MemoryFiles): { version: 1 | 2; paths: string[] } | undefined {
  const v2 = v2Path(files)
  const candidates: [1 | 2, string, string, string | undefined][] = [
    [1, '/sys/fs/cgroup/memory', 'memory.limit_in_bytes', v1Path(files)],
    [2, '/sys/fs/cgroup', 'memory.stat', v2],
    [2, '/sys/fs/cgroup/unified', 'memory.stat', v2],
  ]
  for (const [version, mount, file, path] of candidates) {
    if (path === undefined) continue
    const paths = [...upwards(path)].map((at) => mount + at).filter((at) => files.read(`${at}/${file}`) !== undefined)
    if (paths.length > 0) return { version, paths }
  }
  return undefined
}

/**
 * The smallest memory limit on the way from this process's cgroup to the root; the machine's memory when there is none.
 * Sources: kernel documentation, admin-guide/cgroup-v2.rst (`memory.max`) and cgroup-v1/memory.rst.
 */
export function memoryLimit(files: MemoryFiles = systemMemoryFiles): MemoryLimit {
  let found: MemoryLimit = { bytes: os.totalmem(), origin: "the machine's memory" }
  const group = directories(files)
  if (group === undefined) return found
  for (const path of group.paths) {
    const file = group.version === 2 ? 'memory.max' : 'memory.limit_in_bytes'
    // `max`, or nothing that is a number: no limit here.
    const bytes = Number(/^\d+$/.exec(files.read(`${path}/${file}`)?.trim() ?? '')?.[0] ?? Infinity)
    if (bytes < unlimitedV1 && bytes < found.bytes) found = { bytes, origin: `cgroup v${group.version} ${file}` }
  }
  return found
}

/**
 * Bytes in use that the kernel cannot take back: anonymous, kernel and socket memory of the cgroup, or of this process
 * alone where no cgroup limits it. Page cache is not counted: reading files fills it, and it gives way.
 */
export function memoryInUse(files: MemoryFiles = systemMemoryFiles): number {
  const group = directories(files)
  const own = group?.paths[0]
  if (group !== undefined && own !== undefined && memoryLimit(files).origin.startsWith('cgroup')) {
    const stat = new Map(
      (files.read(`${own}/memory.stat`) ?? '').split('\n').map((line): [string, number] => {
        const [name = '', value = '0'] = line.split(' ')
        return [name, Number(value)]
      }),
    )
    if (group.version === 2) return (stat.get('anon') ?? 0) + (stat.get('kernel') ?? 0) + (stat.get('sock') ?? 0)
    return (stat.get('total_rss') ?? 0) + Number(files.read(`${own}/memory.kmem.usage_in_bytes`) ?? 0)
  }
  const status = files.read('/proc/self/status') ?? ''
  const kib = Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? 0)
  return kib * 1024
}
