import type { Disk, FileFacts } from './disk.ts'
import { codeOf } from './errors.ts'

/**
 * The files that this process's stdout and stderr go to, if they are files: one that ships its own messages makes more of them
 * with each. Known by inode, so renamed or not; and by name, for what rotation has made of them since.
 */
export class OwnOutput {
  readonly #inodes = new Set<string>()
  readonly #paths = new Set<string>()

  constructor(disk: Pick<Disk, 'factsOf' | 'pathOf'>, descriptors: readonly number[] = [1, 2]) {
    for (const descriptor of descriptors) {
      try {
        const facts = disk.factsOf(descriptor)
        if (facts.kind !== 'file') continue
        this.#inodes.add(keyOf(facts))
        this.#paths.add(disk.pathOf(descriptor))
      } catch (error) {
        // It is closed.
        if (codeOf(error) === '') throw error
      }
    }
  }

  /** @param before  names that the file may have had before a rotation */
  has(facts: FileFacts, before: readonly string[]): boolean {
    return this.#inodes.has(keyOf(facts)) || before.some((path) => this.#paths.has(path))
  }
}

const keyOf = ({ device, inode }: FileFacts) => `${device}:${inode}`
