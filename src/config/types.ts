import type { Proxy } from './proxy.ts'

/** What the agent runs with, once every variable was parsed and the relations between them were checked. */
export interface Settings {
  /** Absolute globs; a file is tailed when one of them matches its path and none of `exclude` does. */
  readonly paths: readonly string[]
  readonly exclude: readonly string[]
  readonly stateDir: string
  /** Base URLs without credentials, of a cloud id too; empty when none was given. */
  readonly elasticsearchUrls: readonly string[]
  readonly apiKey: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly bearerToken: string | undefined
  readonly caFile: string | undefined
  /** 64 hexadecimal digits. */
  readonly caFingerprint: string | undefined
  readonly clientCertFile: string | undefined
  readonly clientKeyFile: string | undefined
  readonly compression: 'none' | 'gzip'
  readonly compressionLevel: number
  /** How each URL is reached through a proxy of the environment; those that are not in here are reached directly. */
  readonly proxies: ReadonlyMap<string, Proxy>
  /** The index, alias or data stream that documents go to; with a date in it (`app-{+yyyy.MM.dd}`) a plain index for each. */
  readonly target: string
  /** Query parameters of bulk requests. */
  readonly pipeline: string | undefined
  readonly routing: string | undefined
  /** Whether the agent itself puts templates in place. */
  readonly setup: 'never' | 'once'
  /** How long the lifecycle that is put in place keeps documents; undefined: for ever. */
  readonly retentionMs: number | undefined
  /** Facts of the Pod from the Downward API, and what else every document carries; undefined when not given. */
  readonly podName: string | undefined
  readonly podNamespace: string | undefined
  readonly podUid: string | undefined
  readonly nodeName: string | undefined
  readonly serviceName: string | undefined
  /** Field name (dots make objects) to value, in the order given. */
  readonly fields: ReadonlyMap<string, string>
  readonly documentId: 'offset' | 'none'
  /** Bytes of one bulk body; undefined: from the memory plan. */
  readonly batchBytes: number | undefined
  readonly batchLingerMs: number
  /** Bulk requests under way at once; undefined: from the memory plan. */
  readonly concurrency: number | undefined
  /** Bytes; undefined: the cgroup's limit. */
  readonly memoryLimitBytes: number | undefined
  readonly startAt: 'beginning' | 'end'
  readonly shutdownGraceMs: number
  /** How long the files must have been quiet before a drain ends; 0: it waits for no quiet. */
  readonly drainQuietMs: number
  /** Deadline of one attempt at a bulk request. */
  readonly requestTimeoutMs: number
  readonly lineBytesMax: number
  readonly scanIntervalMs: number
  readonly deadLetterBytesMax: number
  /** Where dead letters are brought to; undefined: they stay in the state directory. */
  readonly deadLetterIndex: string | undefined
  /** Bytes that the log volume may hold; undefined: nobody has said. */
  readonly volumeLimitBytes: number | undefined
  /** What may be deleted to keep it below that. */
  readonly volumePolicy: 'keep' | 'delete-shipped' | 'drop-oldest'
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  /** `auto`: `pretty` where stdout is a terminal, otherwise `json`. */
  readonly logFormat: 'auto' | 'json' | 'pretty'
  /** 0: no admin server. */
  readonly adminPort: number
}
