import fs from 'node:fs'
import path from 'node:path'
import { parseAllDocuments } from 'yaml'
import { messageOf, RemoraError } from '../../base/errors.ts'
import { leftToKustomize, rendered } from './kustomize.ts'
import type { Document } from './manifest.ts'

/** A manifest is written by hand: what is larger, or names more files, is something else. */
const fileBytesMax = 4 << 20
const filesMax = 200
const aliasesMax = 1_000
const kustomizations = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/**
 * The documents of a manifest: of a file; of a directory, those that its kustomization names, else all `*.yaml` and `*.yml`.
 * Where a kustomization among them has patches and the like, Kustomize itself makes the documents of the whole.
 * @throws RemoraError naming the file that cannot be read
 */
export function readManifest(named: string, env: NodeJS.ProcessEnv = process.env): Document[] {
  const documents: Document[] = []
  const seen = new Set<string>()
  let left: string[] = []
  const remote: string[] = []
  const visit = (at: string) => {
    const real = path.resolve(at)
    if (seen.has(real) || left.length > 0) return
    seen.add(real)
    if (seen.size > filesMax) {
      throw fault(`${named} names more than ${filesMax} files`, 'name the file with the sidecar itself')
    }
    if (statOf(at).isDirectory()) {
      for (const file of filesIn(at)) visit(file)
      return
    }
    const found = documentsIn(at)
    documents.push(...found)
    if (!kustomizations.includes(path.basename(at))) return
    left = found.flatMap(({ value }) => leftToKustomize(value))
    for (const name of found.flatMap(({ value }) => resourcesOf(value))) {
      // What is on other machines is left out.
      if (remotely.test(name)) remote.push(name)
      else visit(path.join(path.dirname(at), name))
    }
  }
  visit(named)
  if (left.length === 0) return documents
  const directory = statOf(named).isDirectory() ? named : path.dirname(named)
  return documentsOf(
    `${directory} as Kustomize makes it`,
    rendered(directory, { fields: left, remote }, fileBytesMax, env),
  )
}

function filesIn(directory: string): string[] {
  const names = fs.readdirSync(directory).toSorted()
  const kustomization = kustomizations.find((name) => names.includes(name))
  if (kustomization !== undefined) return [path.join(directory, kustomization)]
  return names.filter((name) => /\.ya?ml$/.test(name)).map((name) => path.join(directory, name))
}

const remotely = /^\w+:\/\/|^[\w.-]+@|\?ref=|^[\w-]+(\.[\w-]+)+\/[\w.-]+\/[\w.-]+\/\//

/** Files and directories below or beside it, and what is on other machines. */
function resourcesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || !('resources' in value) || !Array.isArray(value.resources))
    return []
  return value.resources.filter((name): name is string => typeof name === 'string')
}

function documentsIn(file: string): Document[] {
  if (statOf(file).size > fileBytesMax)
    throw fault(`${file} is too large for a manifest`, `${fileBytesMax} bytes at most`)
  return documentsOf(file, textOf(file))
}

function documentsOf(file: string, text: string): Document[] {
  const documents = parseAllDocuments(text)
  if (!Array.isArray(documents)) return []
  return documents.map((document) => {
    const [error] = document.errors
    if (error !== undefined)
      throw fault(`${file} is not YAML: ${messageOf(error, 200).split('\n', 1)[0]}`, 'mend it there')
    const value: unknown = document.toJS({ maxAliasCount: aliasesMax })
    return { file, value }
  })
}

function statOf(at: string): fs.Stats {
  try {
    return fs.statSync(at)
  } catch (error) {
    throw unreadable(at, error)
  }
}

function textOf(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(at: string, error: unknown): RemoraError {
  return fault(`${at} cannot be read: ${messageOf(error)}`, '--manifest takes a YAML file or a directory of them')
}

function fault(message: string, wayOut: string): RemoraError {
  return new RemoraError('MANIFEST', message, wayOut)
}
