import { RemoraError } from '../../base/errors.ts'
import type { Parsed } from '../../base/units.ts'
import type { Limits } from '../types.ts'
import { parseCpus, parseMemory } from './quantity.ts'

/** Each line that arrives is compared with what was written, which one that is cut is not. */
const lineBytes = 'REMORA_MAX_LINE_BYTES'

/** What a manifest says of the sidecar. */
export interface Sidecar {
  /** `manifests/base/deployment.yaml, container remora` */
  readonly origin: string
  readonly limits: Limits
  /** Its settings that change what shipping costs. */
  readonly settings: Readonly<Record<string, string>>
}

/** One YAML document, read, and the file that it stands in. */
export interface Document {
  readonly file: string
  readonly value: unknown
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Settings that the bench gives itself (paths, server, index, ports) and those that name files of the Pod are left out: what
 * remains is what changes the cost.
 */
const takenOver = new Set([
  'REMORA_BATCH_BYTES',
  'REMORA_BATCH_LINGER',
  'REMORA_COMPRESSION',
  'REMORA_COMPRESSION_LEVEL',
  'REMORA_CONCURRENCY',
  'REMORA_DOCUMENT_ID',
  'REMORA_FIELDS',
  'REMORA_LOG_LEVEL',
  'REMORA_MEMORY_LIMIT',
  'REMORA_NODE_NAME',
  'REMORA_POD_NAME',
  'REMORA_POD_NAMESPACE',
  'REMORA_REQUEST_TIMEOUT',
  'REMORA_SCAN_INTERVAL',
  'REMORA_SERVICE_NAME',
])

/**
 * Finds the sidecar in the documents of a manifest: the container named `remora`, or the only one with such an image.
 * @throws RemoraError naming file, container and what is missing
 */
export function sidecarIn(documents: readonly Document[], asked: string): Sidecar {
  const containers = documents.flatMap(({ file, value }) => containersOf(value).map((fields) => ({ file, fields })))
  const named = containers.filter(({ fields }) => fields['name'] === 'remora')
  const candidates = named.length > 0 ? named : containers.filter(({ fields }) => isOurImage(fields['image']))
  const [found, second] = candidates
  if (found === undefined) {
    const names = containers.map(({ fields }) => String(fields['name'])).join(', ')
    throw fault(
      `${asked} has no container named remora, and none with its image`,
      containers.length === 0
        ? 'name the file or directory with the Pod, Deployment, StatefulSet, DaemonSet, Job or CronJob'
        : `its containers are ${names}: call the sidecar remora, or give the limits with --cpu and --memory`,
    )
  }
  if (second !== undefined && named.length === 0) {
    throw fault(`${asked} has ${candidates.length} containers with Remora's image`, 'call the one that is meant remora')
  }
  if (second !== undefined && !sameResources(candidates.map(({ fields }) => fields))) {
    throw fault(
      `${asked} has ${candidates.length} containers named remora with different limits`,
      'name the one file that is meant, or give the limits with --cpu and --memory',
    )
  }
  const origin = `${found.file}, container ${String(found.fields['name'])}`
  const limits = limitsOf(found.fields, origin)
  const { settings, isCut } = settingsOf(found.fields, documents)
  return {
    origin: isCut ? `${origin} (without its ${lineBytes}: no line of the bench may be cut)` : origin,
    limits,
    settings,
  }
}

/** Wherever a Pod's spec may stand. Source: Kubernetes API reference, "Workload Resources". */
function containersOf(value: unknown): Fields[] {
  const document = fieldsOf(value)
  if (document['kind'] === 'List') return listOf(document['items']).flatMap((item) => containersOf(item))
  const spec = fieldsOf(document['spec'])
  const job = fieldsOf(fieldsOf(spec['jobTemplate'])['spec'])
  return [spec, fieldsOf(fieldsOf(spec['template'])['spec']), fieldsOf(fieldsOf(job['template'])['spec'])].flatMap(
    (pod) => [...listOf(pod['initContainers']), ...listOf(pod['containers'])].map(fieldsOf),
  )
}

/** `registry:5000/team/remora:0.1.0` */
function isOurImage(image: unknown): boolean {
  return typeof image === 'string' && /(?:^|\/)remora(?:[:@]|$)/.test(image)
}

function sameResources(containers: readonly Fields[]): boolean {
  return new Set(containers.map((fields) => JSON.stringify(fieldsOf(fields['resources'])['limits'] ?? {}))).size === 1
}

function limitsOf(container: Fields, origin: string): Limits {
  const limits = fieldsOf(fieldsOf(container['resources'])['limits'])
  const [cpu, memory] = [limits['cpu'], limits['memory']]
  if (cpu === undefined && memory === undefined) {
    throw fault(
      `${origin}, has no resources.limits`,
      'add cpu and memory there, or give them to the bench with --cpu and --memory',
    )
  }
  const read = (name: string, value: unknown, parse: (text: string) => Parsed<number>) => {
    if (value === undefined) return undefined
    const parsed = parse(scalarText(value))
    if (!parsed.ok) throw fault(`${origin}, resources.limits.${name}: ${parsed.message}`, parsed.wayOut)
    return parsed.value
  }
  return { cpus: read('cpu', cpu, parseCpus), memoryBytes: read('memory', memory, parseMemory) }
}

/** Plain values of `env`, and below them those of the ConfigMaps that `envFrom` names where they are in the same documents. */
function settingsOf(container: Fields, documents: readonly Document[]): Pick<Sidecar, 'settings'> & { isCut: boolean } {
  const settings: Record<string, string> = {}
  let isCut = false
  const take = (name: unknown, value: unknown) => {
    isCut ||= name === lineBytes && isScalar(value)
    if (typeof name === 'string' && takenOver.has(name) && isScalar(value)) settings[name] = String(value)
  }
  for (const source of listOf(container['envFrom'])) {
    const wanted = fieldsOf(fieldsOf(source)['configMapRef'])['name']
    for (const { value } of documents) for (const [name, text] of configMapEntries(value, wanted)) take(name, text)
  }
  for (const variable of listOf(container['env'])) take(fieldsOf(variable)['name'], fieldsOf(variable)['value'])
  return { settings, isCut }
}

/** Of a ConfigMap, or of the literals that a kustomization makes one of. */
function configMapEntries(value: unknown, wanted: unknown): [string, unknown][] {
  const document = fieldsOf(value)
  if (document['kind'] === 'ConfigMap' && fieldsOf(document['metadata'])['name'] === wanted) {
    return Object.entries(fieldsOf(document['data']))
  }
  return listOf(document['configMapGenerator'])
    .map(fieldsOf)
    .filter((generator) => generator['name'] === wanted)
    .flatMap((generator) => listOf(generator['literals']))
    .map((literal): [string, unknown] => {
      const [name = '', ...rest] = scalarText(literal).split('=')
      return [name, rest.join('=')]
    })
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** YAML has `cpu: 1` as a number. */
function scalarText(value: unknown): string {
  return isScalar(value) ? String(value) : JSON.stringify(value)
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function fault(message: string, wayOut: string): RemoraError {
  return new RemoraError('MANIFEST', message, wayOut)
}
