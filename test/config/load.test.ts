import { describe, expect, test } from 'vitest'
import { loadSettings } from '../../src/config/load.ts'
import { explainProblems } from '../../src/config/problem.ts'
import { rows } from '../../src/config/settings.ts'
import { certificate, complaints, load } from './kit.ts'

const entryOf = (loaded: ReturnType<typeof load>, name: string) => loaded.entries.find((entry) => entry.name === name)

describe('without any variable', () => {
  test('the defaults are in effect', () => {
    expect(load({}).settings).toEqual({
      paths: ['/var/log/app/**/*.log'],
      exclude: [],
      stateDir: '/var/lib/remora',
      elasticsearchUrls: [],
      apiKey: undefined,
      username: undefined,
      password: undefined,
      bearerToken: undefined,
      caFile: undefined,
      caFingerprint: undefined,
      clientCertFile: undefined,
      clientKeyFile: undefined,
      compression: 'none',
      compressionLevel: 1,
      proxies: new Map(),
      target: 'logs-generic-default',
      pipeline: undefined,
      routing: undefined,
      setup: 'never',
      retentionMs: undefined,
      podName: undefined,
      podNamespace: undefined,
      podUid: undefined,
      nodeName: undefined,
      serviceName: undefined,
      fields: new Map(),
      documentId: 'offset',
      batchBytes: undefined,
      batchLingerMs: 200,
      concurrency: undefined,
      memoryLimitBytes: undefined,
      startAt: 'beginning',
      shutdownGraceMs: 25_000,
      drainQuietMs: 0,
      requestTimeoutMs: 60_000,
      lineBytesMax: 65_536,
      scanIntervalMs: 10_000,
      deadLetterBytesMax: 16_777_216,
      volumeLimitBytes: undefined,
      volumePolicy: 'keep',
      logLevel: 'info',
      logFormat: 'auto',
      adminPort: 9600,
    })
  })
  test('every setting has an entry that says what holds', () => {
    const { entries, problems, notices } = load({})
    expect(entries.map(({ name }) => name)).toEqual(rows.map(([, { name }]) => name))
    expect(entries.filter(({ shown, origin }) => shown === '' || origin !== 'default')).toEqual([])
    expect([problems, notices]).toEqual([[], []])
  })
})

test('every variable reaches its setting', () => {
  const env = {
    REMORA_PATHS: '/logs/*.log,/logs/{a,b}/*',
    REMORA_EXCLUDE: '/**/*.gz',
    REMORA_STATE_DIR: '/state/',
    REMORA_ELASTICSEARCH_URL: 'https://a:9200/,https://b:9200',
    REMORA_USERNAME: 'user',
    REMORA_PASSWORD: 'pass word',
    REMORA_CA_FILE: '/ca.pem',
    REMORA_DATASET: 'nginx.access',
    REMORA_DATA_STREAM_NAMESPACE: 'prod',
    REMORA_PIPELINE: 'parse',
    REMORA_ROUTING: '{kubernetes.pod.name}',
    REMORA_SETUP: 'once',
    REMORA_RETENTION: '30d',
    REMORA_POD_NAME: 'web-0',
    REMORA_POD_NAMESPACE: 'shop',
    REMORA_POD_UID: 'c6b2b1f0-0000-4000-8000-000000000000',
    REMORA_NODE_NAME: 'node-1',
    REMORA_SERVICE_NAME: 'web shop',
    REMORA_FIELDS: 'labels.team=payments',
    REMORA_DOCUMENT_ID: 'none',
    REMORA_BATCH_BYTES: '1Mi',
    REMORA_BATCH_LINGER: '1s',
    REMORA_CONCURRENCY: '4',
    REMORA_MEMORY_LIMIT: '64Mi',
    REMORA_START_AT: 'end',
    REMORA_SHUTDOWN_GRACE: '20s',
    REMORA_DRAIN_QUIET: '2s',
    REMORA_REQUEST_TIMEOUT: '10s',
    REMORA_MAX_LINE_BYTES: '32Ki',
    REMORA_SCAN_INTERVAL: '5s',
    REMORA_DEAD_LETTER_BYTES: '1Mi',
    REMORA_VOLUME_LIMIT: '2Gi',
    REMORA_VOLUME_POLICY: 'drop-oldest',
    REMORA_LOG_LEVEL: 'debug',
    REMORA_LOG_FORMAT: 'pretty',
    REMORA_ADMIN_PORT: '0',
  }
  const loaded = load(env, { '/ca.pem': certificate })
  expect(complaints(loaded)).toEqual([])
  expect(loaded.settings).toEqual({
    paths: ['/logs/*.log', '/logs/{a,b}/*'],
    exclude: ['/**/*.gz'],
    stateDir: '/state',
    elasticsearchUrls: ['https://a:9200', 'https://b:9200'],
    apiKey: undefined,
    username: 'user',
    password: 'pass word',
    bearerToken: undefined,
    caFile: '/ca.pem',
    caFingerprint: undefined,
    clientCertFile: undefined,
    clientKeyFile: undefined,
    compression: 'none',
    compressionLevel: 1,
    proxies: new Map(),
    target: 'logs-nginx.access-prod',
    pipeline: 'parse',
    routing: 'web-0',
    setup: 'once',
    retentionMs: 2_592_000_000,
    podName: 'web-0',
    podNamespace: 'shop',
    podUid: 'c6b2b1f0-0000-4000-8000-000000000000',
    nodeName: 'node-1',
    serviceName: 'web shop',
    fields: new Map([['labels.team', 'payments']]),
    documentId: 'none',
    batchBytes: 1_048_576,
    batchLingerMs: 1000,
    concurrency: 4,
    memoryLimitBytes: 67_108_864,
    startAt: 'end',
    shutdownGraceMs: 20_000,
    drainQuietMs: 2000,
    requestTimeoutMs: 10_000,
    lineBytesMax: 32_768,
    scanIntervalMs: 5000,
    deadLetterBytesMax: 1_048_576,
    logLevel: 'debug',
    logFormat: 'pretty',
    volumeLimitBytes: 2 ** 31,
    volumePolicy: 'drop-oldest',
    adminPort: 0,
  })
  expect(entryOf(loaded, 'REMORA_PASSWORD')).toEqual({
    name: 'REMORA_PASSWORD',
    shown: '********',
    origin: 'environment',
  })
  expect(entryOf(loaded, 'REMORA_BATCH_BYTES')).toMatchObject({ shown: '1Mi', origin: 'environment' })
  const fresh = loaded.entries.filter(({ origin }) => origin === 'environment').map(({ name }) => name)
  expect(fresh).toEqual(Object.keys(env))
})

test('an index of one’s own is the target', () => {
  expect(load({ REMORA_INDEX: 'my-index' }).settings?.target).toBe('my-index')
  expect(load({ REMORA_API_KEY: 'a2V5' }).settings?.apiKey).toBe('a2V5')
})

describe('values', () => {
  test.each(['', ' ', '\n', undefined])('%j counts as not given', (value) => {
    const loaded = load({ REMORA_BATCH_LINGER: value, REMORA_BATCH_LINGER_FILE: value, REMORA_API_KEY: value })
    expect(loaded.settings?.batchLingerMs).toBe(200)
    expect(entryOf(loaded, 'REMORA_API_KEY')).toMatchObject({ shown: 'none', origin: 'default' })
  })
  test('lose surrounding spaces, except for secrets, which lose one line break', () => {
    const env = { REMORA_BATCH_LINGER: ' 1s\n', REMORA_USERNAME: ' u ', REMORA_PASSWORD: ' p \n' }
    expect(load(env).settings).toMatchObject({ batchLingerMs: 1000, username: 'u', password: ' p ' })
  })
  test.each([
    [{ REMORA_SERVICE_NAME: 'a\nb' }, 'REMORA_SERVICE_NAME: it has a line break'],
    [{ REMORA_SERVICE_NAME: 'a\u001b[31mb' }, 'REMORA_SERVICE_NAME: it has a line break or another control character'],
    [{ REMORA_API_KEY: 'abc\n\n' }, 'REMORA_API_KEY: it has a line break'],
    [{ REMORA_SERVICE_NAME: 'a\ufffdb' }, 'REMORA_SERVICE_NAME: it is not valid UTF-8'],
    [{ REMORA_SERVICE_NAME: 'a\ud800b' }, 'REMORA_SERVICE_NAME: it is not valid UTF-8'],
    [{ REMORA_FIELDS: 'a'.repeat(65_537) }, 'REMORA_FIELDS: the value is longer than 65536 bytes'],
    [{ REMORA_POD_UID: '$(POD_UID)' }, 'REMORA_POD_UID: "$(POD_UID)" was not replaced by a value'],
    [{ REMORA_PATHS: '/var/log/${APP}/*.log' }, 'REMORA_PATHS: "${APP}" was not replaced by a value'],
  ])('%j: %s', (env, complaint) => expect(complaints(load(env))).toEqual([expect.stringContaining(complaint)]))
  test('a password may look like a reference', () => {
    expect(load({ REMORA_USERNAME: 'u', REMORA_PASSWORD: 'a$(B)${C}' }).settings?.password).toBe('a$(B)${C}')
  })
})

describe('values from files', () => {
  test('any setting can come from one, without its final line break', () => {
    const loaded = load(
      {
        REMORA_USERNAME: 'u',
        REMORA_PASSWORD_FILE: '/run/p',
        REMORA_CA_FILE_FILE: '/run/ca',
        REMORA_LOG_LEVEL_FILE: '/run/l',
      },
      { '/run/p': ' secret \n', '/run/ca': '/ca.pem\r\n', '/run/l': 'warn', '/ca.pem': certificate },
    )
    expect(loaded.settings).toMatchObject({ password: ' secret ', caFile: '/ca.pem', logLevel: 'warn' })
    expect(entryOf(loaded, 'REMORA_PASSWORD')).toMatchObject({ shown: '********', origin: 'file /run/p' })
    expect(entryOf(loaded, 'REMORA_LOG_LEVEL')).toMatchObject({ shown: 'warn', origin: 'file /run/l' })
  })
  test('of every setting in the table', () => {
    for (const [, { name }] of rows) {
      const loaded = load({ [`${name}_FILE`]: '/none' })
      expect(loaded.problems[0]).toMatchObject({
        variable: `${name}_FILE`,
        message: 'file "/none": there is no such file',
      })
    }
  })
  test.each([
    [{ REMORA_PASSWORD: 'p', REMORA_PASSWORD_FILE: '/p' }, 'REMORA_PASSWORD: REMORA_PASSWORD_FILE is given as well'],
    [{ REMORA_PASSWORD_FILE: '/none' }, 'REMORA_PASSWORD_FILE: file "/none": there is no such file'],
    [{ REMORA_PASSWORD_FILE: '/empty' }, 'REMORA_PASSWORD_FILE: file "/empty" is empty'],
    [
      { REMORA_PASSWORD_FILE: '/lines' },
      'REMORA_PASSWORD_FILE: file "/lines": it has a line break or another control character in it',
    ],
    [{ REMORA_PASSWORD_FILE: '/large' }, 'REMORA_PASSWORD_FILE: file "/large": the value is longer than 65536 bytes'],
    [{ REMORA_PASSWORD_FILE: 'hunter22' }, 'REMORA_PASSWORD_FILE: it is not an absolute path to a file'],
    [{ REMORA_PASSWORD_FILE: '/long' }, 'REMORA_PASSWORD: it is longer than 1024 bytes'],
  ])('%j: %s', (env, complaint) => {
    const files = {
      '/p': 'p',
      '/empty': '\n',
      '/lines': 'a\nb',
      '/large': 'x'.repeat(65_537),
      '/long': 'x'.repeat(2000),
    }
    const loaded = load({ REMORA_USERNAME: 'u', ...env }, files)
    expect(complaints(loaded)).toEqual([complaint])
    expect(entryOf(loaded, 'REMORA_PASSWORD')?.shown).toBe('(not valid)')
  })
  test.each([
    ['EACCES', 'this process may not read it'],
    ['EISDIR', 'it is a directory'],
    ['EIO', 'it cannot be read (EIO)'],
    ['', 'it cannot be read (unknown error)'],
  ])('%s is told as: %s', (code, reason) => {
    const loaded = loadSettings({ REMORA_API_KEY_FILE: '/key' }, () => {
      throw Object.assign(new Error('boom'), { code })
    })
    expect(loaded.problems).toEqual([
      { variable: 'REMORA_API_KEY_FILE', message: `file "/key": ${reason}`, wayOut: expect.stringMatching(/./) },
    ])
  })
})

test('variables of a Service leave the default of a setting with the same name', () => {
  const loaded = load({
    REMORA_ADMIN_PORT: 'tcp://10.0.0.1:9600',
    REMORA_SERVICE_HOST: '10.0.0.1',
    REMORA_SERVICE_NAME: 'web',
  })
  expect(loaded.settings).toMatchObject({ adminPort: 9600, serviceName: 'web' })
  expect(entryOf(loaded, 'REMORA_ADMIN_PORT')).toMatchObject({ shown: '9600', origin: 'default' })
  expect(loaded.notices).toEqual([expect.stringContaining('REMORA_ADMIN_PORT, REMORA_SERVICE_HOST')])
})

test('all problems are told at once, each with its way out', () => {
  const loaded = load({
    REMORA_PATH: '/x',
    REMORA_VOLUME_POLICY: 'drop-all',
    REMORA_PATHS: 'logs/*.log',
    REMORA_BATCH_LINGER: '200',
    REMORA_INDEX: 'x',
    REMORA_DATASET: 'y',
  })
  const text = explainProblems(loaded.problems)
  expect(text).toMatch(/^Remora cannot start: 5 problems in its settings\.\n\n/)
  for (const { variable, message, wayOut } of loaded.problems) {
    expect(text).toContain(`\n${variable}\n  what is wrong: ${message}\n  way out:       ${wayOut}\n`)
  }
  const variables = loaded.problems.map(({ variable }) => variable)
  expect(variables).toEqual([
    'REMORA_PATH',
    'REMORA_PATHS',
    'REMORA_BATCH_LINGER',
    'REMORA_VOLUME_POLICY',
    'REMORA_INDEX',
  ])
  expect(explainProblems(loaded.problems.slice(0, 1))).toContain('1 problem in')
})
