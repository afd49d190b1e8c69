import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { expect } from 'vitest'
import { stringify } from 'yaml'
import { accountOf, LineAccount, type Account, type Elasticsearch } from '../../kit/elasticsearch.ts'
import { buildOf } from '../../kit/kubernetes/kubectl.ts'
import { podOf, sidecarOf, theOne, type Manifest } from '../../kit/kubernetes/manifest.ts'
import { until } from './space.ts'
import { where } from './where.ts'
import { lineOf, type Writing } from './writer.ts'

export const logDirectory = '/var/log/app'

export interface Scene {
  /** Of the objects, of the lines, and of the data stream `logs-NAME-default`. */
  readonly name: string
  /** Where Remora ships to, from inside a Pod. */
  readonly url: string
  readonly writing?: Partial<Writing>
  readonly components?: readonly string[]
  readonly settings?: Readonly<Record<string, string>>
  /** Further patches of the kustomization. */
  readonly patches?: readonly { readonly target: object; readonly patch: string }[]
}

export function writingOf({ name, writing }: Scene): Writing {
  return {
    run: name,
    path: `${logDirectory}/orders.log`,
    lineBytes: 200,
    bytesPerSecond: 40_000,
    rotateLines: 500,
    atTerm: 'end',
    ...writing,
  }
}

/** What a user's kustomization of the base makes: other settings, another image, and the application of the tests. */
export function manifestsOf(scene: Scene): readonly Manifest[] {
  const settings = { REMORA_ELASTICSEARCH_URL: scene.url, REMORA_DATASET: scene.name, ...scene.settings }
  const [newName, newTag] = splitImage(where.image)
  const { status, stderr, manifests } = buildOf({
    'kustomization.yaml': stringify({
      resources: ['MANIFESTS/base'],
      components: (scene.components ?? []).map((name) => `MANIFESTS/components/${name}`),
      configMapGenerator: [
        {
          name: 'remora-settings',
          behavior: 'merge',
          literals: Object.entries(settings).map(([name, value]) => `${name}=${value}`),
        },
      ],
      images: [{ name: 'remora', newName, newTag }],
      patches: scene.patches ?? [],
    }),
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  for (const manifest of manifests.filter(({ kind }) => kind === 'Deployment')) {
    manifest.metadata.name = scene.name
    writeIn(podOf(manifest).spec, writingOf(scene))
  }
  return manifests
}

/** The same as a bare Pod, which nobody makes anew. */
export function podIn(scene: Scene, change: (spec: Manifest) => void = () => {}): readonly Manifest[] {
  const manifests = manifestsOf(scene)
  const template = podOf(theOne(manifests, 'Deployment'))
  change(template.spec)
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...template.metadata, name: scene.name },
    spec: { ...template.spec, restartPolicy: 'Never' },
  }
  return [...manifests.filter(({ kind }) => kind !== 'Deployment'), pod]
}

/** Puts the writer in the place of the application: the image of Remora has Node, and no other is needed. */
export function writeIn(spec: Manifest, writing: Writing): void {
  const application = spec.containers.find(({ name }: Manifest) => name === 'application')
  application.image = where.image
  application.command = writerCommand
  delete application.args
  application.env = [{ name: 'TEST_WRITING', value: JSON.stringify(writing) }]
  application.resources = { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '160Mi' } }
}

export const writerCommand: readonly string[] = [
  'node',
  '--input-type=module',
  '-e',
  stripTypeScriptTypes(readFileSync(new URL('writer.ts', import.meta.url), 'utf8')),
]

/** `registry:5000/remora:1` to its name and its tag. */
function splitImage(image: string): [string, string] {
  const at = image.lastIndexOf(':')
  return [image.slice(0, at), image.slice(at + 1)]
}

/** How many lines the writer had written at least when it printed last. */
export function writtenIn(text: string): number {
  return Number([...text.matchAll(/^wrote (\d+)$/gm)].at(-1)?.[1] ?? 0)
}

/** Waits until so many are there. While it writes, the ones that are there need not be the first ones: two requests may be under way. */
export async function untilStored(
  server: Elasticsearch,
  scene: Scene,
  linesMin: number,
  msMax = 60_000,
): Promise<void> {
  const index = indexOf(scene)
  await until(
    `${linesMin} documents in ${index}`,
    async () => ((await server.count(index)) >= linesMin ? true : undefined),
    msMax,
  ).catch(async (error: unknown) => {
    throw new Error(`${await server.count(index)} documents`, { cause: error })
  })
}

/** Once nothing writes any more: waits until so many are there; then every line from the first to the last is, once, as it was written. */
export async function expectStored(
  server: Elasticsearch,
  scene: Scene,
  linesMin: number,
  msMax?: number,
): Promise<number> {
  await untilStored(server, scene, linesMin, msMax)
  const account = await accountOf(server, indexOf(scene))
  expect(account).toEqual(accountOfFirst(scene, account.documents))
  return account.documents
}

/** Of so many lines of the writer, from the first one on. */
export function accountOfFirst(scene: Scene, lines: number): Account {
  const written = new LineAccount()
  const writing = writingOf(scene)
  for (let n = 1; n <= lines; n++) written.add(lineOf(writing, n))
  return written.account()
}

const indexOf = ({ name }: Scene) => `logs-${name}-default`

/** A change of the sidecar's limits. */
export function limited(spec: Manifest, limits: Readonly<Record<string, string>>): void {
  const sidecar = sidecarOf({ kind: 'Pod', spec })
  sidecar.resources = {
    requests: { ...sidecar.resources.requests, ...limits },
    limits: { ...sidecar.resources.limits, ...limits },
  }
}
