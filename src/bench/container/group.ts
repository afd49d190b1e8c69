import { type CgroupFiles, limitOf } from '../../base/cgroup.ts'
import { type CgroupVersion, root } from '../machine/cgroup-files.ts'
import type { Limits } from '../types.ts'

/** The directories of a container's cgroup. With v2 all three are the same. */
export interface ContainerGroup {
  readonly version: CgroupVersion
  readonly memoryFolder: string
  /** Has the quota. */
  readonly cpuFolder: string
  /** Counts CPU time. */
  readonly accountFolder: string
}

/**
 * The group of a container, from `/proc/PID/cgroup` of its first process.
 *
 * Engines name it by the container's id, and may put the processes into another group below it (`…/libpod-ID.scope/container`):
 * it is the highest with the id in its name. A PID that is another process here, because the engine is on another machine or in
 * another PID namespace, has no such group.
 *
 * @param id  all 64 digits
 * @returns undefined where there is none, or its files cannot be read
 */
export function containerGroupOf(files: CgroupFiles, pid: number, id: string): ContainerGroup | undefined {
  const lines = (files.read(`/proc/${pid}/cgroup`) ?? '').split('\n').map((line) => {
    const [, controllers = '', ...rest] = line.split(':')
    return { controllers, path: rest.join(':') }
  })
  const folderOf = (controller: string, file: string): string | undefined => {
    const line = lines.find(({ controllers }) => controllers.split(',').includes(controller))
    const path = line === undefined ? undefined : highestWith(id, line.path)
    if (path === undefined) return undefined
    const mounts = controller === '' ? [root] : [`${root}/${controller}`, `${root}/${line!.controllers}`]
    return mounts.map((mount) => mount + path).find((folder) => files.read(`${folder}/${file}`) !== undefined)
  }
  if (lines.some(({ controllers }) => controllers.split(',').includes('memory'))) {
    const [memoryFolder, cpuFolder] = [folderOf('memory', 'memory.stat'), folderOf('cpu', 'cpu.stat')]
    const accountFolder = folderOf('cpuacct', 'cpuacct.usage')
    if (memoryFolder === undefined || cpuFolder === undefined || accountFolder === undefined) return undefined
    return { version: 1, memoryFolder, cpuFolder, accountFolder }
  }
  const folder = folderOf('', 'memory.stat')
  if (folder === undefined || files.read(`${folder}/cpu.stat`) === undefined) return undefined
  return { version: 2, memoryFolder: folder, cpuFolder: folder, accountFolder: folder }
}

function highestWith(id: string, path: string): string | undefined {
  const parts = path.split('/')
  const at = id === '' ? -1 : parts.findIndex((part) => part.includes(id))
  return at === -1 ? undefined : parts.slice(0, at + 1).join('/')
}

/** What the kernel holds it to. */
export function limitsOfGroup(files: CgroupFiles, { version, memoryFolder, cpuFolder }: ContainerGroup): Limits {
  const [quota, period] =
    version === 2
      ? (files.read(`${cpuFolder}/cpu.max`) ?? '').trim().split(' ')
      : ['quota', 'period'].map((name) => files.read(`${cpuFolder}/cpu.cfs_${name}_us`)?.trim())
  const cpus = Number(quota) / Number(period)
  return {
    // `max`, or -1: no quota.
    cpus: cpus > 0 ? cpus : undefined,
    memoryBytes: limitOf(files, version, memoryFolder),
  }
}

/** The kernel rounds to pages, and quotas are whole microseconds. */
const memorySlack = 64 * 1024
const cpusSlack = 0.001

/** Whether at least what was asked for holds. */
export function areHeld(wanted: Limits, found: Limits): boolean {
  return near(wanted.cpus, found.cpus, cpusSlack) && near(wanted.memoryBytes, found.memoryBytes, memorySlack)
}

function near(asked: number | undefined, is: number | undefined, slack: number): boolean {
  return asked === undefined || (is !== undefined && Math.abs(is - asked) <= slack)
}
