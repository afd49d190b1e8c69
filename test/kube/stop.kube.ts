/** A Pod that is deleted under load: what was written before the application's end is on the server, or counted. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { startBulkServer } from '../../src/demo/bulk-server.ts'
import { LineAccount } from '../kit/elasticsearch.ts'
import { Gateway } from './kit/gateway.ts'
import { accountOfFirst, expectStored, podIn, untilStored, writtenIn, type Scene } from './kit/scene.ts'
import { until } from './kit/space.ts'
import { sceneName, stage } from './kit/stage.ts'
import { where } from './kit/where.ts'
import type { Writing } from './kit/writer.ts'

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

/** Deletes it under load. @returns how many lines the application had written at least */
async function deleted(scene: Scene, graceSeconds: number): Promise<number> {
  const { application, remora } = await begun(scene, graceSeconds)
  await space().run('delete', 'pod', scene.name, '--wait=true')
  await Promise.all([application.ended, remora.ended])
  expect(remora.said('STOPPED')).toBe(true)
  return writtenIn(application.text)
}

const loaded = (url: string, atTerm: Writing['atTerm']): Scene => ({
  name: sceneName('load'),
  url,
  writing: { bytesPerSecond, rotateLines: 20_000, atTerm },
})

describe('at 2 MB/s, with a server that answers within 100 ms', () => {
  test('an application that ends when it is told to', async () => {
    gateway().answerDelayMs = 90
    const scene = loaded(gateway().url, 'end')
    const written = await deleted(scene, 30)
    expect(await expectStored(server(), scene, written)).toBeGreaterThanOrEqual(written)
    gateway().answerDelayMs = 0
  })

  // By a server that costs nothing: where Elasticsearch has half a core it takes a second, and under two are left.
  test('an application that eats the whole grace period', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'remora-stop-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const documentsPath = join(directory, 'documents.ndjson')
    const bulk = await startBulkServer({ documentsPath })
    onTestFinished(() => bulk.close())
    const between = await Gateway.before(Number(new URL(bulk.url).port), where.host)
    onTestFinished(() => between.goAway())
    between.answerDelayMs = 90
    const scene = loaded(between.url, 'linger')
    const written = await deleted(scene, 10)
    const stored = new LineAccount()
    for await (const { _source } of readDocuments(documentsPath)) stored.add(_source['message'] as string)
    expect(stored.count).toBeGreaterThanOrEqual(written)
    expect({ ...stored.account(), distinctIds: bulk.account().ids }).toEqual(accountOfFirst(scene, stored.count))
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
  await untilStored(server(), scene, 2_000)
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
