import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cloudId } from '../../src/config/cloud-id.ts'
import { load } from './kit.ts'

const of = (text: string, name = 'my-deployment') => `${name}:${Buffer.from(text).toString('base64')}`

test.each([
  [of('eu-central-1.aws.cloud.es.io$abc$def'), 'https://abc.eu-central-1.aws.cloud.es.io'],
  [of('cloud.example:9243$abc$def'), 'https://abc.cloud.example:9243'],
  [of('cloud.example:9243$abc:9244$def'), 'https://abc.cloud.example:9244'],
  [of('cloud.example:443$abc'), 'https://abc.cloud.example'],
  [of('cloud.example$abc$'), 'https://abc.cloud.example'],
  [of('cloud.example$abc$def', 'a:b'), 'https://abc.cloud.example'],
  [of('cloud.example$abc$def').split(':')[1]!, 'https://abc.cloud.example'],
])('%s', (text, url) => expect(cloudId.parse(text)).toEqual({ ok: true, value: url }))

test.each([
  ['name:', /not base64/],
  ['name:a b', /not base64/],
  [of('cloud.example'), /no address/],
  [of('cloud.example$$def'), /no address/],
  [of('$abc$def'), /no address/],
  [of('user@evil.example$abc'), /no address/],
  [of('cloud.example/path$abc'), /no address/],
  [of('cloud.example:99999$abc'), /port/],
  [of('cloud.example:9x$abc'), /port/],
  ['x'.repeat(1025), /longer/],
])('%s is refused', (text, message) => {
  const parsed = cloudId.parse(text)
  expect(parsed.ok ? '' : parsed.message).toMatch(message)
})

test('whatever is in it: an https URL without credentials and path, or a refusal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const parsed = cloudId.parse(of(text))
      if (!parsed.ok) return
      const url = new URL(parsed.value)
      expect([url.protocol, url.username, url.pathname, url.search]).toEqual(['https:', '', '/', ''])
    }),
  )
})

test('becomes the address', () => {
  const { settings, entries } = load({ REMORA_CLOUD_ID: of('cloud.example$abc$def') })
  expect(settings?.elasticsearchUrls).toEqual(['https://abc.cloud.example'])
  expect(entries.find(({ name }) => name === 'REMORA_CLOUD_ID')?.shown).toBe('https://abc.cloud.example')
})
