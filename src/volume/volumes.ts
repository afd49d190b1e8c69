import type { VolumeDisk } from '../base/volume-disk.ts'

/**
 * The volumes that directories lie in: where a file system is mounted, for that is what a `sizeLimit` counts, the state
 * directory and the files of strangers in it too. A directory in the root file system is one of its own.
 *
 * @param roots  real directories
 */
export function volumesOf(disk: Pick<VolumeDisk, 'mounts'>, roots: readonly string[]): string[] {
  const mounts = new Set(disk.mounts())
  const volumes = [...new Set(roots.map((root) => mountOf(root, mounts)))]
  // Another file system in it is another volume.
  const isPart = (inner: string) => !mounts.has(inner) && volumes.some((outer) => isInVolume(inner, outer))
  return volumes.filter((volume) => !isPart(volume))
}

function mountOf(path: string, mounts: Iterable<string>): string {
  let longest = '/'
  for (const point of mounts) {
    if ((path === point || isInVolume(path, point)) && point.length > longest.length) longest = point
  }
  return longest === '/' ? path : longest
}

/** Whether a path lies in a volume. */
export function isInVolume(path: string, volume: string): boolean {
  return path.startsWith(volume === '/' ? volume : `${volume}/`)
}
