/** The admin port of Remora, when another container of the Pod has it already: all of them share one network. */
import { expect, test } from 'vitest'
import { sidecarOf, type Manifest } from '../kit/kubernetes/manifest.ts'
import { expectStored, podIn, untilStored, writtenIn, type Scene } from './kit/scene.ts'
import { isReady, statusOf, until } from './kit/space.ts'
import { sceneName, stage } from './kit/stage.ts'
import { where } from './kit/where.ts'

const { space, server, gateway } = stage()

/** A native sidecar that is up before Remora, listens on its port, and knows nothing of what the probes ask. */
function takePort(spec: Manifest): void {
  const { securityContext } = sidecarOf({ kind: 'Pod', spec })
  spec.initContainers.unshift({
    name: 'proxy',
    image: where.image,
    restartPolicy: 'Always',
    command: ['node', '-e', "http.createServer((_, response) => response.writeHead(404).end()).listen(9600, '::')"],
    startupProbe: { tcpSocket: { port: 9600 }, periodSeconds: 1, failureThreshold: 60 },
    resources: { limits: { memory: '96Mi' } },
    securityContext,
  })
}

test('taken: a message, and every line is shipped; the probes restart Remora, and nothing but it', async () => {
  const scene: Scene = { name: sceneName('port'), url: gateway().url }
  await space().apply(podIn(scene, takePort))
  await space().untilPod(
    scene.name,
    'the application runs',
    (pod) => statusOf(pod, 'application')?.state.running !== undefined && statusOf(pod).state.running !== undefined,
  )
  const log = space().follow(scene.name, 'application')
  const said = space().follow(scene.name, 'remora')
  await until('the message', async () => said.said('ADMIN_PORT_UNAVAILABLE') || undefined)
  expect(said.messages.find((each) => each['event.code'] === 'ADMIN_PORT_UNAVAILABLE')?.message).toMatch(
    /port 9600.*EADDRINUSE.*choose another with REMORA_ADMIN_PORT/,
  )
  expect((await space().asked(scene.name, '/livez')).status).toBe(404)
  await untilStored(server(), scene, 1_000)

  const restarted = await space().untilPod(
    scene.name,
    'Remora is restarted',
    (pod) => statusOf(pod).restartCount >= 1 && statusOf(pod).state.running !== undefined,
    180_000,
  )
  // By a SIGTERM, at which it ships what there is.
  expect(statusOf(restarted).lastState.terminated).toMatchObject({ exitCode: 0 })
  expect(said.said('STOPPED')).toBe(true)
  const before = writtenIn(log.text)
  await until('lines after it', async () => (writtenIn(log.text) > before + 500 ? true : undefined))
  const pod = await space().get('pod', scene.name)
  // The probe asks the other one.
  expect(isReady(pod)).toBe(false)
  expect(statusOf(pod, 'application')).toMatchObject({ restartCount: 0, ready: true })
  expect(statusOf(pod, 'proxy')).toMatchObject({ restartCount: 0, ready: true })
  await space().run('delete', 'pod', scene.name, '--wait=true')
  await log.ended
  const written = writtenIn(log.text)
  expect(await expectStored(server(), scene, written)).toBe(written)
})

test('taken: another one, by two lines, and the probes find it', async () => {
  const port = 9_601
  const scene: Scene = {
    name: sceneName('other'),
    url: gateway().url,
    // Asks as the liveness probe does, and nothing is Ready before the answer.
    components: ['startup-probe'],
    settings: { REMORA_ADMIN_PORT: String(port) },
  }
  const manifests = podIn(scene, (spec) => {
    sidecarOf({ kind: 'Pod', spec }).ports[0].containerPort = port
    takePort(spec)
  })
  await space().apply(manifests)
  await space().ready(scene.name)
  const said = space().follow(scene.name, 'remora')
  expect((await space().asked(scene.name, '/livez', port)).status).toBe(200)
  expect((await space().asked(scene.name, '/livez')).status).toBe(404)
  await untilStored(server(), scene, 500)
  expect(said.said('ADMIN_PORT_UNAVAILABLE')).toBe(false)
  await space().run('delete', 'pod', scene.name, '--now')
})
