/** A container that is resized in place, under load: Remora follows its limit, without a restart. */
import { expect, test } from 'vitest'
import { expectStored, podIn, writtenIn, type Scene } from './kit/scene.ts'
import { kube, statusOf, until } from './kit/space.ts'
import { sceneName, stage } from './kit/stage.ts'

const { space, server, gateway } = stage()
const firstMinor = 33

test('a memory limit that is raised and lowered is followed', async ({ skip }) => {
  const { serverVersion } = JSON.parse(await kube(['version', '-o', 'json']))
  skip(
    Number.parseInt(serverVersion.minor, 10) < firstMinor,
    'before 1.33 a cluster does not resize in place by itself',
  )
  const scene: Scene = { name: sceneName('resize'), url: gateway().url, writing: { bytesPerSecond: 500_000 } }
  await space().apply(podIn(scene))
  await space().ready(scene.name)
  const application = space().follow(scene.name, 'application')
  const remora = space().follow(scene.name, 'remora')
  const changes = () => remora.messages.filter((message) => message['event.code'] === 'MEMORY_LIMIT_CHANGED').length

  for (const [index, memory] of ['128Mi', '64Mi'].entries()) {
    const resources = { requests: { memory }, limits: { memory } }
    const patch = JSON.stringify({ spec: { initContainers: [{ name: 'remora', resources }] } })
    await space().run('patch', 'pod', scene.name, '--subresource=resize', '--patch', patch)
    await space().untilPod(scene.name, memory, (pod) => statusOf(pod).resources?.limits?.memory === memory)
    await until(`MEMORY_LIMIT_CHANGED for ${memory}`, async () => (changes() > index ? true : undefined))
  }
  expect(statusOf(await space().get('pod', scene.name))).toMatchObject({ restartCount: 0, ready: true })
  await space().run('delete', 'pod', scene.name, '--wait=true')
  await application.ended
  const written = writtenIn(application.text)
  expect(await expectStored(server(), scene, written)).toBe(written)
})
