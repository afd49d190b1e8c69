/**
 * Which proxy of the environment a URL goes through: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in lower case too, which wins,
 * as with curl and most others. Pure. ALL_PROXY and SOCKS are not looked at.
 */
import { BlockList, isIP } from 'node:net'
import type { Problem } from './problem.ts'
import { isLoopback } from './urls.ts'

export interface Proxy {
  /** With its credentials: a secret. */
  readonly url: string
  /** Without them, for a person. */
  readonly shown: string
  /** The variable that it comes from. */
  readonly variable: string
}

type Env = Readonly<Record<string, string | undefined>>

/** @returns the proxies by URL; and what is wrong with a proxy that would be used */
export function proxiesFor(
  urls: readonly string[],
  env: Env,
): { proxies: ReadonlyMap<string, Proxy>; problems: Problem[] } {
  const proxies = new Map<string, Proxy>()
  const problems = new Map<string, Problem>()
  const [noProxy] = given(env, 'no_proxy')
  for (const url of urls) {
    const [text, variable] = given(env, url.startsWith('https:') ? 'https_proxy' : 'http_proxy')
    if (text === '' || isExempt(url, noProxy)) continue
    const proxy = read(text)
    if (typeof proxy !== 'string') proxies.set(url, { ...proxy, variable })
    else {
      const wayOut = 'write for example http://proxy.example:3128, or remove it, or name the host in NO_PROXY'
      problems.set(variable, { variable, message: proxy, wayOut })
    }
  }
  return { proxies, problems: [...problems.values()] }
}

/** What a proxy's variables hold that must not be shown: its user and password, as they stand there and decoded. */
export function proxySecrets(env: Env): readonly string[] {
  return ['https_proxy', 'http_proxy'].flatMap((name) =>
    [env[name], env[name.toUpperCase()]].flatMap((text = '') => {
      const [, credentials] = /^(?:[a-z]+:\/\/)?(.+)@/is.exec(text.trim()) ?? []
      if (credentials === undefined) return []
      const password = credentials.slice(credentials.indexOf(':') + 1)
      return [credentials, password, decoded(credentials) ?? '', decoded(password) ?? ''].filter((each) => each !== '')
    }),
  )
}

function given(env: Env, name: string): readonly [text: string, variable: string] {
  const upper = name.toUpperCase()
  const lower = (env[name] ?? '').trim()
  return lower === '' ? [(env[upper] ?? '').trim(), upper] : [lower, name]
}

/** @returns why it is none, without its text: that may have a password anywhere in it */
function read(text: string): Omit<Proxy, 'variable'> | string {
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null || url.hostname === '') return 'it is not the URL of a proxy'
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'it is neither an http nor an https proxy'
  if (!/^\/?$/.test(url.pathname) || /[?#]/.test(text)) {
    return 'it has a path, a ? or a # in it (in a user or password they are written %2F, %3F, %23)'
  }
  if (decoded(url.username) === undefined || decoded(url.password) === undefined) {
    return 'its user or password has a % that begins no escape'
  }
  return { url: url.href, shown: url.origin }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Loopback always: no proxy leads there. `.svc` and `*.svc` stand for names below, `svc` for itself and names below; with a port for that port only; CIDR for addresses. */
function isExempt(url: string, noProxy: string): boolean {
  if (isLoopback(url)) return true
  const { hostname, protocol, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const usedPort = port === '' ? (protocol === 'https:' ? '443' : '80') : port
  return noProxy.split(/[\s,]+/).some((entry) => entry !== '' && matches(entry.toLowerCase(), host, usedPort))
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return isWithin(entry, host)
  const [, name = entry, ofPort] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? []
  if (ofPort !== undefined && ofPort !== port) return false
  if (isIP(host) !== 0) return name === host
  const domain = name.replace(/^\*?\./, '')
  return host === name || host.endsWith(`.${domain}`)
}

function isWithin(entry: string, host: string): boolean {
  const [network = '', bits = ''] = entry.split('/')
  const version = isIP(network)
  if (version === 0 || isIP(host) !== version || !/^\d{1,3}$/.test(bits)) return false
  if (Number(bits) > (version === 4 ? 32 : 128)) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(network, Number(bits), family)
  return list.check(host, family)
}
