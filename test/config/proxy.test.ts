import { describe, expect, test } from 'vitest'
import { proxiesFor } from '../../src/config/proxy.ts'
import { load, texts } from './kit.ts'

const url = 'https://es.logging.svc:9200'
const viaOf = (of: string, env: Record<string, string>) => proxiesFor([of], env).proxies.get(of)?.url

describe('which variable', () => {
  test.each([
    ['https://es', { HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128/'],
    ['https://es', { https_proxy: 'http://p:3128' }, 'http://p:3128/'],
    ['https://es', { HTTPS_PROXY: 'http://upper', https_proxy: 'http://lower' }, 'http://lower/'],
    ['https://es', { HTTP_PROXY: 'http://p' }, undefined],
    ['http://es', { HTTP_PROXY: 'http://p' }, 'http://p/'],
    ['http://es', { HTTPS_PROXY: 'http://p' }, undefined],
    ['https://es', { HTTPS_PROXY: 'https://p' }, 'https://p/'],
    ['https://es', { HTTPS_PROXY: 'p:3128' }, 'http://p:3128/'],
    ['https://es', { HTTPS_PROXY: 'http://u:p%40w@p:3128' }, 'http://u:p%40w@p:3128/'],
    ['https://es', { HTTPS_PROXY: '  ' }, undefined],
    ['https://es', { ALL_PROXY: 'http://p' }, undefined],
    ['https://es', {}, undefined],
  ] as [string, Record<string, string>, string | undefined][])('%s with %j', (of, env, via) =>
    expect(viaOf(of, env)).toBe(via),
  )
})

describe('NO_PROXY', () => {
  const tables: readonly [string, string, boolean][] = [
    ['*', url, true],
    ['es.logging.svc', url, true],
    ['logging.svc', url, true],
    ['.svc', url, true],
    ['*.svc', url, true],
    ['svc', url, true],
    ['.svc:9200', url, true],
    ['.svc:9201', url, false],
    ['vc', url, false],
    ['.es.logging.svc', url, false],
    ['ES.LOGGING.SVC', url, true],
    ['a, .svc', url, true],
    ['a .svc', url, true],
    ['localhost,127.0.0.1', url, false],
    ['10.0.0.1', 'https://10.0.0.1:9200', true],
    ['10.0.0.1:9200', 'https://10.0.0.1:9200', true],
    ['10.0.0.1:9201', 'https://10.0.0.1:9200', false],
    // Loopback, whatever it says.
    ['', 'https://127.0.0.1:9200', true],
    ['', 'http://localhost', true],
    ['', 'https://[::1]', true],
    ['10.0.0.0/8', 'https://10.1.2.3:9200', true],
    ['10.0.0.0/8', 'https://11.1.2.3:9200', false],
    ['10.0.0.0/99', 'https://10.1.2.3:9200', false],
    ['nonsense/8', 'https://10.1.2.3:9200', false],
    ['.3', 'https://10.1.2.3:9200', false],
    ['fd00::/8', 'https://[fd00::1]:9200', true],
    ['fd00::1', 'https://[fd00::1]:9200', true],
    ['[fd00::1]:9200', 'https://[fd00::1]:9200', true],
    ['[fd00::1]:9201', 'https://[fd00::1]:9200', false],
    ['es:443', 'https://es', true],
    ['es:80', 'http://es', true],
    ['', url, false],
  ]
  test.each(tables)('%j for %s: %s', (noProxy, of, exempt) => {
    const env = { HTTPS_PROXY: 'http://p', HTTP_PROXY: 'http://p' }
    expect(viaOf(of, { ...env, NO_PROXY: noProxy }) === undefined).toBe(exempt)
    expect(viaOf(of, { ...env, NO_PROXY: 'x', no_proxy: noProxy }) === undefined).toBe(
      exempt || noProxy === '' ? exempt : false,
    )
  })
})

describe('in the settings', () => {
  const es = { REMORA_ELASTICSEARCH_URL: url }

  test('it is said that there is one, without its credentials', () => {
    const loaded = load({ ...es, HTTPS_PROXY: 'http://user:s3cr3t-word@proxy:3128' })
    expect(loaded.notices).toEqual([`${url} is reached through the proxy http://proxy:3128 (HTTPS_PROXY)`])
    for (const text of texts(loaded)) expect(text).not.toContain('s3cr3t')
    expect(loaded.settings?.proxies.get(url)?.url).toBe('http://user:s3cr3t-word@proxy:3128/')
  })

  test.each([
    'socks5://user:s3cr3t-word@proxy',
    'http://user:s3cr3t-word@',
    'http://user:s3cr3t%zz-word@proxy',
    'http://user:s3cr3t-word@proxy:port',
    'http://svc:1234/s3cr3t-word@proxy:3128',
    'http://user:pa@ss/s3cr3t-word@proxy:3128',
    'http://user:s3cr3t-word?x@proxy',
  ])('one that is none is refused by name, without its text: %s', (proxy) => {
    const loaded = load({ ...es, https_proxy: proxy })
    expect(loaded.problems).toMatchObject([{ variable: 'https_proxy' }])
    for (const text of texts(loaded)) expect(text).not.toContain('s3cr3t')
  })

  test('one that is not used is nobody’s concern', () => {
    expect(load({ ...es, https_proxy: 'socks5://proxy', NO_PROXY: '.svc' }).problems).toEqual([])
    expect(load({ https_proxy: 'socks5://proxy' }).problems).toEqual([])
  })

  test('a password of it in another setting is not shown', () => {
    const loaded = load({ ...es, HTTPS_PROXY: 'http://user:s3cr3t-word@proxy', REMORA_SERVICE_NAME: 's3cr3t-word' })
    for (const text of texts(loaded)) expect(text).not.toContain('s3cr3t')
  })
})
