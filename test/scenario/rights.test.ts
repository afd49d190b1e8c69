/** Who may read what another user writes: the ways of setting it up that work, and what is said of those that do not. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startBulkServer, type BulkServer } from '../../src/demo/bulk-server.ts'
import { readDocuments } from '../../src/demo/bulk-server-documents.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'

const isRoot = process.getuid?.() === 0
const application = 10_001
const remora = 65_532
/** What `fsGroup` makes both volumes belong to. */
const fsGroup = 20_000

let directory: string
let logs: string
let server: BulkServer
let agent: AgentProcess | undefined
let port: number

beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-rights-'))
  fs.chmodSync(directory, 0o755)
  fs.mkdirSync(path.join(directory, 'state'))
  fs.chmodSync(path.join(directory, 'state'), 0o777)
  logs = path.join(directory, 'logs')
  // As the kubelet makes an emptyDir.
  fs.mkdirSync(logs)
  fs.chmodSync(logs, 0o777)
  port = await findFreePort()
  server = await startBulkServer({ documentsPath: path.join(directory, 'documents.ndjson') })
})

afterEach(async () => {
  await agent?.end('SIGKILL')
  agent = undefined
  await server.close()
  fs.rmSync(directory, { recursive: true, force: true })
})

/** With `fsGroup` in the Pod: the group of the volume, which all that is made in it takes over. Source: Kubernetes, `pkg/volume/volume_linux.go`. */
function shareGroup(): void {
  fs.chownSync(logs, 0, fsGroup)
  fs.chmodSync(logs, 0o2777)
}

const as = (uid: number, groups: readonly number[] = []): string[] => [
  'setpriv',
  `--reuid=${uid}`,
  `--regid=${uid}`,
  groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`,
  // Root in a container that drops all capabilities may read its own files, and no others.
  ...(uid === 0 ? ['--bounding-set=-all', '--inh-caps=-all'] : []),
]

/** The application writes a log. */
function write(name: string, uid: number, umask: string, groups: readonly number[] = []): void {
  const [command, ...args] = as(uid, groups)
  execFileSync(command!, [
    ...args,
    'sh',
    '-c',
    `umask ${umask}; echo "$1" > "$2"`,
    'sh',
    `of ${name}`,
    path.join(logs, name),
  ])
}

function start(uid: number, groups: readonly number[] = []): AgentProcess {
  agent = startAgent(
    {
      REMORA_PATHS: `${logs}/**/*.log`,
      REMORA_STATE_DIR: path.join(directory, 'state'),
      REMORA_ELASTICSEARCH_URL: server.url,
      REMORA_POD_UID: 'rights',
      REMORA_SCAN_INTERVAL: '300ms',
      REMORA_ADMIN_PORT: String(port),
    },
    undefined,
    as(uid, groups),
  )
  return agent
}

async function until(condition: () => boolean | Promise<boolean>, mostMs = 30_000): Promise<void> {
  const deadlineMs = performance.now() + mostMs
  while (!(await condition()) && performance.now() < deadlineMs) await delay(50)
}

async function shipped(): Promise<string[]> {
  const found: string[] = []
  for await (const { _source: source } of readDocuments(path.join(directory, 'documents.ndjson')))
    found.push((source as { message: string }).message)
  return found.toSorted()
}

interface Ready {
  readonly ready: boolean
  readonly unreadable?: { readonly files: number; readonly path: string; readonly why: string; readonly wayOut: string }
}

const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).json() as Promise<Ready>

/** As `/readyz` counts them; undefined before there is an answer. */
const unreadable = async (): Promise<number | undefined> =>
  ready().then(
    (now) => now.unreadable?.files ?? 0,
    () => undefined,
  )

const saidOf = (running: AgentProcess, code: string) =>
  running
    .output()
    .split('\n')
    .filter((line) => line.includes(`"event.code":"${code}"`))

describe.runIf(isRoot)('ways that work', () => {
  test.each([
    ['the same user, umask 077', application, '077', false, application, []],
    ['fsGroup, umask 022', application, '022', true, remora, [fsGroup]],
    ['fsGroup, umask 027', application, '027', true, remora, [fsGroup]],
    ['fsGroup, an application that is root, umask 022', 0, '022', true, remora, [fsGroup]],
    ['fsGroup, an application that is root, umask 027', 0, '027', true, remora, [fsGroup]],
    ['the same user, which is root without capabilities, umask 077', 0, '077', false, 0, []],
    ['no group, umask 022', application, '022', false, remora, []],
  ] as const)('%s', async (_, writer, umask, shared, reader, groups) => {
    if (shared) shareGroup()
    write('a.log', writer, umask, shared ? [fsGroup] : [])
    const running = start(reader, groups)
    await until(() => server.account().documents >= 1)
    expect(await shipped(), running.output()).toEqual(['of a.log'])
    expect(await running.end('SIGTERM')).toBe(0)
    expect(saidOf(running, 'EACCES')).toEqual([])
  })
})

describe.runIf(isRoot)('ways that do not', () => {
  test('fifty files: one message, a count and the way out at /readyz; and each is shipped as soon as it may be read', async () => {
    for (let n = 0; n < 50; n++) write(`${n}.log`, 0, '077')
    write('good.log', 0, '022')
    const running = start(remora)
    await until(async () => server.account().documents >= 1 && (await unreadable()) === 50)
    expect(await shipped()).toEqual(['of good.log'])
    const { ready: isReady, unreadable: detail } = await ready()
    expect(isReady, 'a restart would help nobody').toBe(true)
    expect(detail).toMatchObject({ files: 50, path: expect.stringContaining(logs) })
    expect(detail?.why).toMatch(/^it may not be read by uid 65532 with groups 65532 \(owner 0:0, mode 0600\)$/)
    expect(detail?.wayOut).toMatch(/umask 027.*fsGroup/)
    await delay(1_000)
    expect(saidOf(running, 'EACCES'), running.output()).toHaveLength(1)
    expect(saidOf(running, 'EACCES')[0]).toMatch(/owner 0:0, mode 0600.*umask 027.*fsGroup.*remora_unreadable_files/)

    for (let n = 0; n < 50; n++) fs.chmodSync(path.join(logs, `${n}.log`), 0o644)
    await until(() => server.account().documents >= 51)
    expect(await shipped()).toHaveLength(51)
    await until(() => saidOf(running, 'READABLE').length > 0)
    expect((await ready()).unreadable).toBeUndefined()
  })

  test('the lines that it names make it work: a group', async () => {
    write('a.log', application, '027')
    const first = start(remora)
    await until(() => saidOf(first, 'EACCES').length > 0)
    const group = /supplementalGroups: \[(\d+)\]/.exec(saidOf(first, 'EACCES')[0] ?? '')?.[1]
    expect(group, first.output()).toBe(String(application))
    await first.end('SIGTERM')
    start(remora, [Number(group)])
    await until(() => server.account().documents >= 1)
    expect(await shipped()).toEqual(['of a.log'])
  })

  test('the lines that it names make it work: the user', async () => {
    write('a.log', application, '077')
    const first = start(remora)
    await until(() => saidOf(first, 'EACCES').length > 0)
    const user = /runAsUser: (\d+)/.exec(saidOf(first, 'EACCES')[0] ?? '')?.[1]
    expect(user, first.output()).toBe(String(application))
    await first.end('SIGTERM')
    fs.rmSync(path.join(directory, 'state'), { recursive: true })
    fs.mkdirSync(path.join(directory, 'state'))
    fs.chmodSync(path.join(directory, 'state'), 0o777)
    start(Number(user))
    await until(() => server.account().documents >= 1)
    expect(await shipped()).toEqual(['of a.log'])
  })

  test('a directory that may not be searched is named itself, and looked into when it may be', async () => {
    fs.mkdirSync(path.join(logs, 'closed'))
    fs.writeFileSync(path.join(logs, 'closed/a.log'), 'of a.log\n')
    fs.chmodSync(path.join(logs, 'closed'), 0o700)
    const running = start(remora)
    await until(async () => (await unreadable()) === 1)
    expect((await ready()).unreadable).toMatchObject({
      files: 1,
      path: path.join(logs, 'closed'),
      why: expect.stringContaining('(owner 0:0, mode 0700)'),
    })
    fs.chmodSync(path.join(logs, 'closed'), 0o755)
    await until(() => server.account().documents >= 1)
    expect(await shipped(), running.output()).toEqual(['of a.log'])
    await until(() => saidOf(running, 'READABLE').length > 0)
    expect((await ready()).unreadable).toBeUndefined()
  })
})
