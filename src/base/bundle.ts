import fs from 'node:fs'
import path from 'node:path'

/** A file that the bundle was made of, as it was then: its path below the project, bytes, modification time. */
export type Stamp = readonly [name: string, bytes: number, modifiedMs: number]

export function stampOf(name: string, { size, mtimeMs }: { readonly size: number; readonly mtimeMs: number }): Stamp {
  return [name, size, mtimeMs]
}

/**
 * The bundle's entry (`build/bundle.ts`), when it was made of the sources as they are now; undefined when there is none, or
 * an older one: then the sources are run themselves. An image has no sources that could change, and an empty list.
 *
 * @param root  of the project
 */
export function bundledMain(root: string): string | undefined {
  try {
    const directory = path.join(root, 'dist')
    const inputs = JSON.parse(fs.readFileSync(path.join(directory, 'inputs.json'), 'utf8')) as readonly Stamp[]
    const isAsBefore = inputs.every(([name, bytes, modifiedMs]) => {
      const { size, mtimeMs } = fs.statSync(path.join(root, name))
      return size === bytes && mtimeMs === modifiedMs
    })
    return isAsBefore ? path.join(directory, 'main.js') : undefined
  } catch {
    return undefined
  }
}
