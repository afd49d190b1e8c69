import { cgroupsOf, field, systemCgroupFiles, type CgroupFiles } from './cgroup.ts'

/** What the kernel has counted of a quota on CPU time since the reader was made. */
export interface Throttle {
  /** What may be used: 0.1 is a tenth of a core. */
  readonly quotaCores: number
  /** Periods in which something ran, and of these the ones in which the quota was used up. */
  readonly periods: number
  readonly throttledPeriods: number
  /** Time for which the kernel let nothing of the cgroup run; with several cores it counts each of them. */
  readonly throttledMs: number
}

/** Where the time of this process has gone, since an arbitrary start. */
export interface Load {
  /** The event loop had nothing to do. */
  readonly idleMs: number
  /** On a CPU, all threads together. */
  readonly cpuMs: number
  /** Undefined without a quota. */
  readonly throttle: Throttle | undefined
}

/** Files in one look: with the quota of a Pod and of a container two groups count. */
const groupsMax = 3

/** A quota may be changed in place, so it is looked for again after so many readings. */
const searchEvery = 60

type Counts = Omit<Throttle, 'quotaCores'>
type OwnLoad = Pick<Load, 'idleMs' | 'cpuMs'>

interface Group {
  readonly version: 1 | 2
  readonly path: string
  readonly quotaCores: number
}

/** Reads what the kernel says of the CPU time of this process: a small file of the kernel's for each quota, no disk. */
export class LoadReader {
  readonly #files: CgroupFiles
  readonly #own: () => OwnLoad
  #groups: readonly Group[] = []
  #readings = 0
  readonly #seen = new Map<string, Counts>()
  readonly #sum = { periods: 0, throttledPeriods: 0, throttledMs: 0 }

  constructor(files: CgroupFiles = systemCgroupFiles, own: () => OwnLoad = ownLoad) {
    this.#files = files
    this.#own = own
    // From here on it counts.
    this.read()
  }

  read(): Load {
    if (this.#readings++ % searchEvery === 0) this.#search()
    return { ...this.#own(), throttle: this.#throttle() }
  }

  #search(): void {
    this.#groups = quotasOf(this.#files)
    for (const path of this.#seen.keys())
      if (!this.#groups.some((group) => group.path === path)) this.#seen.delete(path)
  }

  /** Of several groups with a quota the one that was stopped most often since the last reading is the one in the way. */
  #throttle(): Throttle | undefined {
    let most: Throttle | undefined
    for (const { version, path, quotaCores } of this.#groups) {
      const stat = this.#files.read(`${path}/cpu.stat`)
      if (stat === undefined) continue
      const now = countsFrom(stat, version)
      const before = this.#seen.get(path) ?? now
      this.#seen.set(path, now)
      const since = {
        quotaCores,
        periods: Math.max(0, now.periods - before.periods),
        throttledPeriods: Math.max(0, now.throttledPeriods - before.throttledPeriods),
        throttledMs: Math.max(0, now.throttledMs - before.throttledMs),
      }
      if (most === undefined || since.throttledPeriods > most.throttledPeriods) most = since
    }
    if (most === undefined) return undefined
    this.#sum.periods += most.periods
    this.#sum.throttledPeriods += most.throttledPeriods
    this.#sum.throttledMs += most.throttledMs
    return { quotaCores: most.quotaCores, ...this.#sum }
  }
}

function ownLoad(): OwnLoad {
  const { user, system } = process.cpuUsage()
  return { idleMs: performance.eventLoopUtilization().idle, cpuMs: (user + system) / 1000 }
}

/**
 * Groups with a quota, from this process's own to the root: any of them may stop it.
 * Sources: kernel documentation, admin-guide/cgroup-v2.rst (`cpu.max`) and scheduler/sched-bwc.rst (v1).
 */
function quotasOf(files: CgroupFiles): readonly Group[] {
  for (const { version, paths } of cgroupsOf(files, 'cpu')) {
    const found = paths.flatMap((path) => {
      const quotaCores = quotaOf(files, version, path)
      return quotaCores === undefined ? [] : [{ version, path, quotaCores }]
    })
    if (found.length > 0) return found.slice(0, groupsMax)
  }
  return []
}

function quotaOf(files: CgroupFiles, version: 1 | 2, path: string): number | undefined {
  const text = (name: string) => files.read(`${path}/${name}`)?.trim() ?? ''
  const [quota, period] =
    version === 2 ? text('cpu.max').split(' ') : [text('cpu.cfs_quota_us'), text('cpu.cfs_period_us')]
  const cores = Number(quota) / Number(period)
  // `max`, -1, or nothing that is a number: no quota here.
  return quota !== '' && cores > 0 && cores < Infinity ? cores : undefined
}

function countsFrom(stat: string, version: 1 | 2): Counts {
  const of = (name: string) => field(stat, name)
  return {
    periods: of('nr_periods'),
    throttledPeriods: of('nr_throttled'),
    throttledMs: version === 2 ? of('throttled_usec') / 1e3 : of('throttled_time') / 1e6,
  }
}
