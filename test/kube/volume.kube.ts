/** Two Pods side by side that write more than their log volume may hold: the one without the volume guard is evicted. */
import { expect, test } from 'vitest'
import { expectStored, podIn, writtenIn, type Scene } from './kit/scene.ts'
import { until } from './kit/space.ts'
import { sceneName, stage } from './kit/stage.ts'

const { space, server, gateway } = stage()
const limit = '48Mi'
const limitBytes = 48 << 20

const sceneWith = (kind: string, components: readonly string[]): Scene => ({
  name: sceneName(kind),
  url: gateway().url,
  components,
  settings: { REMORA_VOLUME_LIMIT: limit },
  // A file in two seconds.
  writing: { bytesPerSecond: 1_000_000, rotateLines: 10_000 },
})

test('the volume guard keeps a Pod from eviction that is evicted without it', { timeout: 600_000 }, async () => {
  const guarded = sceneWith('guarded', ['volume-guard'])
  const plain = sceneWith('plain', [])
  for (const scene of [guarded, plain]) {
    const pod = podIn(scene, (spec) => {
      for (const volume of spec.volumes) if (volume.name === 'logs') volume.emptyDir.sizeLimit = limit
    })
    await space().apply(pod)
  }
  await Promise.all([guarded, plain].map(({ name }) => space().ready(name)))
  const log = space().follow(guarded.name, 'application')
  const remora = space().follow(guarded.name, 'remora')

  // By the event: the phase is Failed, or Succeeded where both containers end in order at their SIGTERM (seen on 1.34).
  const message = await until(
    'the other one is evicted',
    async () => {
      const about = `involvedObject.name=${plain.name},reason=Evicted`
      const { items } = JSON.parse(await space().run('get', 'events', '--field-selector', about, '-o', 'json'))
      return items[0]?.message as string | undefined
    },
    300_000,
  )
  expect(message).toMatch(/"logs" exceeds the limit/)

  // The other one goes on: more than twice what its volume holds.
  const enough = (2 * limitBytes) / 200
  await until('twice the limit', async () => (writtenIn(log.text) > enough ? true : undefined), 300_000)
  const pod = await space().get('pod', guarded.name)
  expect(pod.status).toMatchObject({ phase: 'Running' })
  expect(remora.said('VOLUME_DROPPED')).toBe(false)
  await space().run('delete', 'pod', guarded.name, '--wait=true')
  await Promise.all([log.ended, remora.ended])
  const written = writtenIn(log.text)
  expect(await expectStored(server(), guarded, written, 120_000)).toBe(written)
})
