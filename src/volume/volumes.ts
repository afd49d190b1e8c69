import type { VolumeDisk } from '../base/volume-disk.ts'
import { codeOf } from '../base/errors.ts'

/**
 * The volumes that directories lie in: where a file system is mounted, for that is what a `sizeLimit` counts, the state
 * directory and the files of strangers in it too. A directory in the root file system is one of its own.
 *
 * @param roots  real directories
 */
export function volumesOf(disk: VolumeDisk, roots: readonly string[]): string[] {
  const volumes = [...new Set(roots.map((root) => disk.mountOf(root)))]
  // On another device it is another volume.
  const isPart = (inner: string) =>
    volumes.some(
      (outer) => inner !== outer && isInVolume(inner, outer) && deviceOf(disk, inner) === deviceOf(disk, outer),
    )
  return volumes.filter((volume) => !isPart(volume))
}

function deviceOf(disk: VolumeDisk, path: string): bigint | undefined {
  try {
    return disk.spaceOf(path)?.device
  } catch (error) {
    if (codeOf(error) === '') throw error
    return undefined
  }
}

/** Whether a path lies in a volume. */
export function isInVolume(path: string, volume: string): boolean {
  return path.startsWith(volume === '/' ? volume : `${volume}/`)
}
