import { pbkdf2Sync, randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { User } from './client.ts'
import { distributionOf } from './distributions.ts'
import type { Installation } from './install.ts'
import { serverIdentity } from './java.ts'

/** PEM texts. */
export interface ServerTls {
  /** Followed by the authority's, for clients that know its fingerprint only. */
  readonly cert: string
  readonly key: string
  readonly clientAuthority?: string
}

export interface Layout {
  readonly installation: Installation
  readonly directory: string
  readonly port: number
  readonly user: User | undefined
  readonly tls: ServerTls | undefined
  readonly settings: Readonly<Record<string, string>>
}

/** Makes `config`, `data`, `logs` and `tmp` in a directory; what a former start left in `data` stays. */
export function layOut(layout: Layout): void {
  const { directory, installation, user } = layout
  const { home, version } = installation
  const config = join(directory, 'config')
  for (const folder of ['config', 'data', 'logs', 'tmp']) mkdirSync(join(directory, folder), { recursive: true })
  chmodSync(directory, 0o755)
  copyFileSync(join(home, 'config/log4j2.properties'), join(config, 'log4j2.properties'))
  if (distributionOf(version).product === 'opensearch') {
    writeFileSync(join(config, 'opensearch.yml'), settingsText(layout, {}))
  } else {
    const security = {
      'xpack.security.enabled': String(user !== undefined),
      ...(layout.tls !== undefined && tlsSettings(layout.tls)),
    }
    writeFileSync(join(config, 'elasticsearch.yml'), settingsText(layout, security))
    writeFileSync(join(config, 'jvm.options'), jvmOptionsText(home))
    for (const file of ['role_mapping.yml', 'roles.yml', 'users', 'users_roles']) {
      if (!existsSync(join(config, file))) copyFileSync(join(home, 'config', file), join(config, file))
    }
    if (user !== undefined) writeUser(config, user)
  }
  if (layout.tls !== undefined) {
    writeFileSync(join(config, 'http.crt'), layout.tls.cert)
    writeFileSync(join(config, 'http.key'), layout.tls.key)
    writeFileSync(join(config, 'clients.crt'), layout.tls.clientAuthority ?? '')
  }
  if (serverIdentity === undefined) return
  const { uid, gid } = serverIdentity
  for (const folder of ['', 'config', 'data', 'logs', 'tmp']) chownSync(join(directory, folder), uid, gid)
  for (const file of readdirSync(config)) chownSync(join(config, file), uid, gid)
}

function settingsText({ directory, port, settings }: Layout, more: Readonly<Record<string, string>>): string {
  const all: Record<string, string> = {
    'cluster.name': 'remora-test',
    'node.name': 'remora-test-1',
    'path.data': join(directory, 'data'),
    'path.logs': join(directory, 'logs'),
    'network.host': '127.0.0.1',
    'http.port': String(port),
    'transport.port': '0',
    'discovery.type': 'single-node',
    // A developer's disk is often fuller than 95 %, which would make every index read-only.
    'cluster.routing.allocation.disk.threshold_enabled': 'false',
    // With the serial collector this breaker counts garbage too and answers 429 in the middle of a test.
    'indices.breaker.total.use_real_memory': 'false',
    ...more,
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
  return lines.join('')
}

function tlsSettings({ clientAuthority }: ServerTls): Record<string, string> {
  const prefix = 'xpack.security.http.ssl'
  return {
    [`${prefix}.enabled`]: 'true',
    [`${prefix}.certificate`]: 'http.crt',
    [`${prefix}.key`]: 'http.key',
    ...(clientAuthority !== undefined && {
      [`${prefix}.certificate_authorities`]: 'clients.crt',
      // The test's own client shows none.
      [`${prefix}.client_authentication`]: 'optional',
    }),
  }
}

/** The distribution's own options without its collector, its log of the collector and its heap dumps. */
function jvmOptionsText(home: string): string {
  const lines = readFileSync(join(home, 'config/jvm.options'), 'utf8').split('\n')
  return lines.filter((line) => !/Xlog|HeapDump|Use.*GC$/.test(line)).join('\n')
}

/**
 * Adds a superuser to the file realm, as `elasticsearch-users` does, without starting a JVM for it.
 * Source of the form: Elasticsearch, "User cache and password hash algorithms", PBKDF2 (SHA-512, 256 bits).
 */
function writeUser(config: string, user: User): void {
  const iterations = 1_000
  const salt = randomBytes(32)
  const hash = pbkdf2Sync(user.password, salt, iterations, 32, 'sha512')
  const password = `{PBKDF2}${iterations}$${salt.toString('base64')}$${hash.toString('base64')}`
  writeFileSync(join(config, 'users'), `${user.name}:${password}\n`)
  writeFileSync(join(config, 'users_roles'), `superuser:${user.name}\n`)
}
