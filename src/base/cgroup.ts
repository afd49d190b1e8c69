import fs from 'node:fs'

/** How the files of a cgroup are read: in tests, directories of fixtures. */
export interface CgroupFiles {
  /** Text of a file, or undefined when it is not there or may not be read. */
  read(path: string): string | undefined
}

export const systemCgroupFiles: CgroupFiles = {
  read(path) {
    try {
      return fs.readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  },
}

export interface Cgroup {
  readonly version: 1 | 2
  /** The group's directory, then those of its parents up to the mount: a limit may stand on any of them. */
  readonly paths: readonly string[]
}

/** A v1 cgroup without a limit says a number near 2^63, rounded to pages. */
const unlimitedV1 = 2 ** 60

/** The memory cgroup of this process; undefined where there is none. */
export function memoryCgroup(files: CgroupFiles): Cgroup | undefined {
  for (const { version, paths } of cgroupsOf(files, 'memory')) {
    const file = version === 2 ? 'memory.stat' : limitFile(version)
    const found = paths.filter((at) => files.read(`${at}/${file}`) !== undefined)
    if (found.length > 0) return { version, paths: found }
  }
  return undefined
}

/**
 * Where this process may be in the hierarchies that may have a controller, v1 first: the directories from its own group up to
 * the mount, whether they are there or not. In a container the mount shows the container's own group at its root while
 * `/proc/self/cgroup` may still name the path on the node: then the root is right.
 */
export function* cgroupsOf(files: CgroupFiles, controller: 'memory' | 'cpu'): Generator<Cgroup> {
  const lines = (files.read('/proc/self/cgroup')?.split('\n') ?? []).map((line) => line.split(':'))
  const pathOf = (isIt: (controllers: string) => boolean) =>
    lines
      .find(([, controllers]) => controllers !== undefined && isIt(controllers))
      ?.slice(2)
      .join(':')
  const v1 = pathOf((controllers) => controllers.split(',').includes(controller))
  const v2 = pathOf((controllers) => controllers === '')
  const joined = controller === 'cpu' ? ['/sys/fs/cgroup/cpu,cpuacct'] : []
  const mounts: readonly [1 | 2, string, string | undefined][] = [
    ...[`/sys/fs/cgroup/${controller}`, ...joined].map((mount): [1, string, string | undefined] => [1, mount, v1]),
    [2, '/sys/fs/cgroup', v2],
    [2, '/sys/fs/cgroup/unified', v2],
  ]
  for (const [version, mount, path] of mounts) {
    if (path !== undefined) yield { version, paths: [...upwards(path)].map((at) => mount + at) }
  }
}

function* upwards(path: string): Generator<string> {
  for (let at = path.replace(/\/+$/, ''); ; at = at.slice(0, at.lastIndexOf('/'))) {
    yield at
    if (at === '') return
  }
}

/**
 * What one directory of the cgroup allows, bytes; undefined: nothing of its own.
 * Sources: kernel documentation, admin-guide/cgroup-v2.rst (`memory.max`) and cgroup-v1/memory.rst.
 */
export function limitOf(files: CgroupFiles, version: 1 | 2, path: string): number | undefined {
  // `max`, or nothing that is a number: no limit here.
  const bytes = Number(/^\d+$/.exec(files.read(`${path}/${limitFile(version)}`)?.trim() ?? '')?.[0] ?? Infinity)
  return bytes < unlimitedV1 ? bytes : undefined
}

export function limitFile(version: 1 | 2): string {
  return version === 2 ? 'memory.max' : 'memory.limit_in_bytes'
}

/**
 * Memory of the group and its children that the kernel cannot take back, bytes: anonymous, in memory file systems, kernel and
 * socket memory. Page cache is not counted, nor, where the kernel tells (v2), the part of its own that gives way as well.
 */
export function usedBytesOf(files: CgroupFiles, version: 1 | 2, path: string): number {
  const stat = files.read(`${path}/memory.stat`) ?? ''
  const of = (name: string) => field(stat, name)
  if (version === 1) {
    return of('total_rss') + of('total_shmem') + Number(files.read(`${path}/memory.kmem.usage_in_bytes`) ?? 0)
  }
  // `kernel` is there from Linux 5.18 on.
  const parts = of('kernel_stack') + of('pagetables') + of('percpu') + of('slab_unreclaimable')
  const kernel = of('kernel') === 0 ? parts : Math.max(0, of('kernel') - of('slab_reclaimable'))
  return of('anon') + of('shmem') + kernel + of('sock')
}

/** How often the kernel found no memory for the group, killed in it or not; it never falls. */
export function oomCount(files: CgroupFiles, version: 1 | 2, path: string): number {
  const found = version === 1 ? 0 : field(files.read(`${path}/memory.events`) ?? '', 'oom')
  return found + oomKillsOf(files, version, path)
}

/** How many processes of the group the kernel has killed for want of memory; it never falls. */
export function oomKillsOf(files: CgroupFiles, version: 1 | 2, path: string): number {
  const file = version === 2 ? 'memory.events' : 'memory.oom_control'
  return field(files.read(`${path}/${file}`) ?? '', 'oom_kill')
}

/**
 * For how long in all no process of the group could go on for want of memory, microseconds; undefined where the kernel
 * does not say. Source: kernel documentation, accounting/psi.rst (`full … total=`).
 */
export function stalledUs(files: CgroupFiles, version: 1 | 2, path: string): number | undefined {
  if (version === 1) return undefined
  const total = /^full .*\btotal=(\d+)/m.exec(files.read(`${path}/memory.pressure`) ?? '')?.[1]
  return total === undefined ? undefined : Number(total)
}

/** A value in lines of `name value`; 0 when it is not there. */
export function field(text: string, name: string): number {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    const end = at + name.length
    if ((at === 0 || text[at - 1] === '\n') && text[end] === ' ') return Number.parseInt(text.slice(end + 1), 10) || 0
  }
  return 0
}
