/** The one table of settings. Parsing, help and the reference are all made from it. */
import * as kinds from './kinds.ts'
import type { Kind } from './kinds.ts'
import { cloudId } from './cloud-id.ts'
import { fields } from './fields.ts'
import { excludeGlobs, includeGlobs } from './globs.ts'
import { dataStreamPart, fixedIndexName, indexName, pipelineName, routing } from './target.ts'
import { urls } from './urls.ts'

export interface Setting<T> {
  /** The environment variable. With `_FILE` behind it, the variable that names a file to read the value from. */
  readonly name: `REMORA_${string}`
  /** How the value is read; holds the bounds, too. */
  readonly kind: Kind<T>
  /** As a person would write it; undefined when there is none. */
  readonly default: string | undefined
  /** What no value means, for settings without a default. */
  readonly unset?: string
  /** One line. */
  readonly help: string
  /** Its text appears nowhere: not in a problem, a notice or a reference. */
  readonly secret?: true
}

const Ki = 2 ** 10
const Mi = 2 ** 20
const Gi = 2 ** 30
const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** By key of `Settings`, except for `index`, `dataset` and `dataStreamNamespace`, which make its `target`. */
export const settings = {
  paths: {
    name: 'REMORA_PATHS',
    kind: includeGlobs,
    default: '/var/log/app/**/*.log',
    help: 'Files to ship: `*`, `**`, `?`, `[a-z]`, `{a,b}`; a class stands for a special character itself, as in `[,]`.',
  },
  exclude: {
    name: 'REMORA_EXCLUDE',
    kind: excludeGlobs,
    default: undefined,
    unset: 'none',
    help: 'Files to leave alone although `REMORA_PATHS` matches them.',
  },
  stateDir: {
    name: 'REMORA_STATE_DIR',
    kind: kinds.absolutePath,
    default: '/var/lib/remora',
    help: 'Directory of the checkpoint and the dead letters; must outlive a restart of the container.',
  },
  elasticsearchUrls: {
    name: 'REMORA_ELASTICSEARCH_URL',
    kind: urls,
    default: undefined,
    unset: 'none',
    help: 'Where Elasticsearch is, without credentials. A URL without a port means 80 or 443, not 9200.',
  },
  cloudId: {
    name: 'REMORA_CLOUD_ID',
    kind: cloudId,
    default: undefined,
    unset: 'none',
    help: 'Deployment in Elastic Cloud, instead of `REMORA_ELASTICSEARCH_URL`.',
  },
  apiKey: {
    name: 'REMORA_API_KEY',
    kind: kinds.apiKey,
    default: undefined,
    unset: 'none',
    secret: true,
    help: 'API key, instead of user and password.',
  },
  username: {
    name: 'REMORA_USERNAME',
    kind: kinds.username,
    default: undefined,
    unset: 'none',
    help: 'User for basic authentication, together with `REMORA_PASSWORD`.',
  },
  password: {
    name: 'REMORA_PASSWORD',
    kind: kinds.password,
    default: undefined,
    unset: 'none',
    secret: true,
    help: 'Password of `REMORA_USERNAME`.',
  },
  bearerToken: {
    name: 'REMORA_BEARER_TOKEN',
    kind: kinds.bearerToken,
    default: undefined,
    unset: 'none',
    secret: true,
    help: 'Token for `Authorization: Bearer`, instead of an API key or a user.',
  },
  caFile: {
    name: 'REMORA_CA_FILE',
    kind: kinds.absolutePath,
    default: undefined,
    unset: 'the public authorities',
    help: 'PEM file of the certificate authorities that may vouch for an https Elasticsearch.',
  },
  caFingerprint: {
    name: 'REMORA_CA_FINGERPRINT',
    kind: kinds.fingerprint,
    default: undefined,
    unset: 'none',
    help: 'SHA-256 of the only certificate authority that may vouch for Elasticsearch, instead of `REMORA_CA_FILE`; the server must show it.',
  },
  clientCertFile: {
    name: 'REMORA_CLIENT_CERT_FILE',
    kind: kinds.absolutePath,
    default: undefined,
    unset: 'none',
    help: 'PEM file of the certificate that Remora shows to the server, together with `REMORA_CLIENT_KEY_FILE`.',
  },
  clientKeyFile: {
    name: 'REMORA_CLIENT_KEY_FILE',
    kind: kinds.absolutePath,
    default: undefined,
    unset: 'none',
    help: 'PEM file of the private key of `REMORA_CLIENT_CERT_FILE`, without a passphrase.',
  },
  compression: {
    name: 'REMORA_COMPRESSION',
    kind: kinds.choice('none', 'gzip'),
    default: 'none',
    help: 'Of what is sent. `gzip`: about a tenth of the bytes on the wire, for several times the CPU.',
  },
  compressionLevel: {
    name: 'REMORA_COMPRESSION_LEVEL',
    kind: kinds.integer(1, 9),
    default: '1',
    help: 'Of `gzip`: 1 is the fastest, 9 the smallest.',
  },
  index: {
    name: 'REMORA_INDEX',
    kind: indexName,
    default: undefined,
    unset: 'the data stream',
    help: 'Index, alias or data stream to write to, instead of the data stream of the next two settings. `{service.name}` is the value of a field that every document has, `{+yyyy.MM.dd}` the day (UTC) on which the file was first seen.',
  },
  dataset: {
    name: 'REMORA_DATASET',
    kind: dataStreamPart,
    default: 'generic',
    help: 'Middle part of the data stream `logs-DATASET-NAMESPACE`; may be `{service.name}`, in which `-` becomes `_`.',
  },
  dataStreamNamespace: {
    name: 'REMORA_DATA_STREAM_NAMESPACE',
    kind: dataStreamPart,
    default: 'default',
    help: 'Last part of the data stream; the namespace of Kubernetes only with `{kubernetes.namespace}`, in which `-` becomes `_`.',
  },
  pipeline: {
    name: 'REMORA_PIPELINE',
    kind: pipelineName,
    default: undefined,
    unset: "the target's own",
    help: 'Ingest pipeline that documents go through.',
  },
  routing: {
    name: 'REMORA_ROUTING',
    kind: routing,
    default: undefined,
    unset: 'none',
    help: 'Routing of all documents: with it they go to one shard of the index.',
  },
  setup: {
    name: 'REMORA_SETUP',
    kind: kinds.choice('never', 'once'),
    default: 'never',
    help: '`once`: before the first documents are sent, templates and a lifecycle for the target are put in place, as by `remora setup`.',
  },
  retentionMs: {
    name: 'REMORA_RETENTION',
    kind: kinds.duration(hour, 36_500 * day),
    default: undefined,
    unset: 'for ever',
    help: 'How long documents are kept at the least, for `remora setup` and `REMORA_SETUP`: older ones are deleted by Elasticsearch.',
  },
  podName: {
    name: 'REMORA_POD_NAME',
    kind: kinds.kubernetesName(253, 'metadata.name'),
    default: undefined,
    unset: 'left out',
    help: 'Field `kubernetes.pod.name`.',
  },
  podNamespace: {
    name: 'REMORA_POD_NAMESPACE',
    kind: kinds.kubernetesName(63, 'metadata.namespace'),
    default: undefined,
    unset: 'left out',
    help: 'Field `kubernetes.namespace`.',
  },
  podUid: {
    name: 'REMORA_POD_UID',
    kind: kinds.kubernetesName(64, 'metadata.uid'),
    default: undefined,
    unset: 'left out',
    help: 'Field `kubernetes.pod.uid`; keeps the ids of documents apart between replicas.',
  },
  nodeName: {
    name: 'REMORA_NODE_NAME',
    kind: kinds.kubernetesName(253, 'spec.nodeName'),
    default: undefined,
    unset: 'left out',
    help: 'Field `kubernetes.node.name`.',
  },
  serviceName: {
    name: 'REMORA_SERVICE_NAME',
    kind: kinds.freeText(256),
    default: undefined,
    unset: 'left out',
    help: 'Field `service.name`: the application whose logs these are.',
  },
  fields: {
    name: 'REMORA_FIELDS',
    kind: fields,
    default: undefined,
    unset: 'none',
    help: 'More fields for every document, such as `labels.team=payments`; `\\,` is a comma in a value, `\\\\` a backslash.',
  },
  documentId: {
    name: 'REMORA_DOCUMENT_ID',
    kind: kinds.choice('offset', 'none'),
    default: 'offset',
    help: '`offset`: a line sent twice is stored once. `none`: Elasticsearch makes the ids, and a line may be stored twice.',
  },
  batchBytes: {
    name: 'REMORA_BATCH_BYTES',
    kind: kinds.bytes(128 * Ki, 64 * Mi),
    default: undefined,
    unset: 'from the memory plan',
    help: 'Largest body of one bulk request; Elasticsearch itself refuses more than 100 MB.',
  },
  batchLingerMs: {
    name: 'REMORA_BATCH_LINGER',
    kind: kinds.duration(0, minute),
    default: '200ms',
    help: 'Longest time that a line waits for its batch to fill.',
  },
  concurrency: {
    name: 'REMORA_CONCURRENCY',
    kind: kinds.integer(1, 64),
    default: undefined,
    unset: 'from the memory plan',
    help: 'Most bulk requests under way at once.',
  },
  memoryLimitBytes: {
    name: 'REMORA_MEMORY_LIMIT',
    kind: kinds.bytes(16 * Mi, 1024 * Gi),
    default: undefined,
    unset: "the container's limit",
    help: "Memory to plan with, when it is to be less than the container's limit.",
  },
  startAt: {
    name: 'REMORA_START_AT',
    kind: kinds.choice('beginning', 'end'),
    default: 'beginning',
    help: 'Where the very first start begins in files that are there already.',
  },
  shutdownGraceMs: {
    name: 'REMORA_SHUTDOWN_GRACE',
    kind: kinds.duration(second / 10, hour),
    default: '25s',
    help: 'Time to ship the rest after SIGTERM; must be less than `terminationGracePeriodSeconds` of the Pod.',
  },
  drainQuietMs: {
    name: 'REMORA_DRAIN_QUIET',
    kind: kinds.duration(0, 5 * minute),
    default: '0ms',
    help: 'After SIGTERM files are followed until they were quiet for so long. `2s` where the application gets SIGTERM at the same moment and still writes; `0ms` beside a native sidecar, which ends after it.',
  },
  requestTimeoutMs: {
    name: 'REMORA_REQUEST_TIMEOUT',
    kind: kinds.duration(second / 10, 10 * minute),
    default: '60s',
    help: 'Deadline of one attempt at a bulk request.',
  },
  lineBytesMax: {
    name: 'REMORA_MAX_LINE_BYTES',
    kind: kinds.bytes(Ki, 16 * Mi),
    default: '64Ki',
    help: 'Longest line that is one document.',
  },
  scanIntervalMs: {
    name: 'REMORA_SCAN_INTERVAL',
    kind: kinds.duration(second / 10, hour),
    default: '10s',
    help: 'Time between two looks at the directories in case that a notification was lost.',
  },
  deadLetterBytesMax: {
    name: 'REMORA_DEAD_LETTER_BYTES',
    kind: kinds.bytes(64 * Ki, 16 * Gi),
    default: '16Mi',
    help: 'Room for documents that Elasticsearch refused, in the state directory. When it is full the oldest are lost.',
  },
  deadLetterIndex: {
    name: 'REMORA_DEAD_LETTER_INDEX',
    kind: fixedIndexName,
    default: undefined,
    unset: 'none: they stay in the state directory',
    help: 'Index or data stream that refused documents are brought to, each as the text of a document of its own.',
  },
  volumeLimitBytes: {
    name: 'REMORA_VOLUME_LIMIT',
    kind: kinds.bytes(Mi, 1024 * 1024 * Gi),
    default: undefined,
    unset: 'none: nobody watches',
    help: 'The `sizeLimit` of the log volume: Kubernetes evicts a Pod whose `emptyDir` is larger. Use is measured against it.',
  },
  volumePolicy: {
    name: 'REMORA_VOLUME_POLICY',
    kind: kinds.choice('keep', 'delete-shipped', 'drop-oldest'),
    default: 'keep',
    help: '`delete-shipped`: rotated files that are wholly shipped are deleted above 80 % of `REMORA_VOLUME_LIMIT`, the oldest first. `drop-oldest`: above 90 % unshipped ones too; their lines are lost.',
  },
  logLevel: {
    name: 'REMORA_LOG_LEVEL',
    kind: kinds.choice('trace', 'debug', 'info', 'warn', 'error', 'fatal'),
    default: 'info',
    help: "Least severity in Remora's own log.",
  },
  logFormat: {
    name: 'REMORA_LOG_FORMAT',
    kind: kinds.choice('auto', 'json', 'pretty'),
    default: 'auto',
    help: "Of Remora's own log: `json` is ECS, one line each, `pretty` for a person; `auto`: `pretty` on a terminal only.",
  },
  adminPort: {
    name: 'REMORA_ADMIN_PORT',
    kind: kinds.integer(0, 65535),
    default: '9600',
    help: 'Port of probes and metrics; 0: none.',
  },
} as const satisfies Record<string, Setting<unknown>>

export type Key = keyof typeof settings

type ValueOf<S> = S extends { kind: Kind<infer T>; default: string }
  ? T
  : S extends { kind: Kind<infer T> }
    ? T | undefined
    : never

/** What each row's text was read as; undefined where nothing was given and there is no default. */
export type Values = { readonly [K in Key]: ValueOf<(typeof settings)[K]> }

function isKey(name: string): name is Key {
  return Object.hasOwn(settings, name)
}

/** In the order of the table. */
export const rows: readonly (readonly [Key, Setting<unknown>])[] = Object.keys(settings)
  .filter(isKey)
  .map((key) => [key, settings[key]] as const)
