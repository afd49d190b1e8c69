import fs from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { connectionFiles, loadSettings } from '../../src/config/load.ts'
import { readSettingFile } from '../../src/config/read-file.ts'
import { accessOf } from '../../src/connect/access.ts'
import { bulkTargetOf } from '../../src/ship/bulk-target.ts'
import { Connections } from '../../src/ship/connections.ts'
import { CredentialFiles } from '../../src/ship/credential-files.ts'
import { makeSend } from '../../src/ship/transport.ts'
import { certificates } from '../check/certificates.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { SecretVolume } from '../kit/secret-volume.ts'
import type { Request } from './peer.ts'
import { goodAnswer, peerOf, until } from './sending.ts'

const line = Buffer.from('{"create":{}}\n{"message":"a line of the application"}\n')
const done = { kind: 'answered', answer: { kind: 'done' } }
const { authority, namesake, good, key, forgedKey } = certificates

function volumeOf(content: Readonly<Record<string, string>>): SecretVolume {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-secret-'))
  onTestFinished(() => fs.rmSync(directory, { recursive: true, force: true }))
  return new SecretVolume(directory, content)
}

/** What `remora run` makes of its environment, with a clock of the test. */
function connectionsOf(env: Record<string, string>) {
  const { settings, problems } = loadSettings(env, readSettingFile)
  expect(problems).toEqual([])
  const clock = new VirtualClock()
  const [adopted, kept]: [string[], string[]] = [[], []]
  let changed = 0
  const connections = new Connections({
    settings: {
      ...accessOf(settings!, readSettingFile),
      urls: settings!.elasticsearchUrls,
      requestTimeoutMs: 5_000,
      connections: 2,
    },
    clock: clock.view(() => true),
    random: Math.random,
    files: new CredentialFiles({
      files: connectionFiles(env, settings!),
      readFile: readSettingFile,
      readAccess: () => {
        const again = loadSettings(env, readSettingFile)
        return again.settings === undefined ? again.problems[0]!.message : accessOf(again.settings, readSettingFile)
      },
      adopted: (variables) => adopted.push(...variables),
      kept: (why) => kept.push(why),
    }),
  })
  connections.onChanged(() => changed++)
  onTestFinished(() => connections.close())
  const stop = new AbortController()
  const send = makeSend(connections, bulkTargetOf('logs'), 5_000)
  return { connections, clock, adopted, kept, changes: () => changed, send: () => send(line, 1, stop.signal) }
}

const passwordOf = (request: Request) =>
  Buffer.from(request.header('authorization')?.split(' ')[1] ?? '', 'base64')
    .toString()
    .split(':')[1]

/** Takes one password. */
async function guarded(password: string) {
  return peerOf(async (request) => {
    await request.body()
    if (passwordOf(request) === password) request.reply(200, goodAnswer())
    else request.reply(401, '{"error":{"type":"security_exception"}}')
  })
}

const envOf = (url: string, secret: SecretVolume) => ({
  REMORA_ELASTICSEARCH_URL: url,
  REMORA_USERNAME: 'remora',
  REMORA_PASSWORD_FILE: secret.path('password'),
})

test('a password that changes is taken after the refusal: files are compared once a second then, else every ten', async () => {
  const secret = volumeOf({ password: 'old-word' })
  const peer = await guarded('new-word')
  const { send, clock, adopted, changes } = connectionsOf(envOf(peer.url, secret))
  expect(await send()).toMatchObject({
    kind: 'status',
    status: 401,
    hint: 'it does not accept REMORA_USERNAME and REMORA_PASSWORD',
  })
  secret.swap({ password: 'new-word' })
  expect(await send(), 'looked at a moment ago').toMatchObject({ status: 401 })
  await clock.advanceTo(clock.nowMs + limits.credentialsRetryMs)
  expect(await send(), 'refused, looked, and sent again').toEqual(done)
  expect([adopted, changes()]).toEqual([['REMORA_PASSWORD_FILE'], 1])

  secret.swap({ password: 'newer' })
  await clock.advanceTo(clock.nowMs + limits.credentialsIntervalMs)
  expect(changes(), 'without any refusal').toBe(2)
  expect(await send()).toMatchObject({ status: 401 })
})

test('what is under way ends on the old connection, which is closed then', async () => {
  const secret = volumeOf({ password: 'old-word' })
  const answers: (() => void)[] = []
  const peer = await peerOf(async (request) => {
    await request.body()
    if (request.number === 0) await new Promise<void>((resolve) => answers.push(resolve))
    request.reply(200, goodAnswer())
  })
  const { send, connections } = connectionsOf(envOf(peer.url, secret))
  const slow = send()
  await until(() => answers.length === 1)
  secret.swap({ password: 'new-word' })
  connections.reload()
  expect(await send()).toEqual(done)
  expect(peer.requests.map(passwordOf)).toEqual(['old-word', 'new-word'])
  expect(peer.requests[0]!.socket.destroyed).toBe(false)
  answers[0]!()
  expect(await slow).toEqual(done)
  await until(() => peer.requests[0]!.socket.destroyed)
  expect(await send(), 'the new one stays').toEqual(done)
  expect(peer.connections).toBe(2)
})

test('a file that is gone, empty or not text: the old password stays in use', async () => {
  const secret = volumeOf({ password: 'old-word' })
  const peer = await guarded('old-word')
  const { send, connections, kept } = connectionsOf(envOf(peer.url, secret))
  for (const content of [{}, { password: '' }, { password: 'two\nlines' }] as Record<string, string>[]) {
    secret.swap(content)
    connections.reload()
    expect(await send()).toEqual(done)
  }
  expect(kept).toHaveLength(1)
  for (const why of kept) expect(why).not.toContain('old-word')
})

async function secure(cert: string, more: object = {}): Promise<string> {
  const server = createServer({ key, cert, ...more }, (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'x-elastic-product': 'Elasticsearch' }).end(goodAnswer())
    })
  })
  onTestFinished(() => server.close().closeAllConnections())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `https://localhost:${(server.address() as AddressInfo).port}`
}

test('another authority in the CA file, after the failure that asks for it', async () => {
  const secret = volumeOf({ 'ca.pem': namesake })
  const url = await secure(good)
  const { send, clock, adopted } = connectionsOf({
    REMORA_ELASTICSEARCH_URL: url,
    REMORA_CA_FILE: secret.path('ca.pem'),
  })
  expect(await send()).toMatchObject({
    kind: 'failed',
    message: expect.stringMatching(/not one of those in REMORA_CA_FILE/),
  })
  secret.swap({ 'ca.pem': `${namesake}${authority.slice(0, 200)}` })
  await clock.advanceTo(clock.nowMs + limits.credentialsRetryMs)
  expect(await send(), 'half of a file').toMatchObject({ kind: 'failed' })
  secret.swap({ 'ca.pem': `${namesake}${authority}` })
  await clock.advanceTo(clock.nowMs + limits.credentialsRetryMs)
  expect(await send()).toEqual(done)
  expect(adopted).toEqual(['REMORA_CA_FILE'])
})

test('a client certificate and its key, one after the other', async () => {
  const secret = volumeOf({ 'tls.crt': certificates.forged, 'tls.key': forgedKey })
  const url = await secure(good, { ca: authority, requestCert: true, rejectUnauthorized: true })
  const { send, connections, kept, adopted } = connectionsOf({
    REMORA_ELASTICSEARCH_URL: url,
    REMORA_CA_FILE: volumeOf({ ca: authority }).path('ca'),
    REMORA_CLIENT_CERT_FILE: secret.path('tls.crt'),
    REMORA_CLIENT_KEY_FILE: secret.path('tls.key'),
  })
  expect(await send()).toMatchObject({ kind: 'failed' })
  secret.swap({ 'tls.crt': good, 'tls.key': forgedKey })
  connections.reload()
  expect(kept).toEqual([expect.stringContaining('does not belong')])
  secret.swap({ 'tls.crt': good, 'tls.key': key })
  connections.reload()
  expect(await send()).toEqual(done)
  expect(adopted).toEqual(['REMORA_CLIENT_KEY_FILE'])
})

test('nothing is looked at after the end, and the clock has no timer left', async () => {
  const secret = volumeOf({ password: 'old-word' })
  const peer = await guarded('old-word')
  const { send, connections, clock, changes } = connectionsOf(envOf(peer.url, secret))
  expect(await send()).toEqual(done)
  await connections.close()
  secret.swap({ password: 'new-word' })
  connections.reload()
  expect([changes(), clock.nextMs]).toEqual([0, Infinity])
  await until(() => peer.requests[0]!.socket.destroyed)
})
