import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { messageOf, RemoraError } from '../../base/errors.ts'

/**
 * Fields that leave limits and settings as the resources have them, or that the bench reads itself. Whatever else a
 * kustomization has may change them. Source: Kustomize, `api/types/kustomization.go`.
 */
const harmless = new Set([
  'apiVersion',
  'buildMetadata',
  'commonAnnotations',
  'commonLabels',
  'configMapGenerator',
  'crds',
  'generatorOptions',
  'images',
  'imageTags',
  'inventory',
  'kind',
  'labels',
  'metadata',
  'namePrefix',
  'nameSuffix',
  'namespace',
  'openapi',
  'replicas',
  'resources',
  'secretGenerator',
  'sortOptions',
  'validators',
])
const readOfGenerator = new Set(['literals', 'name', 'namespace', 'options'])

/** Names of what a kustomization has and only Kustomize can apply; empty: it can be read as it stands. */
export function leftToKustomize(kustomization: unknown): string[] {
  const found = entriesOf(kustomization)
    .map(([name]) => name)
    .filter((name) => !harmless.has(name))
  const generators = entriesOf(kustomization).flatMap(([name, value]) =>
    name === 'configMapGenerator' && Array.isArray(value) ? value.flatMap((each) => entriesOf(each)) : [],
  )
  const ofGenerators = generators.map(([name]) => name).filter((name) => !readOfGenerator.has(name))
  return [...found, ...new Set(ofGenerators.map((name) => `configMapGenerator.${name}`))]
}

/** Those that say something. */
function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).filter(([, each]) => {
    if (each === null || each === '') return false
    return typeof each !== 'object' || Object.keys(each).length > 0
  })
}

/** A directory on another machine may be part of it. */
const renderMsMax = 30_000
const renderers = [
  { command: 'kubectl', words: ['kustomize'] },
  { command: 'kustomize', words: ['build'] },
] as const

/**
 * The YAML that Kustomize makes of a directory.
 * @param fields  why it is needed  @param env  PATH is that of the tools
 * @throws RemoraError where neither tool is there, or both refuse
 */
export function rendered(
  directory: string,
  fields: readonly string[],
  bytesMax: number,
  env: NodeJS.ProcessEnv,
): string {
  const refusals: string[] = []
  for (const { command, words } of renderers) {
    const { error, status, stdout, stderr } = spawnSync(command, [...words, path.resolve(directory)], {
      encoding: 'utf8',
      env,
      timeout: renderMsMax,
      killSignal: 'SIGKILL',
      maxBuffer: bytesMax,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (error === undefined && status === 0) return stdout
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') continue
    refusals.push(`${command}: ${error === undefined ? lastLine(stderr) : messageOf(error, 200)}`)
  }
  const why = refusals.length === 0 ? 'neither kubectl nor kustomize is here to apply them' : refusals.join('; ')
  throw new RemoraError(
    'MANIFEST',
    `${directory} has ${fields.join(', ')}, which may change the sidecar's limits, and ${why}`,
    `kubectl kustomize ${inShell(directory)} > /tmp/x.yaml; remora bench --manifest /tmp/x.yaml`,
  )
}

function inShell(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** Of a tool that may write for a terminal. */
function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? ''
  return line.replaceAll(/\p{Cc}/gu, ' ').slice(0, 200)
}
