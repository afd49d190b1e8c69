import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Secrets } from '../../src/config/secrets.ts'
import { rows } from '../../src/config/settings.ts'
import { load, texts } from './kit.ts'

/** Where a secret may end up by design or by mistake; `s` is its text. */
const places: readonly ((s: string) => [env: Record<string, string>, files?: Record<string, string>])[] = [
  (s) => [{ REMORA_API_KEY: s }],
  (s) => [{ REMORA_API_KEY: `${s}\n${s}` }],
  (s) => [{ REMORA_API_KEY: `id:${s}` }],
  (s) => [{ REMORA_API_KEY: s.repeat(300) }],
  (s) => [{ REMORA_PASSWORD: s }],
  (s) => [{ REMORA_USERNAME: 'user', REMORA_PASSWORD: s }],
  (s) => [{ REMORA_USERNAME: `user:${s}`, REMORA_PASSWORD: s }],
  (s) => [{ REMORA_USERNAME: s, REMORA_PASSWORD: s, REMORA_SERVICE_NAME: `a${s}`, REMORA_FIELDS: `a=${s},b=` }],
  (s) => [{ REMORA_PASSWORD: s, REMORA_PASSWORD_FILE: '/secret' }, { '/secret': s }],
  (s) => [{ REMORA_PASSWORD_FILE: '/secret' }, { '/secret': s }],
  (s) => [{ REMORA_PASSWORD_FILE: '/secret' }, { '/secret': `${s}\n\n${s}` }],
  (s) => [{ REMORA_API_KEY_FILE: s.replace(/^\//, '') }],
  (s) => [{ REMORA_ELASTICSEARCH_URL: `http://user:${s}@host:9200` }],
  (s) => [{ REMORA_ELASTICSEARCH_URL: `http://${s}@host:9200` }],
  (s) => [{ REMORA_ELASTICSEARCH_URL: `user:${s}@host:9200` }],
  (s) => [{ REMORA_ELASTICSEARCH_URL: `https://host:9200,https://user:${s}@host:9200` }],
  (s) => [{ REMORA_ELASTICSEARCH_URL: `https://host?api_key=${s}` }],
  (s) => [{ REMORA_ELASTICSEARCH_URL: `https://host:x${s}` }],
  (s) => [{ REMORA_ELASTICSEARCH_URL: `https://user:${s}@host`, REMORA_PATHS: `/var/${s}/*`, REMORA_STATE_DIR: s }],
  (s) => [{ REMORA_PASWORD: s, REMORA_BEARER_TOKEN: s, REMORA_API_KEYFILE: s, remora_password: s }],
  (s) => [{ REMORA_PORT: `tcp://${s}:9600`, REMORA_SERVICE_HOST: s }],
  (s) => [{ REMORA_PASSWORD: s, ...Object.fromEntries(rows.map(([, { name }]) => [name, s])) }],
  (s) => [{ ...Object.fromEntries(rows.map(([, { name }]) => [name, `/a/${s},${s}`])), REMORA_PASSWORD: s }],
  (s) => [{ REMORA_PASSWORD: s, REMORA_CA_FILE: `/${s}`, REMORA_LOG_LEVEL_FILE: `/${s}` }],
]

describe('a secret appears in no problem, notice or entry', () => {
  // Long enough and random enough to be in no word of the program's own.
  const plain = fc.stringMatching(/^[A-Za-z0-9_-]{12,40}$/)
  const wild = fc.string({ unit: 'grapheme-ascii', minLength: 12, maxLength: 40 }).filter((s) => s.trim() === s)
  test.each(places.map((place, index) => [index, place] as const))('place %i', (_, place) => {
    fc.assert(
      fc.property(fc.oneof(plain, wild), (secret) => {
        const [env, files] = place(secret)
        for (const text of texts(load(env, files))) expect(text).not.toContain(secret)
      }),
      { numRuns: 50 },
    )
  })
  test('in all places at once', () => {
    fc.assert(
      fc.property(plain, fc.subarray([...places], { minLength: 2 }), (secret, chosen) => {
        const env = Object.fromEntries(chosen.flatMap((place) => Object.entries(place(secret)[0])))
        for (const text of texts(load(env, { '/secret': secret }))) expect(text).not.toContain(secret)
      }),
    )
  })
})

describe('hiding', () => {
  test('hides the longest first, in every form that a message has it', () => {
    const secrets = new Secrets()
    secrets.add('hunter2')
    secrets.add('hunter2-and-more')
    secrets.add('quo"ted\\secret')
    expect(secrets.hide('hunter2-and-more, hunter2')).toBe('********, ********')
    expect(secrets.hide(JSON.stringify('quo"ted\\secret'))).toBe('"********"')
    expect(secrets.isIn('xhunter2x')).toBe(true)
    expect(secrets.isIn('hunter')).toBe(false)
  })
  test('leaves short ones to the messages themselves', () => {
    const secrets = new Secrets()
    secrets.add('a')
    secrets.add('')
    expect(secrets.hide('a cat')).toBe('a cat')
  })
})
