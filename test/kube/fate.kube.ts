/** What is done to the sidecar, and what that does to its Pod: `docs/shared-fate.md` says what was seen here. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { sidecarOf, type Manifest } from '../kit/kubernetes/manifest.ts'
import { podIn, writtenIn, type Scene } from './kit/scene.ts'
import { isReady, statusOf, until } from './kit/space.ts'
import { sceneName, stage } from './kit/stage.ts'

const { space, gateway } = stage()

const sceneOf = (kind: string, rest: Partial<Scene> = {}): Scene => ({
  name: sceneName(kind),
  url: gateway().url,
  ...rest,
})
const end = (name: string) => space().run('delete', 'pod', name, '--now')
const imageOf = (image: string) => JSON.stringify({ spec: { initContainers: [{ name: 'remora', image }] } })
const isRunning = (pod: Manifest, container: string) => statusOf(pod, container)?.state.running !== undefined

test('a wrong setting: the application starts all the same, and the Pod is not Ready', async () => {
  const scene = sceneOf('wrong', { settings: { REMORA_PATHS: 'not/absolute' } })
  await space().apply(podIn(scene))
  const pod = await space().untilPod(scene.name, 'the application runs', (each) => isRunning(each, 'application'))
  // It has not waited for a second try of the sidecar, which a kubelet puts off by ten seconds and more.
  expect(statusOf(pod).restartCount).toBe(0)
  const ended = await space().untilPod(
    scene.name,
    'the sidecar has ended',
    (each) => (statusOf(each).lastState.terminated ?? statusOf(each).state.terminated) !== undefined,
  )
  const { lastState, state } = statusOf(ended)
  expect((lastState.terminated ?? state.terminated).exitCode).toBe(2)
  await space().untilPod(scene.name, 'not Ready', (each) => !isReady(each))
  expect(statusOf(await space().get('pod', scene.name), 'application').restartCount).toBe(0)
  await end(scene.name)
})

test('another image in place: the sidecar stops in order, the application goes on, and the Pod is not Ready meanwhile', async () => {
  const scene = sceneOf('image')
  await space().apply(podIn(scene))
  const { status } = await space().ready(scene.name)
  const log = space().follow(scene.name, 'application')
  const { image: before } = (await space().get('pod', scene.name)).spec.initContainers[0]
  await space().run('patch', 'pod', scene.name, '--patch', imageOf('localhost/remora:there-is-none'))
  const stopped = await space().untilPod(scene.name, 'the sidecar has stopped', (pod) => !isRunning(pod, 'remora'))
  const { state, lastState } = statusOf(stopped)
  expect((state.terminated ?? lastState.terminated).exitCode).toBe(0)
  await space().untilPod(scene.name, 'not Ready', (pod) => !isReady(pod))
  const written = writtenIn(log.text)
  await until('lines', async () => (writtenIn(log.text) > written + 200 ? true : undefined))
  await space().run('patch', 'pod', scene.name, '--patch', imageOf(before))
  const again = await space().ready(scene.name)
  expect(statusOf(again, 'application')).toMatchObject({ restartCount: 0 })
  expect(again.status.podIP).toBe(status.podIP)
  await end(scene.name)
})

test.each([
  ['a native sidecar: the application does not start', [], false],
  ['an ordinary container: the application starts all the same', ['pre-1.29'], true],
] as const)('an image that cannot be pulled, %s', async (_, components, starts) => {
  const scene = sceneOf('pull', { components })
  const pods = podIn(scene)
  sidecarOf(pods.at(-1)).image = 'localhost/remora:there-is-none'
  await space().apply(pods)
  const pod = await space().untilPod(scene.name, 'the image is not there', (each) =>
    /^(ErrImagePull|ImagePullBackOff|ErrImageNeverPull)$/.test(statusOf(each)?.state.waiting?.reason ?? ''),
  )
  expect(isReady(pod)).toBe(false)
  if (starts) await space().untilPod(scene.name, 'the application runs', (each) => isRunning(each, 'application'))
  // As long as the application takes to start beside a sidecar that runs, several times over.
  else await delay(15_000)
  expect(isRunning(await space().get('pod', scene.name), 'application')).toBe(starts)
  await end(scene.name)
})

test('a grace that is longer than the Pod has: killed, without a last message', async () => {
  const scene = sceneOf('grace', { url: 'http://127.0.0.1:9', settings: { REMORA_SHUTDOWN_GRACE: '60s' } })
  await space().apply(podIn(scene, (spec) => (spec.terminationGracePeriodSeconds = 5)))
  await space().ready(scene.name)
  const remora = space().follow(scene.name, 'remora')
  await until('a line that waits', async () => (remora.said('ELASTICSEARCH_UNREACHABLE') ? true : undefined))
  await space().run('delete', 'pod', scene.name, '--wait=true')
  await remora.ended
  expect(remora.said('STOPPING')).toBe(true)
  expect(remora.said('STOPPED_WITH_REST')).toBe(false)
})

test.each([
  ['Burstable', 'as the manifests are', undefined],
  ['Guaranteed', 'with requests that are the limits, in every container', { cpu: '50m', memory: '96Mi' }],
] as const)('quality of service: %s %s', async (qosClass, _, amounts) => {
  const scene = sceneOf('qos')
  const pods = podIn(scene, (spec) => {
    if (amounts === undefined) return
    for (const container of [...spec.initContainers, ...spec.containers])
      container.resources = { requests: amounts, limits: amounts }
  })
  await space().apply(pods)
  expect((await space().get('pod', scene.name)).status.qosClass).toBe(qosClass)
  await end(scene.name)
})
