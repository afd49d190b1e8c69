/** The components on every kind of workload, and what a sidecar that cannot work does to its Pod. */
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { buildOf, built } from '../kit/kubernetes/kubectl.ts'
import { hasPods, sidecarOf, theOne, type Manifest } from '../kit/kubernetes/manifest.ts'
import { expectStored, limited, manifestsOf, podIn, writeIn, writingOf, writtenIn, type Scene } from './kit/scene.ts'
import { isReady, kube, statusOf, tried, until } from './kit/space.ts'
import { sceneName, stage } from './kit/stage.ts'
import { where } from './kit/where.ts'

const { space, server, gateway } = stage()

/** Somebody's workload, which knows nothing of Remora but the label. */
function workload(kind: string, scene: Scene): Manifest {
  const { name } = scene
  const isBatch = kind === 'Job' || kind === 'CronJob'
  const pod = podIn(scene).at(-1)
  const { initContainers: _, volumes, ...rest } = pod.spec
  const template = {
    metadata: { labels: { app: name } },
    spec: {
      ...rest,
      restartPolicy: isBatch ? 'Never' : 'Always',
      volumes: volumes.filter((volume: Manifest) => volume.name === 'logs'),
    },
  }
  writeIn(template.spec, writingOf(scene))
  const selector = { matchLabels: { app: name } }
  const spec: Record<string, unknown> = {
    Deployment: { selector, template },
    StatefulSet: { selector, serviceName: name, template },
    DaemonSet: { selector, template },
    Job: { template },
    CronJob: { schedule: '0 0 30 2 *', jobTemplate: { spec: { backoffLimit: 0, template } } },
  }
  return {
    apiVersion: isBatch ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: { name, labels: { 'remora/sidecar': 'enabled' } },
    spec: spec[kind],
  }
}

function withComponents(components: readonly string[], manifest: Manifest, scene: Scene): readonly Manifest[] {
  const settings = { REMORA_ELASTICSEARCH_URL: scene.url, REMORA_DATASET: scene.name, ...scene.settings }
  const { status, stderr, manifests } = buildOf({
    'workload.yaml': stringify(manifest),
    'kustomization.yaml': stringify({
      resources: ['workload.yaml'],
      components: components.map((name) => `MANIFESTS/components/${name}`),
      configMapGenerator: [
        { name: 'remora-settings', literals: Object.entries(settings).map(([name, value]) => `${name}=${value}`) },
      ],
      images: [{ name: 'remora', newName: where.image.replace(/:[^:]*$/, ''), newTag: where.image.replace(/.*:/, '') }],
    }),
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return manifests
}

describe('the component', () => {
  test.each([
    ['Deployment', ['remora']],
    ['StatefulSet', ['remora']],
    ['DaemonSet', ['remora']],
    ['Deployment', ['remora', 'startup-probe']],
    ['Deployment', ['remora', 'credentials-files']],
    ['Deployment', ['remora', 'pre-1.29']],
  ] as const)('on a %s: %j', async (kind, components) => {
    const scene: Scene = { name: sceneName('kind'), url: gateway().url }
    await space().apply(withComponents(components, workload(kind, scene), scene))
    const pod = await until(`a Pod of the ${kind}`, async () => {
      const there = await space().podWith(`app=${scene.name}`)
      return there !== undefined && isReady(there) ? there : undefined
    })
    const log = space().follow(pod.metadata.name, 'application')
    const said = space().follow(pod.metadata.name, 'remora')
    await until('lines', async () => (writtenIn(log.text) > 1_000 ? true : undefined))
    await space().run('delete', kind, scene.name, '--cascade=foreground')
    await Promise.all([log.ended, said.ended])
    const written = writtenIn(log.text)
    expect(await expectStored(server(), scene, written)).toBe(written)
    expect(said.said('STOPPED')).toBe(true)
  })

  test('on a CronJob: its Jobs complete', async () => {
    const scene: Scene = {
      name: sceneName('cron'),
      url: gateway().url,
      writing: { lines: 800, bytesPerSecond: 100_000 },
    }
    await space().apply(withComponents(['remora'], workload('CronJob', scene), scene))
    await space().run('create', 'job', `${scene.name}-now`, `--from=cronjob/${scene.name}`)
    await space().run('wait', '--for=condition=Complete', `job/${scene.name}-now`, '--timeout=110s')
    expect(await expectStored(server(), scene, 800)).toBe(800)
  })

  test('a rollout that is restarted loses no line of either Pod', async () => {
    const scene: Scene = { name: sceneName('rollout'), url: gateway().url }
    await space().apply(withComponents(['remora'], workload('Deployment', scene), scene))
    const seen = new Set<string>()
    /** Of the Pod that was not seen before, once it has written some. */
    const nextLog = async () => {
      const { metadata } = await until('another Pod that is Ready', async () => {
        const there = await space().podWith(`app=${scene.name}`)
        return there !== undefined && !seen.has(there.metadata.name) && isReady(there) ? there : undefined
      })
      seen.add(metadata.name)
      const log = space().follow(metadata.name, 'application')
      await until('lines', async () => writtenIn(log.text) > 500 || undefined)
      return log
    }
    const first = await nextLog()
    await space().run('rollout', 'restart', `deployment/${scene.name}`)
    const second = await nextLog()
    await space().run('rollout', 'status', `deployment/${scene.name}`, '--timeout=100s')
    await space().run('delete', 'deployment', scene.name, '--cascade=foreground')
    await Promise.all([first.ended, second.ended])
    // The same lines, of two Pods: other documents.
    const written = writtenIn(first.text) + writtenIn(second.text)
    const index = `logs-${scene.name}-default`
    await until(`${written} documents`, async () => (await server().count(index)) >= written || undefined)
    expect(await server().count(index)).toBe(written)
  })
})

const restartsOf = (pod: Manifest): number => statusOf(pod)?.restartCount ?? 0

describe('never in the way of the application', () => {
  test('a wrong setting: the application runs, and the sidecar says what is wrong', async () => {
    const scene: Scene = { name: sceneName('wrong'), url: gateway().url, settings: { REMORA_PATHS: 'not/absolute' } }
    await space().apply(podIn(scene))
    const pod = await space().untilPod(
      scene.name,
      'the application runs',
      (each) => statusOf(each, 'application')?.state.running !== undefined,
    )
    expect(statusOf(pod, 'application').restartCount).toBe(0)
    const ended = await space().untilPod(
      scene.name,
      'the sidecar has ended',
      (each) => statusOf(each).lastState.terminated !== undefined || statusOf(each).state.terminated !== undefined,
    )
    const { lastState, state } = statusOf(ended)
    const { exitCode, message } = lastState.terminated ?? state.terminated
    expect(exitCode).toBe(2)
    // For `kubectl describe pod`.
    expect(message).toMatch(/REMORA_PATHS/)
    // What no manifest of ours changes: such a Pod gets no traffic.
    expect(isReady(ended)).toBe(false)
    await space().run('delete', 'pod', scene.name, '--now')
  })

  test('a wrong setting in a rollout: the Pods before it stay, and are Ready', async () => {
    const right: Scene = { name: sceneName('held'), url: gateway().url }
    const wrong: Scene = { ...right, settings: { REMORA_PATHS: 'not/absolute' } }
    await space().apply(manifestsOf(right))
    await space().run('rollout', 'status', `deployment/${right.name}`, '--timeout=100s')
    await space().apply(manifestsOf(wrong))
    const pods = async (): Promise<readonly Manifest[]> =>
      JSON.parse(await space().run('get', 'pod', '-l', 'app.kubernetes.io/name=legacy', '-o', 'json')).items.filter(
        (pod: Manifest) => pod.metadata.ownerReferences[0].name.startsWith(`${right.name}-`),
      )
    // In each of its starts it might be taken for ready for a moment, and the one before it be ended.
    const seen = await until(
      'it has ended five times',
      async () => {
        const now = await pods()
        return now.some((pod) => restartsOf(pod) >= 5) ? now : undefined
      },
      120_000,
    )
    const before = seen.filter((pod) => restartsOf(pod) === 0)
    expect(before.map(isReady)).toEqual([true])
    expect(before[0].metadata).not.toHaveProperty('deletionTimestamp')
    await space().run('delete', 'deployment', right.name, '--cascade=foreground')
  })

  test('settings and credentials that are not there: the application runs', async () => {
    const scene: Scene = { name: sceneName('none'), url: gateway().url }
    await space().apply(podIn(scene).filter(({ kind }) => kind === 'Pod'))
    const pod = await space().untilPod(
      scene.name,
      'the application runs',
      (each) => statusOf(each, 'application')?.state.running !== undefined,
    )
    expect(statusOf(pod, 'application').restartCount).toBe(0)
    await space().run('delete', 'pod', scene.name, '--now')
  })

  test('a tenth of a core: the probes hold', async () => {
    const scene: Scene = { name: sceneName('tenth'), url: gateway().url, writing: { bytesPerSecond: 500_000 } }
    await space().apply(podIn(scene, (spec) => limited(spec, { cpu: '100m' })))
    await space().ready(scene.name)
    const log = space().follow(scene.name, 'application')
    await until('a minute', async () => (writtenIn(log.text) > (60 * 500_000) / 200 ? true : undefined), 120_000)
    expect(statusOf(await space().get('pod', scene.name))).toMatchObject({ restartCount: 0, ready: true })
    await space().run('delete', 'pod', scene.name, '--wait=true')
    await log.ended
    const written = writtenIn(log.text)
    expect(await expectStored(server(), scene, written)).toBe(written)
  })
})

describe('injection', () => {
  test('a Pod with the label gets the sidecar, in a namespace that asks for it', async ({ skip }) => {
    const resources = await kube(['api-resources', '--api-group=admissionregistration.k8s.io', '-o', 'name'])
    skip(!resources.includes('mutatingadmissionpolicies'), 'the server has no MutatingAdmissionPolicy')
    const stable = await tried(['get', '--raw', '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies'])
    const policies = built(stable.status === 0 ? 'injection' : 'injection-before-1.36')
    theOne(policies, 'MutatingAdmissionPolicy').spec.variables[0].expression = JSON.stringify(where.image)
    const scene: Scene = { name: sceneName('inject'), url: gateway().url, writing: { lines: 500 } }
    const has = podIn(scene).find(hasPods)
    const volumes = has.spec.volumes.filter(({ name }: Manifest) => name === 'logs')
    const pod = { ...has, spec: { ...has.spec, initContainers: [], volumes } }
    const data = { REMORA_ELASTICSEARCH_URL: scene.url, REMORA_DATASET: scene.name }
    await space().apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'remora-settings' }, data }])
    await space().apply(policies)
    try {
      await kube(['label', 'namespace', space().name, 'remora/injection=enabled'])
      // A policy is in force some seconds after it was made.
      await until('the sidecar is injected', async () => sidecarOf(await asTaken(pod)))
      await space().apply([pod])
      expect(await expectStored(server(), scene, 500)).toBe(500)
      const { image, ...wanted } = sidecarOf(has)
      expect(image).toBe(where.image)
      // But for the names that Kustomize gives, and what the server fills in.
      const { envFrom: _, ...alike } = wanted
      expect((await space().get('pod', scene.name)).spec.initContainers[0]).toMatchObject(alike)
      // One that has it already stays as it is, and so do one without the label and one without a log volume.
      const named = (name: string, change: object) => ({ ...pod, metadata: { ...pod.metadata, name, ...change } })
      expect((await asTaken({ ...has, metadata: { ...has.metadata, name: 'has' } })).spec.initContainers).toHaveLength(
        1,
      )
      expect(sidecarOf(await asTaken(named('unlabelled', { labels: {} })))).toBeUndefined()
      const { containers } = pod.spec
      const writesNothing = { ...pod.spec, volumes: [], containers: [{ ...containers[0], volumeMounts: [] }] }
      expect(sidecarOf(await asTaken({ ...named('nowhere', {}), spec: writesNothing }))).toBeUndefined()
    } finally {
      const names = ['mutatingadmissionpolicybinding/remora-sidecar', 'mutatingadmissionpolicy/remora-sidecar']
      await kube(['delete', '--ignore-not-found', ...names])
    }
  })
})

/** As the server would make it. */
async function asTaken(manifest: Manifest): Promise<Manifest> {
  const answer = JSON.parse(await space().apply([manifest], '--dry-run=server', '-o', 'json'))
  return answer.items?.[0] ?? answer
}
