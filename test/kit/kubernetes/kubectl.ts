import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { Manifest } from './manifest.ts'

export const manifestsDirectory = fileURLToPath(new URL('../../../manifests', import.meta.url))

/** Where `install.ts` puts one. */
export const installedKubectl = fileURLToPath(new URL('../../../.cache/kubectl', import.meta.url))

/** Kustomize as users have it: inside kubectl. `KUBECTL` names another one than that of the PATH. */
export const kubectl: string | undefined = findKubectl(process.env)

function findKubectl({ KUBECTL, PATH = '' }: NodeJS.ProcessEnv): string | undefined {
  if (KUBECTL !== undefined && KUBECTL !== '') return resolve(KUBECTL)
  const onPath = PATH.split(delimiter).map((directory) => join(directory, 'kubectl'))
  return [...onPath, installedKubectl].find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const noKubectl = 'no kubectl: node test/kit/kubernetes/install.ts gets one'

/** A `describe` for tests that build manifests: skipped where there is no kubectl, but a failure where `CI` is set. */
export function describeKustomize(name: string, define: () => void): void {
  const reason = kubectl === undefined ? ` (${noKubectl})` : ''
  const isCi = (process.env['CI'] ?? '') !== ''
  describe.skipIf(reason !== '' && !isCi)(`${name}${reason}`, () => {
    define()
  })
}

export interface Built {
  /** 0: it could be built. */
  readonly status: number
  readonly stderr: string
  readonly manifests: readonly Manifest[]
}

/** What `kubectl apply -k` would apply. */
export function build(directory: string): Built {
  if (kubectl === undefined) throw new Error(noKubectl)
  const { error, status, stdout, stderr } = spawnSync(kubectl, ['kustomize', directory], {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 << 20,
  })
  if (error !== undefined || status === null) throw error ?? new Error(`kubectl kustomize ${directory} was ended`)
  const documents = parseAllDocuments(stdout)
  return { status, stderr, manifests: Array.isArray(documents) ? documents.map((each) => each.toJS()) : [] }
}

/** The same, of a directory under `manifests/` that can be built. */
export function built(name: string): readonly Manifest[] {
  const { status, stderr, manifests } = build(join(manifestsDirectory, name))
  expect({ status, stderr }, name).toEqual({ status: 0, stderr: '' })
  return manifests
}

/**
 * Of a kustomization that a user would write: files by name, among them `kustomization.yaml`; in their texts `MANIFESTS`
 * stands for the path of `manifests/` from there.
 */
export function buildOf(files: Readonly<Record<string, string>>): Built {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'remora-kustomize-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(directory, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text.replaceAll('MANIFESTS', relative(dirname(path), manifestsDirectory)))
    }
    return build(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
