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

const renderMsMax = 15_000
const renderers = [
  { command: 'kubectl', words: ['kustomize'] },
  { command: 'kustomize', words: ['build'] },
] as const

/**
 * The YAML that Kustomize makes of a directory.
 * @param needed  its fields, and what it has of other machines  @param env  PATH is that of the tools
 * @throws RemoraError where neither tool is there, or the first of them refuses, or something had to be fetched
 */
export function rendered(
  directory: string,
  { fields, remote }: { readonly fields: readonly string[]; readonly remote: readonly string[] },
  bytesMax: number,
  env: NodeJS.ProcessEnv,
): string {
  const refusals: string[] = []
  if (remote.length > 0) {
    throw new RemoraError(
      'MANIFEST',
      `${directory} has ${fields.join(', ')}, which may change the sidecar's limits, and takes ${remote.join(', ')} from another machine: the bench fetches nothing`,
      wayOut(directory),
    )
  }
  for (const { command, words } of renderers) {
    const { error, status, stdout, stderr } = spawnSync(command, [...words, path.resolve(directory)], {
      encoding: 'utf8',
      // Nothing of the credentials that the bench was given; and git fetches nothing.
      env: { PATH: env['PATH'], HOME: env['HOME'], GIT_TERMINAL_PROMPT: '0', GIT_ALLOW_PROTOCOL: 'none' },
      timeout: renderMsMax,
      killSignal: 'SIGKILL',
      maxBuffer: bytesMax,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (error === undefined && status === 0) return stdout
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') continue
    refusals.push(`${command}: ${error === undefined ? lastLine(stderr) : messageOf(error, 200)}`)
    break
  }
  const why = refusals.length === 0 ? 'neither kubectl nor kustomize is here to apply them' : refusals.join('; ')
  throw new RemoraError(
    'MANIFEST',
    `${directory} has ${fields.join(', ')}, which may change the sidecar's limits, and ${why}`,
    wayOut(directory),
  )
}

function wayOut(directory: string): string {
  return `kubectl kustomize ${inShell(directory)} > /tmp/x.yaml; remora bench --manifest /tmp/x.yaml`
}

function inShell(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** Of a tool that may write for a terminal. */
function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1) ?? ''
  return line.replaceAll(/\p{Cc}/gu, ' ').slice(0, 200)
}
