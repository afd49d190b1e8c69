import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { systemVolumeDisk, type VolumeDisk } from '../../src/base/volume-disk.ts'
import { limits } from '../../src/base/limits.ts'

/** A directory of its own for a test, gone after it. */
export function temporaryTree(): Tree {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'remora-tree-')))
  onTestFinished(() => {
    // A test may have taken rights away.
    execFileSync('chmod', ['-R', 'u+rwx', root])
    fs.rmSync(root, { recursive: true, force: true })
  })
  return new Tree(root)
}

export class Tree {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  at(name: string): string {
    return path.join(this.root, name)
  }

  write(name: string, text = ''): string {
    fs.mkdirSync(path.dirname(this.at(name)), { recursive: true })
    fs.writeFileSync(this.at(name), text)
    return this.at(name)
  }

  append(name: string, text: string): void {
    fs.appendFileSync(this.at(name), text)
  }

  directory(name: string): string {
    fs.mkdirSync(this.at(name), { recursive: true })
    return this.at(name)
  }

  link(name: string, target: string): void {
    fs.symlinkSync(target, this.at(name))
  }

  fifo(name: string): string {
    execFileSync('mkfifo', [this.at(name)])
    return this.at(name)
  }

  rename(from: string, to: string): void {
    fs.renameSync(this.at(from), this.at(to))
  }

  hardLink(name: string, target: string): void {
    fs.linkSync(this.at(target), this.at(name))
  }

  /** As logrotate does it. @param between  what the application writes before the file is emptied */
  copyTruncate(name: string, copy: string, between = ''): void {
    fs.copyFileSync(this.at(name), this.at(copy))
    this.append(name, between)
    fs.truncateSync(this.at(name), 0)
  }

  remove(name: string): void {
    fs.rmSync(this.at(name), { recursive: true, force: true })
  }
}

/** The real disk as one process sees it: `drop` closes its files, as the kernel does when it dies. */
export function realDisk(disk: Disk = systemDisk): Disk & VolumeDisk & { drop(): void } {
  const open = new Set<number>()
  return {
    ...systemVolumeDisk,
    ...disk,
    open: (at) => {
      const descriptor = disk.open(at)
      open.add(descriptor)
      return descriptor
    },
    openDirectory: (at) => {
      const descriptor = systemVolumeDisk.openDirectory(at)
      open.add(descriptor)
      return descriptor
    },
    close: (descriptor) => {
      open.delete(descriptor)
      disk.close(descriptor)
    },
    drop: () => {
      for (const descriptor of open) systemDisk.close(descriptor)
      open.clear()
    },
  }
}

/** The kernel's clock for files cannot be owned: lets one of its ticks pass. */
export function passTick(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, limits.tickMs + 10)
}

/** Runs as someone who is not root, whom no permission stops. */
export function asNobody<T>(run: () => T): T {
  if (process.getuid?.() !== 0) return run()
  process.setegid?.(65534)
  process.seteuid?.(65534)
  try {
    return run()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}
