/** What a connection to Elasticsearch is made of, shared by the agent and by `remora check`. */
import type { Settings } from '../config/types.ts'
import { settings as table } from '../config/settings.ts'

export interface Credentials {
  readonly apiKey?: string | undefined
  readonly bearerToken?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
}

/** PEM texts. */
export interface TlsMaterial {
  /** Undefined: the public authorities, or the one with the fingerprint. */
  readonly ca?: string | undefined
  /** SHA-256, 64 hexadecimal digits in lower case: only this authority, whoever else is known. */
  readonly caFingerprint?: string | undefined
  readonly clientCert?: string | undefined
  readonly clientKey?: string | undefined
}

export interface Access extends Credentials, TlsMaterial {
  /** URL of a proxy, with its credentials, by URL of Elasticsearch. */
  readonly proxies?: ReadonlyMap<string, { readonly url: string; readonly shown: string }>
}

/** @param readFile  throws when a file cannot be read */
export function accessOf(settings: Settings, readFile: (path: string) => string): Access {
  const { apiKey, bearerToken, username, password, caFile, caFingerprint, clientCertFile, clientKeyFile } = settings
  const textOf = (path: string | undefined) => (path === undefined ? undefined : readFile(path))
  return {
    apiKey,
    bearerToken,
    username,
    password,
    ca: textOf(caFile),
    caFingerprint,
    clientCert: textOf(clientCertFile),
    clientKey: textOf(clientKeyFile),
    proxies: settings.proxies,
  }
}

/** The `Authorization` header; undefined without credentials. */
export function authorizationOf({ apiKey, bearerToken, username, password }: Credentials): string | undefined {
  if (apiKey !== undefined) return `ApiKey ${apiKey}`
  if (bearerToken !== undefined) return `Bearer ${bearerToken}`
  if (username === undefined) return undefined
  return `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
}

/** The settings that these credentials come from, for a person. */
export function credentialNames({ apiKey, bearerToken, username }: Credentials): string {
  if (apiKey !== undefined) return table.apiKey.name
  if (bearerToken !== undefined) return table.bearerToken.name
  return username === undefined ? '' : `${table.username.name} and ${table.password.name}`
}

/** Whether a body on its way to this URL is encrypted here: for the server, or for a proxy that is spoken to by TLS. */
export function isEncrypted(url: string, proxies: Access['proxies']): boolean {
  return [url, proxies?.get(url)?.url].some((each) => each?.startsWith('https:'))
}
