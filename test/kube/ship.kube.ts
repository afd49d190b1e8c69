/** The short form, of CI: what is deployed is taken, ships, stops, and every line is counted. */
import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { built, manifestsDirectory } from '../kit/kubernetes/kubectl.ts'
import type { Manifest } from '../kit/kubernetes/manifest.ts'
import { expectStored, manifestsOf, podIn, writtenIn } from './kit/scene.ts'
import { isReady, statusOf, tried, until } from './kit/space.ts'
import { sceneName, stage } from './kit/stage.ts'

const { space, server, gateway } = stage()

test('every kustomization is taken by the server, in a namespace with Pod Security restricted', async () => {
  const names = readdirSync(manifestsDirectory, { recursive: true, encoding: 'utf8' })
    .filter(
      (name) => name.endsWith('/kustomization.yaml') && !name.startsWith('components/') && !name.includes('/select/'),
    )
    .map(dirname)
  const taken: string[] = []
  for (const name of names) {
    const manifests = built(name)
    // What the cluster has not is left to `npm test`.
    const known = await Promise.all(manifests.map(isServed))
    if (manifests.length === 0 || known.includes(false)) continue
    // Warnings tell of Pods that restricted would refuse later.
    const said = await space().apply(manifests, '--dry-run=server')
    expect(said.trim().split('\n'), name).toHaveLength(manifests.length)
    taken.push(name)
  }
  expect(taken).toEqual(
    expect.arrayContaining(['base', 'bench', 'development', 'elasticsearch', 'network-policy', 'pre-1.29']),
  )
})

/** Whether the server has such objects, in that version. */
async function isServed({ apiVersion, kind }: Manifest): Promise<boolean> {
  const { status, stdout } = await tried(['get', '--raw', apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`])
  return status === 0 && JSON.parse(stdout).resources.some((each: Manifest) => each.kind === kind)
}

test('the server refuses an unknown field, and what restricted forbids', async () => {
  const [pod] = podIn({ name: sceneName('bad'), url: 'http://es:9200' }).slice(-1)
  const refusal = async (change: (spec: Manifest) => void) => {
    const other = structuredClone(pod)
    change(other.spec)
    return space()
      .apply([other], '--dry-run=server')
      .then(
        () => 'taken',
        (error: Error) => error.message,
      )
  }
  expect(await refusal(() => {})).toBe('taken')
  expect(await refusal((spec) => (spec.initContainers[0].restartPolice = 'Always'))).toMatch(/unknown field/)
  expect(await refusal((spec) => (spec.initContainers[0].securityContext.runAsUser = 0))).toMatch(
    /violates PodSecurity/,
  )
})

test('the base ships what its application writes, and at its deletion what is left', async () => {
  const scene = { name: sceneName('base'), url: gateway().url }
  await space().apply(manifestsOf(scene))
  const label = 'app.kubernetes.io/name=legacy'
  const pod = await until('a Pod that is Ready', async () => {
    const there = await space().podWith(label)
    return there !== undefined && isReady(there) ? there : undefined
  })
  const log = space().follow(pod.metadata.name, 'application')
  const said = space().follow(pod.metadata.name, 'remora')
  await until('lines', async () => (writtenIn(log.text) >= 2_000 ? true : undefined))
  await space().run('delete', 'deployment', scene.name, '--cascade=foreground')
  await Promise.all([log.ended, said.ended])
  const written = writtenIn(log.text)
  expect(await expectStored(server(), scene, written)).toBe(written)
  expect(said.messages.at(-1)).toMatchObject({ 'event.code': 'STOPPED' })
  expect(said.messages.at(-1).message).toMatch(/everything is shipped/)
  // Nothing of a line is in its own log.
  expect(said.text).not.toContain(`${scene.name} order`)
})

test('a document has what the Downward API gives', async () => {
  const scene = { name: sceneName('facts'), url: gateway().url, writing: { lines: 10 } }
  await space().apply(podIn(scene))
  await expectStored(server(), scene, 10)
  const pod = await space().get('pod', scene.name)
  for await (const { _source } of server().hits(`logs-${scene.name}-default`)) {
    expect(_source).toMatchObject({
      kubernetes: {
        namespace: space().name,
        node: { name: pod.spec.nodeName },
        pod: { name: scene.name, uid: pod.metadata.uid },
      },
      service: { name: 'legacy' },
    })
  }
})

test('a Job with the sidecar completes, with every line on the server', async () => {
  const name = sceneName('job')
  const scene = { name, url: gateway().url, writing: { lines: 1_500, bytesPerSecond: 200_000 } }
  const pod = podIn(scene).at(-1)
  const { metadata, spec } = pod
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { backoffLimit: 0, template: { metadata: { labels: metadata.labels }, spec } },
  }
  await space().apply([...manifestsOf(scene).filter(({ kind }) => kind !== 'Deployment'), job])
  await space().run('wait', '--for=condition=Complete', `job/${name}`, '--timeout=110s')
  expect(await expectStored(server(), scene, 1_500)).toBe(1_500)
})

test('an Elasticsearch that is away changes neither readiness nor the application', async () => {
  const name = sceneName('away')
  const scene = { name, url: 'http://127.0.0.1:9', writing: { bytesPerSecond: 10_000 } }
  await space().apply(podIn(scene))
  const pod = await space().ready(name)
  expect(statusOf(pod)).toMatchObject({ restartCount: 0, ready: true, started: true })
  expect(statusOf(pod, 'application')).toMatchObject({ restartCount: 0, ready: true })
  await space().run('delete', 'pod', name, '--now')
})
