import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { startBulkServer } from '../../src/demo/bulk-server.ts'
import { isOpenToOthers } from '../kit/elasticsearch/java.ts'
import {
  describeElasticsearch,
  sharedElasticsearch,
  startElasticsearch,
  type RealElasticsearch,
} from '../kit/elasticsearch.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const isRoot = process.getuid?.() === 0
const nobody = 65534
/** Root may read and write everything, so as root somebody else must be able to run this; not from root's own home. */
const unprivileged = !isRoot || [main, process.execPath].every((file) => isOpenToOthers(path.dirname(file)))

let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'remora-check-'))
  chmodSync(directory, 0o755)
  mkdirSync(`${directory}/logs`)
  writeFileSync(`${directory}/logs/app.log`, 'a line\n')
  onTestFinished(() => {
    chmodSync(directory, 0o755)
    rmSync(directory, { recursive: true, force: true })
  })
})

interface Outcome {
  readonly code: number | null
  readonly text: string
  /** With the line breaks that wrapping made taken out. */
  readonly said: string
}

/** The real process, as somebody without rights where tests run as root. */
async function check(env: Record<string, string>, privileged = false): Promise<Outcome> {
  const child = spawn(process.execPath, [main, 'check'], {
    cwd: '/',
    env: {
      PATH: process.env['PATH'] ?? '',
      REMORA_PATHS: `${directory}/logs/*.log`,
      REMORA_STATE_DIR: `${directory}/state`,
      REMORA_ADMIN_PORT: '0',
      REMORA_MEMORY_LIMIT: '64Mi',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 40_000,
    ...(isRoot && unprivileged && !privileged && { uid: nobody, gid: nobody }),
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (text += part))
  await once(child, 'close')
  return { code: child.exitCode, text, said: text.replaceAll(/\s+/g, ' ') }
}

describe('without Elasticsearch', () => {
  let url: string
  beforeAll(async () => {
    const server = await startBulkServer({ documentsPath: undefined })
    url = server.url
    return () => server.close()
  })

  test('all is well: exit 0, plain text of 80 columns, nothing left behind', async () => {
    mkdirSync(`${directory}/state`, { mode: 0o777 })
    chmodSync(`${directory}/state`, 0o777)
    const { code, text } = await check({ REMORA_ELASTICSEARCH_URL: url })
    expect(text).toMatch(/\n\d+ ok, \d warnings?, 0 errors\n/)
    expect(text).toContain(`  ok       ${url}: Elasticsearch`)
    expect(text).not.toContain('\u001b')
    expect(text.split('\n').filter((line) => line.length > 80 && !line.includes(directory))).toEqual([])
    expect(code).toBe(0)
    expect(spawnSync('ls', ['-A', `${directory}/state`]).stdout.toString()).toBe('')
  })

  test.skipIf(!unprivileged)(
    'what is no log file is named, nothing is opened that waits, the others go on',
    async () => {
      mkdirSync(`${directory}/logs/x.log`)
      spawnSync('mkfifo', [`${directory}/logs/fifo.log`])
      symlinkSync('/etc/hostname', `${directory}/logs/outside.log`)
      writeFileSync(`${directory}/logs/core.log`, Buffer.from([1, 0, 2]))
      writeFileSync(`${directory}/logs/secret.log`, 'a line\n')
      chmodSync(`${directory}/logs/secret.log`, isRoot ? 0o600 : 0o000)
      const paths = `${directory}/logs/*.log,${directory}/logs/*.none`
      const { code, said } = await check({ REMORA_ELASTICSEARCH_URL: url, REMORA_PATHS: paths })
      expect(said).toContain('3 files matched')
      expect(said).toContain('fifo.log: a fifo is not a log file')
      expect(said).toContain('x.log: a directory is not a log file')
      expect(said).toContain('outside.log: it is a symlink to a place outside')
      expect(said).toContain('core.log: NUL bytes at the start')
      expect(said).toContain(`no file matches ${directory}/logs/*.none yet`)
      expect(said).toMatch(
        /error \S+secret\.log: it may not be read by uid \d+ with groups .* \(owner \d+:\d+, mode 0\d00\)/,
      )
      expect(code).toBe(1)
    },
  )

  test.skipIf(!unprivileged)(
    'a state directory that may not be written, and one on a read-only file system',
    async () => {
      chmodSync(directory, 0o555)
      const closed = await check({ REMORA_ELASTICSEARCH_URL: url })
      expect(closed.said).toMatch(/error \S+state: it may not be written by uid/)
      expect(closed.code).toBe(1)
      const readOnly = await check({ REMORA_ELASTICSEARCH_URL: url, REMORA_STATE_DIR: '/sys/remora' }, true)
      expect(readOnly.said).toMatch(/error \/sys\/remora: (?:its file system is read-only|it may not be written)/)
      expect(readOnly.code).toBe(1)
    },
  )

  test.skipIf(!isRoot)('a full state disk', async () => {
    mkdirSync(`${directory}/full`)
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=777', 'tmpfs', `${directory}/full`])
    // A container may be root and still not be allowed to mount.
    if (mounted.status !== 0) return
    onTestFinished(() => void spawnSync('umount', [`${directory}/full`]))
    const { code, said } = await check({ REMORA_ELASTICSEARCH_URL: url, REMORA_STATE_DIR: `${directory}/full` })
    expect(said).toMatch(/error \S+full: its disk is full/)
    expect(code).toBe(1)
  })

  test('a URL that leads to a web page, one that leads to nobody, and none', async () => {
    const proxy = createServer((_, response) => {
      response.writeHead(502, { 'content-type': 'text/html', server: 'nginx' })
      response.end('<html><head><title>502 Bad Gateway</title></head></html>')
    })
    await once(proxy.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => proxy.close().closeAllConnections())
    const { port } = proxy.address() as AddressInfo
    const urls = `http://127.0.0.1:${port},http://127.0.0.1:1`
    const { code, said } = await check({ REMORA_ELASTICSEARCH_URL: urls }, true)
    expect(said).toContain(
      'an HTML page titled "502 Bad Gateway" (nginx, status 502) answered; it is not Elasticsearch',
    )
    expect(said).toContain('http://127.0.0.1:1: the connection is refused: nothing listens on port 1')
    expect(code).toBe(1)
    const none = await check({}, true)
    expect(none.said).toContain('error REMORA_ELASTICSEARCH_URL is not set')
    expect(none.code).toBe(2)
  })

  test('settings that are wrong: all of them, exit 2', async () => {
    const { code, said } = await check(
      { REMORA_BATCH_LINGER: '5', REMORA_PATH: '/x', REMORA_MEMORY_LIMIT: '64MB' },
      true,
    )
    expect(said).toContain('REMORA_PATH: there is no such setting')
    expect(said).toContain('"5" has no unit')
    expect(said).toContain('write 64M')
    expect(said).toContain('0 warnings, 3 errors')
    expect(code).toBe(2)
    const small = await check({ REMORA_ELASTICSEARCH_URL: url, REMORA_MEMORY_LIMIT: '16Mi' }, true)
    expect(small.said).toMatch(/error a memory limit of 16 MiB \(REMORA_MEMORY_LIMIT\) cannot hold/)
    expect(small.code).toBe(2)
  })
})

describeElasticsearch('a real Elasticsearch without security', () => {
  test('security is off, and the target would be a plain index without a template', async () => {
    const { url } = await sharedElasticsearch()
    const { code, said } = await check(
      { REMORA_ELASTICSEARCH_URL: url, REMORA_DATASET: 'check_without_security' },
      true,
    )
    expect(said).toMatch(/ok http:\S+: Elasticsearch 9\.5\.3, cluster "remora-test"/)
    expect(said).toContain('ok security is off there')
    expect(said).toMatch(/logs-check_without_security-default does not exist yet: the first document makes a/)
    expect(code).toBe(0)
  })
})

const logsRole = (...privileges: string[]) => ({ indices: [{ names: ['logs-*'], privileges }] })

describeElasticsearch('a real Elasticsearch with security', () => {
  const root = { name: 'tester', password: 'a-tester-password' }
  let server: RealElasticsearch
  const asked = (name: string, password: string, more: Record<string, string> = {}) =>
    check({ REMORA_ELASTICSEARCH_URL: server.url, REMORA_USERNAME: name, REMORA_PASSWORD: password, ...more }, true)

  beforeAll(async () => {
    server = await startElasticsearch({ user: root })
    const put = async (at: string, body: unknown) => {
      const { status } = await server.request('PUT', at, body)
      expect([200, 201]).toContain(status)
    }
    await put('/_index_template/logs', { index_patterns: ['logs-*-*'], data_stream: {}, priority: 100 })
    await put('/_security/role/writer', logsRole('create_doc'))
    await put('/_security/role/maker', logsRole('create_doc', 'auto_configure', 'view_index_metadata'))
    for (const name of ['writer', 'maker', 'stranger']) {
      await put(`/_security/user/${name}`, { password: `${name}-password`, roles: name === 'stranger' ? [] : [name] })
    }
    for (const name of ['closed', 'blocked']) await put(`/${name}`, {})
    await server.request('POST', '/closed/_close')
    await put('/blocked/_settings', { 'index.blocks.write': true })
  })
  afterAll(() => server?.remove())

  test('everything there that is needed', async () => {
    const { code, said } = await asked('maker', 'maker-password')
    expect(said).toMatch(/ok http:\S+: Elasticsearch 9\.5\.3/)
    expect(said).toContain('ok user maker may write to logs-generic-default and make it')
    expect(said).toContain('ok logs-generic-default does not exist yet: the first document makes')
    expect(code).toBe(0)
    const all = await asked(root.name, root.password)
    expect(all.said).toContain('makes a data stream, from the template logs')
  })

  test('an API key is enough', async () => {
    const role = logsRole('create_doc', 'auto_configure')
    const key = await server.request('POST', '/_security/api_key', { name: 'k', role_descriptors: { role } })
    const env = { REMORA_ELASTICSEARCH_URL: server.url, REMORA_API_KEY: key.body.encoded }
    const { code, said, text } = await check(env, true)
    expect(said).toContain('ok the API key (of user tester) may write to logs-generic-default')
    expect(text).not.toContain(key.body.encoded)
    expect(code).toBe(0)
    const invalid = { ...env, REMORA_API_KEY: Buffer.from('nobody:nothing').toString('base64') }
    const wrong = await check(invalid, true)
    expect(wrong.said).toContain('error http://127.0.0.1:')
    expect(wrong.said).toContain('the API key in REMORA_API_KEY is not accepted (API key: unable to find apikey')
    expect(wrong.code).toBe(1)
  })

  test('a wrong password, and no credentials at all', async () => {
    const wrong = await asked('maker', 'not-the-password')
    expect(wrong.said).toContain('user maker and the password in REMORA_PASSWORD are not accepted')
    expect(wrong.text).not.toContain('not-the-password')
    expect(wrong.code).toBe(1)
    const none = await check({ REMORA_ELASTICSEARCH_URL: server.url }, true)
    expect(none.said).toContain('asks for credentials, and none are given')
    expect(none.code).toBe(1)
  })

  test('a missing privilege is named', async () => {
    const stranger = await asked('stranger', 'stranger-password')
    expect(stranger.said).toContain('error user stranger may not write to logs-generic-default: no create_doc')
    expect(stranger.said).toContain('"privileges":["create_doc","auto_configure"]')
    expect(stranger.code).toBe(1)
    const writer = await asked('writer', 'writer-password')
    expect(writer.said).toContain('warning user writer may write to logs-generic-default, but not make it')
    expect(writer.code).toBe(0)
  })

  test('a closed index and a blocked one', async () => {
    const closed = await asked(root.name, root.password, { REMORA_INDEX: 'closed' })
    expect(closed.said).toContain('error closed is a closed index')
    const blocked = await asked(root.name, root.password, { REMORA_INDEX: 'blocked' })
    expect(blocked.said).toContain('error blocked is blocked for writing: index.blocks.write')
    expect([closed.code, blocked.code]).toEqual([1, 1])
  })
})
