import { describe, expect, test } from 'vitest'
import * as kinds from '../../src/config/kinds.ts'
import { dataStreamPart, indexName } from '../../src/config/target.ts'
import { isLoopback, urls } from '../../src/config/urls.ts'

const refused = (message: string) => ({
  ok: false,
  message: expect.stringContaining(message),
  wayOut: expect.stringMatching(/./),
})

describe('bounds', () => {
  test.each([
    [kinds.bytes(1024, 4096), '1Ki', 1024],
    [kinds.bytes(1024, 4096), '4Ki', 4096],
    [kinds.duration(100, 1000), '100ms', 100],
    [kinds.duration(100, 1000), '1s', 1000],
    [kinds.integer(0, 65535), '0', 0],
    [kinds.integer(0, 65535), '65535', 65535],
  ])('%# both bounds are allowed: %s', (kind, text, value) => expect(kind.parse(text)).toEqual({ ok: true, value }))

  test.each([
    [kinds.bytes(1024, 4096), '1023', 'less than the least allowed, 1Ki'],
    [kinds.bytes(1024, 4096), '4097', 'more than the most allowed, 4Ki'],
    [kinds.duration(100, 1000), '99ms', 'less than the least allowed, 100ms'],
    [kinds.duration(100, 1000), '1001ms', 'more than the most allowed, 1s'],
    [kinds.integer(1, 64), '0', 'less than the least allowed, 1'],
    [kinds.integer(1, 64), '65', 'more than the most allowed, 64'],
    [kinds.integer(1, 64), '1.5', 'not a whole number'],
    [kinds.integer(1, 64), '-1', 'not a whole number'],
    [kinds.integer(1, 64), '1e1', 'not a whole number'],
    [kinds.integer(1, 64), '9'.repeat(30), 'not a whole number'],
  ])('%# beyond them is refused: %s', (kind, text, message) => expect(kind.parse(text)).toEqual(refused(message)))

  test('are told in the way that they are written', () => {
    expect(kinds.bytes(1024, 4096).bounds).toBe('1Ki to 4Ki')
    expect(kinds.duration(0, 60_000).bounds).toBe('0ms to 1m')
  })
})

describe('choices', () => {
  const level = kinds.choice('info', 'warn')
  test('are accepted in any case', () => expect(level.parse('WARN')).toEqual({ ok: true, value: 'warn' }))
  test('are listed when none fits', () => {
    expect(level.parse('warning')).toMatchObject({ ok: false, wayOut: 'write one of info, warn' })
  })
})

test('free text is bounded in bytes', () => {
  expect(kinds.freeText(4).parse('ää')).toEqual({ ok: true, value: 'ää' })
  expect(kinds.freeText(4).parse('äää')).toEqual(refused('6 bytes long'))
})

describe('names from the Downward API', () => {
  const name = kinds.kubernetesName(63, 'metadata.name')
  test.each(['web-0', 'web-7f9c.example', 'A_b'])('%s passes', (text) => expect(name.parse(text).ok).toBe(true))
  test.each(['-a', 'a b', 'a/b', 'ä', '$(NAME)'])('%s does not', (text) => {
    expect(name.parse(text)).toEqual({ ...refused(''), wayOut: expect.stringContaining('metadata.name') })
  })
  test('a long one does not', () => expect(name.parse('a'.repeat(64))).toEqual(refused('64 bytes long')))
})

describe('paths', () => {
  test.each([
    ['/var/lib/remora', '/var/lib/remora'],
    ['/var//lib/./remora/', '/var/lib/remora'],
    ['/a..b', '/a..b'],
  ])('%s is %s', (text, path) => expect(kinds.absolutePath.parse(text)).toEqual({ ok: true, value: path }))
  test.each([
    ['state', 'not an absolute path'],
    ['./state', 'not an absolute path'],
    ['/var/../etc', 'has a .. in it'],
    ['/', 'the root'],
    ['//', 'the root'],
    [`/${'a'.repeat(4000)}`, 'bytes long'],
  ])('%s: %s', (text, message) => expect(kinds.absolutePath.parse(text)).toEqual(refused(message)))
})

describe('credentials', () => {
  test.each([
    [kinds.apiKey, 'VnVhQ2ZHY0JDZGJrU=='],
    [kinds.username, 'elastic'],
    [kinds.password, ' päss: word '],
  ])('%# %s passes', (kind, text) => expect(kind.parse(text)).toEqual({ ok: true, value: text }))
  test.each([
    [kinds.apiKey, 'VuaCfGcBCdbkQm:ui2lp2axTN', 'id:key'],
    [kinds.apiKey, 'two words', 'holds spaces'],
    [kinds.apiKey, 'schlüssel', 'holds spaces or characters'],
    [kinds.apiKey, 'k'.repeat(4097), 'longer than any API key'],
    [kinds.username, 'user:name', 'has a colon'],
    [kinds.username, 'u'.repeat(1025), 'longer than any user name'],
    [kinds.password, 'p'.repeat(1025), 'longer than 1024 bytes'],
  ])('%# %s is refused and not repeated', (kind, text, message) => {
    const parsed = kind.parse(text)
    expect(parsed).toEqual(refused(message))
    expect(JSON.stringify(parsed)).not.toContain(text)
  })
  test('are shown as nothing but a mask', () => {
    expect(kinds.apiKey.show('secret')).toBe('********')
    expect(kinds.password.show('secret')).toBe('********')
  })
})

describe('URLs', () => {
  test.each([
    ['http://localhost:9200', ['http://localhost:9200']],
    ['https://es:9200/', ['https://es:9200']],
    ['https://proxy/elastic/', ['https://proxy/elastic']],
    ['https://a:9200, https://b:9200', ['https://a:9200', 'https://b:9200']],
    ['https://a,https://A:443/', ['https://a']],
    ['http://[::1]:9200', ['http://[::1]:9200']],
  ])('%s is %j', (text, value) => expect(urls.parse(text)).toEqual({ ok: true, value }))

  test.each([
    ['http://user:pass@es:9200', 'credentials'],
    ['http://user@es:9200', 'credentials'],
    ['http://user:1,pass@es', 'credentials'],
    ['http://user:12/pass@es', 'credentials'],
    ['http://user:p?ss#pass@es', 'credentials'],
    ['es:9200', 'does not begin with http'],
    ['localhost', 'does not begin with http'],
    ['ftp://es', 'does not begin with http'],
    ['http:es', 'does not begin with http'],
    ['http:///es', 'does not begin with http'],
    ['http://es:99999', 'is not a URL'],
    ['http://es:pass', 'is not a URL'],
    ['http://e s', 'is not a URL'],
    ['https://es?api_key=pass', 'has a ? or #'],
    ['https://es#pass', 'has a ? or #'],
    ['https://a,', 'entry 2 is empty'],
    ['https://a,b', 'entry 2 does not begin'],
    [`https://${'a'.repeat(2000)}`, 'longer than'],
    [Array.from({ length: 17 }, (_, index) => `http://h${index}`).join(','), '17 URLs'],
  ])('%s: %s', (text, message) => {
    const parsed = urls.parse(text)
    expect(parsed).toEqual(refused(message))
    expect(JSON.stringify(parsed)).not.toMatch(/pass@|user:|[=#]pass/)
  })

  test.each([
    ['http://localhost:9200', true],
    ['http://es.localhost', true],
    ['http://127.0.0.1:9200', true],
    ['http://127.1:9200', true],
    ['http://[::1]:9200', true],
    ['http://10.0.0.1:9200', false],
    ['http://localhost.example.com', false],
    ['http://127.0.0.1.example.com', false],
  ])('%s is loopback: %s', (url, loopback) => expect(isLoopback(url)).toBe(loopback))
})

describe('names in Elasticsearch', () => {
  test.each(['logs', 'logs-app-2026', '.hidden', 'a'.repeat(255), 'größe'])('%s is an index', (name) => {
    expect(indexName.parse(name)).toEqual({ ok: true, value: name })
  })
  test.each(String.raw`\/*?"<>| ,#:{}`.split('').map((character) => [character]))('%s is in no index', (character) => {
    expect(indexName.parse(`a${character}b`).ok).toBe(false)
  })
  test.each([
    ['Logs', 'capital letters'],
    ['-logs', 'begins with'],
    ['_bulk', 'begins with'],
    ['+logs', 'begins with'],
    ['.', 'is not a name'],
    ['..', 'is not a name'],
    ['a'.repeat(256), '256 bytes long'],
    [`ä${'a'.repeat(254)}`, '256 bytes long'],
    ['logs-{service.name', 'has a { without its }'],
    ['logs-{+dd}', 'no year'],
  ])('%s is no index: %s', (name, message) => expect(indexName.parse(name)).toEqual(refused(message)))

  test.each(['generic', 'nginx.access', 'a_b', '7', 'a'.repeat(100)])('%s is a part of a data stream', (part) => {
    expect(dataStreamPart.parse(part)).toEqual({ ok: true, value: part })
  })
  test.each(String.raw`-\/*?"<>| ,#:`.split('').map((character) => [character]))('%s is in no part', (character) => {
    expect(dataStreamPart.parse(`a${character}b`)).toEqual(refused('in it'))
  })
  test.each([
    ['Prod', 'capital letters'],
    ['a'.repeat(101), '101 bytes long'],
    ['a\u2003b', 'in it'],
  ])('%s is no part: %s', (part, message) => expect(dataStreamPart.parse(part)).toEqual(refused(message)))
})
