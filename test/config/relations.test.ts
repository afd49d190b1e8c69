import { describe, expect, test } from 'vitest'
import { batchBytesFor, checkRelations } from '../../src/config/relations.ts'
import { settings } from '../../src/config/settings.ts'
import { certificates } from '../check/certificates.ts'
import { certificate, complaints, load } from './kit.ts'

const url = 'https://es:9200'
const es = { REMORA_ELASTICSEARCH_URL: url }
const plain = { REMORA_ELASTICSEARCH_URL: 'http://es:9200' }
const cloudId = `name:${Buffer.from('eu.aws.example$es-uuid$kibana-uuid').toString('base64')}`
const digest = 'ab'.repeat(32)
const { good, key, forgedKey, encryptedKey } = certificates
const files = {
  '/ca.pem': certificate,
  '/key.pem': 'something else',
  '/good.pem': good,
  '/chain.pem': `${good}${certificate}`,
  '/swapped.pem': `${certificate}${good}`,
  '/half.pem': `${certificate}${good.slice(0, 300)}`,
  '/broken.pem': '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  '/good.key': key,
  '/other.key': forgedKey,
  '/encrypted.key': encryptedKey,
  '/half.key': key.slice(0, 100),
}
const pair = (cert: string, ofKey: string) => ({ REMORA_CLIENT_CERT_FILE: cert, REMORA_CLIENT_KEY_FILE: ofKey })

describe('each rule passes what is right', () => {
  test.each([
    [{}],
    [{ REMORA_API_KEY: 'abcdef' }],
    [{ REMORA_USERNAME: 'u', REMORA_PASSWORD: 'p' }],
    [{ REMORA_CA_FILE: '/ca.pem' }],
    [{ REMORA_CA_FILE: '/ca.pem', ...es }],
    [{ REMORA_CA_FILE: '/ca.pem', REMORA_ELASTICSEARCH_URL: `http://es:9200,${url}` }],
    [{ REMORA_BEARER_TOKEN: 'abcdef' }],
    [{ REMORA_CLOUD_ID: cloudId, REMORA_CA_FILE: '/ca.pem' }],
    [{ REMORA_CLOUD_ID: cloudId, REMORA_CA_FINGERPRINT: digest, REMORA_API_KEY: 'abcdef' }],
    [{ REMORA_CA_FINGERPRINT: digest }],
    [{ REMORA_CA_FINGERPRINT: digest, ...es }],
    [{ REMORA_CLIENT_CERT_FILE: '/good.pem', REMORA_CLIENT_KEY_FILE: '/good.key', ...es }],
    [{ REMORA_CLIENT_CERT_FILE: '/chain.pem', REMORA_CLIENT_KEY_FILE: '/good.key' }],
    [{ REMORA_COMPRESSION: 'gzip' }],
    [{ REMORA_COMPRESSION: 'gzip', REMORA_COMPRESSION_LEVEL: '9' }],
    [{ REMORA_COMPRESSION: 'none' }],
    [{ REMORA_INDEX: 'x' }],
    [{ REMORA_DATASET: 'x', REMORA_DATA_STREAM_NAMESPACE: 'y' }],
    [{ REMORA_BATCH_BYTES: '480Ki' }],
    [{ REMORA_BATCH_BYTES: '128Ki', REMORA_MAX_LINE_BYTES: '1Ki' }],
    [{ REMORA_MAX_LINE_BYTES: '16Mi' }],
    [{ REMORA_BATCH_BYTES: '8Mi', REMORA_MEMORY_LIMIT: '64Mi' }],
    [{ REMORA_BATCH_LINGER: '999ms', REMORA_SHUTDOWN_GRACE: '1s' }],
    [{ REMORA_DRAIN_QUIET: '2s' }],
    [{ REMORA_DRAIN_QUIET: '2s', REMORA_SHUTDOWN_GRACE: '5001ms' }],
    [{ REMORA_DRAIN_QUIET: '0s', REMORA_SHUTDOWN_GRACE: '1s' }],
    [{ REMORA_STATE_DIR: '/var/log/state' }],
    [{ REMORA_PATHS: '/var/**/*.log', REMORA_EXCLUDE: '/var/lib/remora/**' }],
    [{ REMORA_SERVICE_NAME: 'web', REMORA_FIELDS: 'service.version=1' }],
    [{ REMORA_FIELDS: 'service.name=web' }],
    [{ REMORA_VOLUME_POLICY: 'keep' }],
    [{ REMORA_VOLUME_POLICY: 'drop-oldest', REMORA_VOLUME_LIMIT: '1Gi' }],
    [{ REMORA_VOLUME_LIMIT: '1Gi' }],
  ])('%j', (env) => expect(complaints(load(env, files))).toEqual([]))
})

describe('each rule refuses what is wrong, once, with a way out', () => {
  test.each([
    [{ REMORA_API_KEY: 'abcdef', REMORA_USERNAME: 'u' }, 'REMORA_API_KEY: user or password are given as well'],
    [{ REMORA_API_KEY: 'abcdef', REMORA_PASSWORD: 'p' }, 'REMORA_API_KEY: user or password are given as well'],
    [{ REMORA_VOLUME_POLICY: 'delete-shipped' }, 'REMORA_VOLUME_POLICY: delete-shipped needs to know how much'],
    [{ REMORA_USERNAME: 'u' }, 'REMORA_USERNAME: it is given without a password'],
    [{ REMORA_PASSWORD: 'p' }, 'REMORA_PASSWORD: it is given without a user'],
    [
      { REMORA_CA_FILE: '/ca.pem', REMORA_ELASTICSEARCH_URL: 'http://es:9200' },
      'REMORA_CA_FILE: no URL in REMORA_ELASTICSEARCH_URL is https',
    ],
    [
      { REMORA_API_KEY: 'abcdef', REMORA_BEARER_TOKEN: 'abcdef' },
      'REMORA_BEARER_TOKEN: REMORA_API_KEY is given as well',
    ],
    [
      { REMORA_USERNAME: 'u', REMORA_BEARER_TOKEN: 'abcdef' },
      'REMORA_BEARER_TOKEN: user or password are given as well',
    ],
    [{ REMORA_CLOUD_ID: cloudId, ...es }, 'REMORA_CLOUD_ID: REMORA_ELASTICSEARCH_URL is given as well'],
    [{ REMORA_CLOUD_ID: 'name:???' }, 'REMORA_CLOUD_ID: what follows its last colon is not base64'],
    [
      { REMORA_CA_FINGERPRINT: digest, ...plain },
      'REMORA_CA_FINGERPRINT: a URL in REMORA_ELASTICSEARCH_URL is not https',
    ],
    [
      { REMORA_CA_FINGERPRINT: digest, REMORA_ELASTICSEARCH_URL: `http://es:9200,${url}` },
      'REMORA_CA_FINGERPRINT: a URL in REMORA_ELASTICSEARCH_URL is not https',
    ],
    [
      { REMORA_CA_FINGERPRINT: digest, REMORA_CA_FILE: '/ca.pem', ...es },
      'REMORA_CA_FINGERPRINT: REMORA_CA_FILE is given',
    ],
    [{ REMORA_CA_FINGERPRINT: 'ab'.repeat(20), ...es }, 'REMORA_CA_FINGERPRINT: it is a SHA-1 fingerprint'],
    [{ REMORA_CLIENT_CERT_FILE: '/good.pem', ...es }, 'REMORA_CLIENT_CERT_FILE: it is given without its key'],
    [{ REMORA_CLIENT_KEY_FILE: '/good.key', ...es }, 'REMORA_CLIENT_KEY_FILE: it is given without its certificate'],
    [
      { ...pair('/good.pem', '/good.key'), ...plain },
      'REMORA_CLIENT_CERT_FILE: no URL in REMORA_ELASTICSEARCH_URL is https',
    ],
    [
      { ...pair('/good.pem', '/other.key'), ...es },
      'REMORA_CLIENT_KEY_FILE: file "/other.key": the key in it does not belong',
    ],
    [
      { ...pair('/swapped.pem', '/good.key'), ...es },
      'REMORA_CLIENT_KEY_FILE: file "/good.key": the key in it does not bel',
    ],
    [{ ...pair('/good.pem', '/half.key'), ...es }, 'REMORA_CLIENT_KEY_FILE: file "/half.key": there is no private key'],
    [
      { ...pair('/good.pem', '/encrypted.key'), ...es },
      'REMORA_CLIENT_KEY_FILE: file "/encrypted.key": the key in it is enc',
    ],
    [
      { ...pair('/half.pem', '/good.key'), ...es },
      'REMORA_CLIENT_CERT_FILE: file "/half.pem": it ends within a certificate',
    ],
    [{ REMORA_CA_FILE: '/half.pem', ...es }, 'REMORA_CA_FILE: file "/half.pem": it ends within a certificate'],
    [{ REMORA_CA_FILE: '/broken.pem', ...es }, 'REMORA_CA_FILE: file "/broken.pem": no certificate in it can be read'],
    [{ REMORA_COMPRESSION_LEVEL: '3' }, 'REMORA_COMPRESSION_LEVEL: nothing is compressed'],
    [{ REMORA_INDEX: 'x', REMORA_DATASET: 'y' }, 'REMORA_INDEX: REMORA_DATASET is given as well'],
    [{ REMORA_INDEX: 'x', REMORA_DATA_STREAM_NAMESPACE: 'y' }, 'REMORA_INDEX: REMORA_DATA_STREAM_NAMESPACE is given'],
    [
      { REMORA_BATCH_BYTES: '479Ki' },
      'REMORA_BATCH_BYTES: 479Ki does not hold one line of REMORA_MAX_LINE_BYTES (64Ki)',
    ],
    [{ REMORA_BATCH_BYTES: '64Mi', REMORA_MAX_LINE_BYTES: '16Mi' }, 'REMORA_BATCH_BYTES: 64Mi does not hold one line'],
    [{ REMORA_BATCH_BYTES: '16Mi', REMORA_MEMORY_LIMIT: '16Mi' }, 'REMORA_BATCH_BYTES: one batch of 16Mi is all of'],
    [{ REMORA_BATCH_LINGER: '25s' }, 'REMORA_BATCH_LINGER: 25s is not less than REMORA_SHUTDOWN_GRACE (25s)'],
    [
      { REMORA_DRAIN_QUIET: '2s', REMORA_SHUTDOWN_GRACE: '5s' },
      'REMORA_DRAIN_QUIET: 2s, and 3s to ship the rest, are not less than REMORA_SHUTDOWN_GRACE (5s)',
    ],
    [{ REMORA_STATE_DIR: '/var/log/app/state' }, 'REMORA_PATHS: /var/log/app/**/*.log reaches into REMORA_STATE_DIR'],
    [
      { REMORA_PATHS: '/srv/*.log,/var/**/*.log', REMORA_EXCLUDE: '/var/lib/remora/*' },
      'REMORA_PATHS: /var/**/*.log reaches into REMORA_STATE_DIR (/var/lib/remora)',
    ],
    [{ REMORA_SERVICE_NAME: 'web', REMORA_FIELDS: 'service.name=x' }, 'REMORA_FIELDS: service.name collides'],
    [{ REMORA_SERVICE_NAME: 'web', REMORA_FIELDS: 'service=x' }, 'REMORA_FIELDS: service collides with service.name'],
    [{ REMORA_SERVICE_NAME: 'web', REMORA_FIELDS: 'service.name.x=x' }, 'REMORA_FIELDS: service.name.x collides'],
    [{ REMORA_CA_FILE: '/none.pem', ...es }, 'REMORA_CA_FILE: file "/none.pem": there is no such file'],
    [{ REMORA_CA_FILE: '/key.pem', ...es }, 'REMORA_CA_FILE: file "/key.pem": there is no PEM certificate in it'],
  ])('%j: %s', (env, complaint) => {
    const loaded = load(env, files)
    expect(complaints(loaded)).toEqual([expect.stringContaining(complaint)])
    expect(loaded.problems[0]?.wayOut).toMatch(/^\w/)
    expect(loaded.settings).toBeUndefined()
  })

  test('the way out of a batch that is too small really is one', () => {
    const [problem] = load({ REMORA_BATCH_BYTES: '200Ki' }).problems
    const [, batch = '', line = ''] = /to (\S+) or more, .* to (\S+)$/.exec(problem?.wayOut ?? '') ?? []
    expect(complaints(load({ REMORA_BATCH_BYTES: batch }))).toEqual([])
    expect(complaints(load({ REMORA_BATCH_BYTES: '200Ki', REMORA_MAX_LINE_BYTES: line }))).toEqual([])
  })

  test('a setting that could not be read is not complained of twice', () => {
    const env = {
      REMORA_BATCH_BYTES: '1MB',
      REMORA_ELASTICSEARCH_URL: 'es',
      REMORA_CA_FILE: '/ca.pem',
      REMORA_USERNAME: 'u',
    }
    const loaded = load({ ...env, REMORA_PASSWORD_FILE: '/none' }, { '/ca.pem': certificate })
    const variables = loaded.problems.map(({ variable }) => variable)
    expect(variables).toEqual(['REMORA_ELASTICSEARCH_URL', 'REMORA_PASSWORD_FILE', 'REMORA_BATCH_BYTES'])
  })

  test('nothing known, nothing wrong', () => {
    expect(checkRelations({ values: {}, given: new Set() })).toEqual({ problems: [], notices: [] })
  })
})

describe('notices', () => {
  const user = { REMORA_USERNAME: 'u', REMORA_PASSWORD: 'p' }
  test.each([
    [
      { ...user, REMORA_ELASTICSEARCH_URL: 'http://es:9200' },
      'credentials go unencrypted over the network to http://es:9200',
    ],
    [{ REMORA_API_KEY: 'k', REMORA_ELASTICSEARCH_URL: `${url},http://10.0.0.1` }, 'network to http://10.0.0.1 '],
    [{ REMORA_REQUEST_TIMEOUT: '2m' }, 'a request may take 2m (REMORA_REQUEST_TIMEOUT), a shutdown only 25s'],
  ])('%j: %s', (env, notice) => {
    const loaded = load(env)
    expect(loaded.notices).toEqual([expect.stringContaining(notice)])
    expect(loaded.settings).toBeDefined()
  })

  test.each([
    [{}],
    [{ REMORA_ELASTICSEARCH_URL: 'http://es:9200' }],
    [{ ...user, ...es }],
    [{ ...user, REMORA_ELASTICSEARCH_URL: 'http://localhost:9200,http://[::1]:9200' }],
    [{ REMORA_REQUEST_TIMEOUT: '25s' }],
    [{ REMORA_SHUTDOWN_GRACE: '5s' }],
  ])('none for %j', (env) => expect(load(env).notices).toEqual([]))
})

describe('the bounds of the table agree with each other', () => {
  test('no batch is more than Elasticsearch accepts by default (http.max_content_length: 100mb)', () => {
    expect(settings.batchBytes.kind.parse('64Mi').ok).toBe(true)
    expect(settings.batchBytes.kind.parse('67108865').ok).toBe(false)
    expect(batchBytesFor(16 * 2 ** 20)).toBeLessThan(100 * 2 ** 20)
  })
  test('the smallest batch holds the shortest allowed longest line', () => {
    expect(batchBytesFor(1024)).toBeLessThanOrEqual(128 * 1024)
  })
})
