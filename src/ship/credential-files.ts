import type { Access } from '../connect/access.ts'
import type { ConnectionSettings } from './client.ts'

/** Reads all settings again, with every check of a start; a text says what is wrong with them, by name. */
export type ReadAccess = () => Access | string

export interface CredentialFilesOptions {
  /** Path by the variable that names it. */
  readonly files: ReadonlyMap<string, string>
  /** @throws when it cannot be read */
  readonly readFile: (path: string) => string
  readonly readAccess: ReadAccess
  /** The new ones are in use: which files have changed. */
  readonly adopted: (variables: readonly string[]) => void
  /** There are new ones that cannot be used, so the old ones stay: said once for each time that they go bad. */
  readonly kept: (why: string) => void
}

/** Undefined: it cannot be read. */
type Content = string | undefined

/**
 * Notices when a file with credentials or certificates has another content. Kubernetes swaps a symbolic link of the
 * directory above, and an editor writes a new file in the place of the old: neither times nor inodes tell, and a watch may
 * look at what is gone. So contents are compared; they are small, and on a volume in memory.
 */
export class CredentialFiles {
  readonly #o: CredentialFilesOptions
  #seen: ReadonlyMap<string, Content> | undefined
  #bad = false
  /** The variables whose files changed last. */
  #changed: readonly string[] = []

  constructor(options: CredentialFilesOptions) {
    this.#o = options
  }

  /** @returns the settings with what is new in them; undefined: nothing is, or nothing that could be used */
  look(current: ConnectionSettings): ConnectionSettings | undefined {
    const seen = new Map([...this.#o.files].map(([variable, path]) => [variable, this.#contentOf(path)]))
    const before = this.#seen
    const changed = [...seen].filter(([variable, content]) => before === undefined || before.get(variable) !== content)
    // What could not be used may be by now, for other reasons than these files.
    if (changed.length === 0 && !this.#bad) return undefined
    this.#seen = seen
    if (changed.length > 0) this.#changed = changed.map(([variable]) => variable)
    const access = this.#o.readAccess()
    if (typeof access === 'string') {
      if (!this.#bad) this.#o.kept(access)
      this.#bad = true
      return undefined
    }
    this.#bad = false
    if (isSame(access, current)) return undefined
    this.#o.adopted(this.#changed)
    return { ...current, ...access }
  }

  #contentOf(path: string): Content {
    try {
      return this.#o.readFile(path)
    } catch {
      return undefined
    }
  }
}

const compared = [
  'apiKey',
  'bearerToken',
  'username',
  'password',
  'ca',
  'caFingerprint',
  'clientCert',
  'clientKey',
] as const

function isSame(one: Access, other: Access): boolean {
  return compared.every((key) => one[key] === other[key])
}
