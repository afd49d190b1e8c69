/** A Pod that is deleted under load: what was written before the application's end is on the server, or counted. */
import { describe, expect, test } from 'vitest'
import { expectStored, podIn, writtenIn, type Scene } from './kit/scene.ts'
import { until } from './kit/space.ts'
import { sceneName, stage } from './kit/stage.ts'

const { space, server, gateway } = stage()
const bytesPerSecond = 2_000_000
const loadMs = 10_000

/** Starts it, and comes back under load. */
async function begun(scene: Scene, graceSeconds: number) {
  await space().apply(podIn(scene, (spec) => (spec.terminationGracePeriodSeconds = graceSeconds)))
  await space().ready(scene.name)
  const application = space().follow(scene.name, 'application')
  const remora = space().follow(scene.name, 'remora')
  const enough = (bytesPerSecond * loadMs) / 1_000 / 200
  await until('load', async () => (writtenIn(application.text) >= enough ? true : undefined))
  return { application, remora }
}

describe('at 2 MB/s, with a server that answers within 100 ms', () => {
  test.each([
    ['an application that ends when it is told to', 'end', 30],
    ['an application that eats the whole grace period', 'linger', 10],
  ] as const)('%s', async (_, atTerm, graceSeconds) => {
    gateway().answerDelayMs = 90
    const scene: Scene = {
      name: sceneName('load'),
      url: gateway().url,
      writing: { bytesPerSecond, rotateLines: 20_000, atTerm },
    }
    const { application, remora } = await begun(scene, graceSeconds)
    await space().run('delete', 'pod', scene.name, '--wait=true')
    await Promise.all([application.ended, remora.ended])
    const stored = await expectStored(server(), scene, writtenIn(application.text))
    expect(stored).toBeGreaterThanOrEqual(writtenIn(application.text))
    expect(remora.said('STOPPED')).toBe(true)
    gateway().answerDelayMs = 0
  })
})

test('with the server away, the last message counts what remained', async () => {
  const scene: Scene = {
    name: sceneName('outage'),
    url: gateway().url,
    // Less than what the Pod is given below, or there are no last words.
    settings: { REMORA_SHUTDOWN_GRACE: '5s' },
    writing: { bytesPerSecond: 200_000 },
  }
  await space().apply(podIn(scene, (spec) => (spec.terminationGracePeriodSeconds = 10)))
  await space().ready(scene.name)
  const application = space().follow(scene.name, 'application')
  const remora = space().follow(scene.name, 'remora')
  await expectStored(server(), scene, 2_000)
  await gateway().goAway()
  const before = writtenIn(application.text)
  await until('lines that nobody takes', async () => (writtenIn(application.text) > before + 3_000 ? true : undefined))
  await space().run('delete', 'pod', scene.name, '--wait=true')
  await Promise.all([application.ended, remora.ended])
  await gateway().comeBack()
  const last = remora.messages.find((message) => message['event.code'] === 'STOPPED_WITH_REST')
  const stored = await expectStored(server(), scene, 1)
  const { ledger, unreadBytes } = last.remora
  // What it had acknowledged is there (and what went out without an answer may be); the rest is in the message.
  expect(ledger.acknowledgedLines).toBeLessThanOrEqual(stored)
  expect(ledger.acknowledgedLines + ledger.heldLines + unreadBytes / 200).toBeCloseTo(writtenIn(application.text), 0)
})
