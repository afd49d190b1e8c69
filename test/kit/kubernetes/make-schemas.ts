/**
 * `node test/kit/kubernetes/make-schemas.ts` writes `schemas.json` anew: what Kubernetes' own OpenAPI documents say of the
 * kinds in `manifests/`, without what a check of manifests does not need. Needs `go`, which fetches the documents inside the
 * module k8s.io/kubernetes; or name them: `1.34=FILE 1.35=FILE …` (`kubectl get --raw /openapi/v2`).
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Schema, Schemas } from './schema.ts'

/** The last version without native sidecars, the first with them, the newest, and some between. */
const releases = ['1.27.16', '1.29.6', '1.31.0', '1.33.6', '1.34.0', '1.35.4', '1.36.3', '1.37.2']

const kinds = new Set([
  ' Pod',
  ' ConfigMap',
  ' Secret',
  ' Service',
  'apps Deployment',
  'apps StatefulSet',
  'apps DaemonSet',
  'batch Job',
  'batch CronJob',
  'networking.k8s.io NetworkPolicy',
  'admissionregistration.k8s.io MutatingAdmissionPolicy',
  'admissionregistration.k8s.io MutatingAdmissionPolicyBinding',
])

/** The parts of an OpenAPI 2 definition that are read here. */
interface Definition {
  readonly type?: Schema['type']
  readonly format?: string
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, Definition>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Definition
  readonly items?: Definition
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-patch-merge-key'?: string
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[]
}

function documentOf(release: string): string {
  const asked = [`-json`, `k8s.io/kubernetes@v${release}`]
  const env = { ...process.env, GOWORK: 'off', GOFLAGS: '-mod=mod' }
  const answer = execFileSync('go', ['mod', 'download', ...asked], { env, cwd: tmpdir(), encoding: 'utf8' })
  return join((JSON.parse(answer) as { Dir: string }).Dir, 'api/openapi-spec/swagger.json')
}

function bare(reference: string): string {
  return reference.slice('#/definitions/'.length)
}

function compact(definition: Definition, refs: Set<string>): Schema {
  if (definition.$ref !== undefined) {
    refs.add(bare(definition.$ref))
    return { ref: bare(definition.$ref) }
  }
  const { type, properties, required, additionalProperties, items } = definition
  const keys = definition['x-kubernetes-list-map-keys'] ?? mergeKey(definition)
  return {
    ...(type !== undefined && { type }),
    ...(required !== undefined && { required }),
    ...(keys !== undefined && { keys }),
    ...(items !== undefined && { items: compact(items, refs) }),
    ...(additionalProperties !== undefined && { values: compact(additionalProperties, refs) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, property]) => [name, compact(property, refs)]),
      ),
    }),
  }
}

/** Where the document has no keys of the list, those of a patch: what is merged by a name may be there once. */
function mergeKey(definition: Definition): readonly string[] | undefined {
  const key = definition['x-kubernetes-patch-merge-key']
  return key === 'name' || key === 'mountPath' ? [key] : undefined
}

const contents: Schema[] = []
const numbers = new Map<string, number>()

function numberOf(schema: Schema): number {
  const text = JSON.stringify(schema)
  const number = numbers.get(text) ?? contents.push(schema) - 1
  numbers.set(text, number)
  return number
}

function versionOf(file: string): Schemas['versions'][string] {
  const { definitions } = JSON.parse(readFileSync(file, 'utf8')) as { definitions: Record<string, Definition> }
  const found: Record<string, string> = {}
  for (const [name, definition] of Object.entries(definitions)) {
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      if (kinds.has(`${group} ${kind}`)) found[`${group === '' ? '' : `${group}/`}${version} ${kind}`] = name
    }
  }
  const wanted = new Set(Object.values(found))
  const numbered: Record<string, number> = {}
  for (const name of wanted) {
    const refs = new Set<string>()
    numbered[name] = numberOf(compact(definitions[name] ?? {}, refs))
    // A set may grow while it is gone through.
    for (const ref of refs) wanted.add(ref)
  }
  return { kinds: found, definitions: numbered }
}

const given = process.argv.slice(2).map((each) => each.split('='))
const files =
  given.length > 0
    ? given.map(([version = '', file = '']): [string, string] => [version, file])
    : releases.map((release): [string, string] => [release.split('.').slice(0, 2).join('.'), documentOf(release)])
const all: Schemas = {
  versions: Object.fromEntries(files.map(([version, file]) => [version, versionOf(file)])),
  contents,
}
const target = new URL('schemas.json', import.meta.url)
writeFileSync(
  target,
  // A line for each, so that a change can be looked at.
  `{"versions": ${JSON.stringify(all.versions)},\n"contents": [\n${contents.map((each) => JSON.stringify(each)).join(',\n')}\n]}\n`,
)
console.log(`${contents.length} definitions for ${files.map(([version]) => version).join(', ')}`)
