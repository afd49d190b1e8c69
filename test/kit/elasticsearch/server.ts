import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ElasticsearchClient, type Elasticsearch, type User } from './client.ts'
import { layOut, type ServerTls } from './directory.ts'
import { startGuardian, type Guardian } from './guardian.ts'
import { defaultVersion, distributionOf, type ServerVersion } from './distributions.ts'
import { installElasticsearch, type Installation } from './install.ts'
import { isOpenToOthers, serverIdentity } from './java.ts'
import { launch, untilEnded, untilReady, type Launched } from './launch.ts'
import { findFreePort } from './ports.ts'

/** Light and quick to start: half the CPU of a start with the full compiler. `''` is for throughput. */
export const lightJavaOptions = '-XX:+UseSerialGC -XX:TieredStopAtLevel=1'
const stopMaxMs = 30_000
const portAttemptsMax = 5

export interface StartOptions {
  /** Elasticsearch 9 unless told; OpenSearch is started in the same way. */
  readonly version?: ServerVersion
  /** Turns security on and makes this user a superuser: Elasticsearch 9 and 8. */
  readonly user?: User
  /** For `-Xms` and `-Xmx`. */
  readonly heap?: string
  /** Further JVM options instead of `lightJavaOptions`. */
  readonly javaOptions?: string
  /** Speaks TLS with this certificate, as PEM texts; with `clientAuthority` it asks for a client certificate. */
  readonly tls?: ServerTls
  /** Lines of `elasticsearch.yml` (`opensearch.yml`); they win over the fixture's own. */
  readonly settings?: Readonly<Record<string, string>>
  /** Kept, with all data, and used again by the next start on it. Otherwise a temporary one, removed at the end. */
  readonly directory?: string
  /** Otherwise a free one. */
  readonly port?: number
}

export interface RealElasticsearch extends Elasticsearch {
  /** The server's own process, new after each `restart`. */
  readonly pid: number
  /** Ends the server in order (SIGTERM). Its data stays for `restart`. */
  stop(): Promise<void>
  /** Ends the server with SIGKILL. Its data stays for `restart`. */
  kill(): Promise<void>
  /** Starts it again on the same data and port, after a `stop` if it runs. */
  restart(): Promise<void>
  /** Ends the server and removes its directory, unless that was given. */
  remove(): Promise<void>
}

/**
 * Starts a real single-node Elasticsearch on 127.0.0.1, installing it if needed, and returns when it can be used. The
 * server ends with this process, even if that is killed.
 */
export async function startElasticsearch(options: StartOptions = {}): Promise<RealElasticsearch> {
  const { version = defaultVersion } = options
  if (options.user !== undefined && !distributionOf(version).security) {
    throw new Error(`the fixture cannot start ${version} with security`)
  }
  const installation = await installElasticsearch(version)
  const directory = options.directory === undefined ? temporaryDirectory() : resolve(options.directory)
  mkdirSync(directory, { recursive: true })
  if (serverIdentity !== undefined && !isOpenToOthers(dirname(directory))) {
    throw new Error(`as root, Elasticsearch runs as uid ${serverIdentity.uid}, which cannot reach ${directory}`)
  }
  const guardian = startGuardian(options.directory === undefined ? directory : undefined)
  try {
    for (let attempt = 1; ; attempt++) {
      const port = options.port ?? (await findFreePort())
      const server = new Server(installation, options, directory, port, guardian)
      try {
        await server.restart()
        return server
      } catch (error) {
        const taken = error instanceof Error && /BindHttpException|Address already in use/.test(error.message)
        if (!taken || options.port !== undefined || attempt === portAttemptsMax) throw error
      }
    }
  } catch (error) {
    await guardian.end()
    throw error
  }
}

function temporaryDirectory(): string {
  const reachable = serverIdentity === undefined || isOpenToOthers(tmpdir())
  const directory = mkdtempSync(join(reachable ? tmpdir() : '/var/tmp', 'remora-elasticsearch-'))
  chmodSync(directory, 0o755)
  return directory
}

class Server extends ElasticsearchClient implements RealElasticsearch {
  readonly #installation: Installation
  readonly #options: StartOptions
  readonly #guardian: Guardian
  #launched: Launched | undefined
  #pid = 0

  constructor(installation: Installation, options: StartOptions, directory: string, port: number, guardian: Guardian) {
    super(port, directory, options.user, options.tls?.cert)
    this.#installation = installation
    this.#options = options
    this.#guardian = guardian
  }

  get pid(): number {
    return this.#pid
  }

  async restart(): Promise<void> {
    await this.stop()
    const { user, tls, settings = {}, heap = '512m', javaOptions = lightJavaOptions } = this.#options
    const { directory, port } = this
    const installation = this.#installation
    layOut({ installation, directory, port, user, tls, settings })
    const launched = launch({ installation, directory, heap, javaOptions })
    this.#launched = launched
    this.#guardian.watch(launched.group)
    try {
      await untilReady(launched, this)
      this.#pid = launched.serverPid()
    } catch (error) {
      await this.#end(0)
      throw error
    }
  }

  async stop(): Promise<void> {
    if (this.#launched === undefined) return
    if (!this.#launched.hasEnded()) process.kill(this.#launched.group, 'SIGTERM')
    await this.#end(stopMaxMs)
  }

  async kill(): Promise<void> {
    if (this.#launched === undefined) return
    if (!this.#launched.hasEnded()) process.kill(this.#pid, 'SIGKILL')
    await this.#end(stopMaxMs)
  }

  async remove(): Promise<void> {
    await (this.#options.directory === undefined ? this.kill() : this.stop())
    await this.#guardian.end()
  }

  async #end(waitMaxMs: number): Promise<void> {
    if (this.#launched === undefined) return
    await untilEnded(this.#launched, waitMaxMs)
    this.#launched = undefined
    this.#guardian.watch(undefined)
  }
}
