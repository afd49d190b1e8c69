import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** A small file system of its own, in memory. It must be unmounted before its directory is removed. */
export function mountSmall(directory: string, options: string): () => void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory])
  return () => void spawnSync('umount', ['-l', directory])
}

export function remount(directory: string, how: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${how}`, directory])
}

/** Writes until nothing more fits. */
export function fillUp(file: string): void {
  try {
    for (let times = 0; times < 64; times++) fs.appendFileSync(file, Buffer.alloc(16 * 1024, 1))
  } catch {
    // Full.
  }
}

/** Needs the right to mount; a container as a rule has none. */
export const mayMount = (() => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-mount-'))
  const works =
    process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]).status === 0
  if (works) spawnSync('umount', [directory])
  fs.rmdirSync(directory)
  return works
})()
