import { certificates } from '../check/certificates.ts'
import { loadSettings } from '../../src/config/load.ts'
import type { Env, Loaded } from '../../src/config/load.ts'

/** Loads with a file system that holds exactly `files`, path to content. */
export function load(env: Env, files: Readonly<Record<string, string>> = {}): Loaded {
  return loadSettings(env, (path) => {
    const content = files[path]
    if (content === undefined) throw Object.assign(new Error(`no such file ${path}`), { code: 'ENOENT' })
    return content
  })
}

/** Everything of it that a person may get to read. */
export function texts({ entries, problems, notices }: Loaded): string[] {
  return [
    ...entries.flatMap(({ name, shown, origin }) => [name, shown, origin]),
    ...problems.flatMap(({ variable, message, wayOut }) => [variable, message, wayOut]),
    ...notices,
  ]
}

/** `VARIABLE: message` of each problem. */
export function complaints(loaded: Loaded): string[] {
  return loaded.problems.map(({ variable, message }) => `${variable}: ${message}`)
}

export const certificate: string = certificates.authority
