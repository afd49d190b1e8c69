/** What must hold between settings that are each right by themselves. Pure: facts in, problems out. */
import { limits } from '../base/limits.ts'
import { hasDate, nameAt } from '../base/placeholders.ts'
import { formatBytes, formatDurationMs } from '../base/units.ts'
import { clash } from './fields.ts'
import { coversAll, reachesInto } from './globs.ts'
import type { Problem } from './problem.ts'
import { resolveNames } from './resolve.ts'
import { settings } from './settings.ts'
import type { Key, Values } from './settings.ts'
import { factKeys } from './static-fields.ts'
import { isLoopback } from './urls.ts'

export interface Facts {
  /** Without the settings whose text could not be read; defaults are in it. */
  readonly values: Partial<Values>
  /** The settings that somebody has set, readable or not. */
  readonly given: ReadonlySet<Key>
}

/** Escaping for JSON turns a control character of one byte into six (`\u001b`); UTF-8 repair turns one into three. */
const escapedBytesPerByte = 6

/** What the smallest batch that holds the longest line needs, in bytes. */
export function batchBytesFor(lineBytesMax: number): number {
  return lineBytesMax * escapedBytesPerByte + limits.documentOverheadBytesMax
}

const urlsOf = ({ elasticsearchUrls, cloudId }: Partial<Values>) =>
  elasticsearchUrls ?? (cloudId === undefined ? [] : [cloudId])
const isPlain = (url: string) => url.startsWith('http:')
const anyPlain = (values: Partial<Values>) => urlsOf(values).some(isPlain)
const allPlain = (values: Partial<Values>) => anyPlain(values) && urlsOf(values).every(isPlain)
const hasToken = (given: ReadonlySet<Key>) => given.has('apiKey') || given.has('bearerToken')

type Found = readonly [key: Key, message: string, wayOut: string]

/** Each returns what is wrong, or undefined; a setting that could not be read is no reason to complain again. */
const rules: readonly ((facts: Facts) => Found | undefined)[] = [
  function oneAddress({ given }) {
    if (!given.has('cloudId') || !given.has('elasticsearchUrls')) return undefined
    const wayOut = 'keep either REMORA_CLOUD_ID or REMORA_ELASTICSEARCH_URL'
    return ['cloudId', 'REMORA_ELASTICSEARCH_URL is given as well', wayOut]
  },

  function oneCredential({ given }) {
    const user = given.has('username') || given.has('password')
    const keep = 'keep either REMORA_API_KEY, or REMORA_BEARER_TOKEN, or REMORA_USERNAME and REMORA_PASSWORD'
    if (given.has('apiKey') && user) return ['apiKey', 'user or password are given as well', keep]
    if (given.has('bearerToken') && user) return ['bearerToken', 'user or password are given as well', keep]
    if (!given.has('apiKey') || !given.has('bearerToken')) return undefined
    return ['bearerToken', 'REMORA_API_KEY is given as well', keep]
  },

  function passwordOfUser({ given }) {
    if (!given.has('username') || given.has('password') || hasToken(given)) return undefined
    return ['username', 'it is given without a password', 'set REMORA_PASSWORD or REMORA_PASSWORD_FILE']
  },

  function userOfPassword({ given }) {
    if (!given.has('password') || given.has('username') || hasToken(given)) return undefined
    return ['password', 'it is given without a user', 'set REMORA_USERNAME']
  },

  function authorityForHttps({ values, given }) {
    if (!given.has('caFile') || !allPlain(values)) return undefined
    return [
      'caFile',
      'no URL in REMORA_ELASTICSEARCH_URL is https, so nothing would be verified',
      'write https:// there, or remove REMORA_CA_FILE',
    ]
  },

  function fingerprintForHttps({ values, given }) {
    if (!given.has('caFingerprint') || !anyPlain(values)) return undefined
    return [
      'caFingerprint',
      'a URL in REMORA_ELASTICSEARCH_URL is not https, so nothing would be verified there',
      'write https:// there, or remove REMORA_CA_FINGERPRINT',
    ]
  },

  function oneAuthority({ given }) {
    if (!given.has('caFingerprint') || !given.has('caFile')) return undefined
    const wayOut = 'keep one: with REMORA_CA_FILE the fingerprint adds nothing'
    return ['caFingerprint', 'REMORA_CA_FILE is given as well', wayOut]
  },

  function keyOfCertificate({ given }) {
    if (!given.has('clientCertFile') || given.has('clientKeyFile')) return undefined
    return ['clientCertFile', 'it is given without its key', 'set REMORA_CLIENT_KEY_FILE']
  },

  function certificateOfKey({ given }) {
    if (!given.has('clientKeyFile') || given.has('clientCertFile')) return undefined
    return ['clientKeyFile', 'it is given without its certificate', 'set REMORA_CLIENT_CERT_FILE']
  },

  function certificateForHttps({ values, given }) {
    if (!given.has('clientCertFile') || !allPlain(values)) return undefined
    return [
      'clientCertFile',
      'no URL in REMORA_ELASTICSEARCH_URL is https, so nobody would see it',
      'write https:// there, or remove REMORA_CLIENT_CERT_FILE and REMORA_CLIENT_KEY_FILE',
    ]
  },

  function levelOfCompression({ values, given }) {
    if (!given.has('compressionLevel') || values.compression !== 'none') return undefined
    const wayOut = 'set REMORA_COMPRESSION to gzip, or remove REMORA_COMPRESSION_LEVEL'
    return ['compressionLevel', 'nothing is compressed', wayOut]
  },

  function oneTarget({ given }) {
    const other = (['dataset', 'dataStreamNamespace'] as const).find((key) => given.has(key))
    if (!given.has('index') || other === undefined) return undefined
    return [
      'index',
      `${settings[other].name} is given as well, which names another target`,
      `remove REMORA_INDEX to write to the data stream, or ${settings[other].name}`,
    ]
  },

  function deadLettersElsewhere({ values }) {
    const { deadLetterIndex } = values
    const resolved = resolveNames(values)
    if (deadLetterIndex === undefined || !resolved.ok || deadLetterIndex !== resolved.value.target) return undefined
    return [
      'deadLetterIndex',
      'it is the target that has refused them',
      'name another index, whose mapping takes any document',
    ]
  },

  function namesResolve({ values, given }) {
    // A field whose setting cannot be read is no reason to complain twice.
    if ([...factKeys.values(), 'fields' as const].some((key) => given.has(key) && values[key] === undefined)) {
      return undefined
    }
    const resolved = resolveNames(values)
    return resolved.ok ? undefined : [resolved.key, resolved.message, resolved.wayOut]
  },

  function lineFitsBatch({ values: { batchBytes, lineBytesMax } }) {
    if (batchBytes === undefined || lineBytesMax === undefined || batchBytes >= batchBytesFor(lineBytesMax))
      return undefined
    const needed = formatBytes(batchBytesFor(lineBytesMax))
    const lineFitting = Math.floor((batchBytes - limits.documentOverheadBytesMax) / escapedBytesPerByte)
    return [
      'batchBytes',
      `${formatBytes(batchBytes)} does not hold one line of REMORA_MAX_LINE_BYTES (${formatBytes(lineBytesMax)}), which JSON can make six times longer`,
      `raise REMORA_BATCH_BYTES to ${needed} or more, or lower REMORA_MAX_LINE_BYTES to ${formatBytes(lineFitting)}`,
    ]
  },

  function batchFitsMemory({ values: { batchBytes, memoryLimitBytes } }) {
    if (batchBytes === undefined || memoryLimitBytes === undefined || batchBytes < memoryLimitBytes) return undefined
    const wayOut = 'lower REMORA_BATCH_BYTES, or raise REMORA_MEMORY_LIMIT'
    return [
      'batchBytes',
      `one batch of ${formatBytes(batchBytes)} is all of REMORA_MEMORY_LIMIT (${formatBytes(memoryLimitBytes)})`,
      wayOut,
    ]
  },

  function lingerWithinGrace({ values: { batchLingerMs, shutdownGraceMs } }) {
    if (batchLingerMs === undefined || shutdownGraceMs === undefined || batchLingerMs < shutdownGraceMs)
      return undefined
    const grace = formatDurationMs(shutdownGraceMs)
    return [
      'batchLingerMs',
      `${formatDurationMs(batchLingerMs)} is not less than REMORA_SHUTDOWN_GRACE (${grace})`,
      'lower REMORA_BATCH_LINGER; it is seldom useful above 1s',
    ]
  },

  function quietWithinGrace({ values: { drainQuietMs = 0, shutdownGraceMs } }) {
    if (drainQuietMs === 0 || shutdownGraceMs === undefined) return undefined
    if (drainQuietMs + limits.drainReserveMs < shutdownGraceMs) return undefined
    const [quiet, grace] = [formatDurationMs(drainQuietMs), formatDurationMs(shutdownGraceMs)]
    const reserve = formatDurationMs(limits.drainReserveMs)
    return [
      'drainQuietMs',
      `${quiet}, and ${reserve} to ship the rest, are not less than REMORA_SHUTDOWN_GRACE (${grace}), so no file could be that quiet in time`,
      `raise REMORA_SHUTDOWN_GRACE above ${formatDurationMs(drainQuietMs + limits.drainReserveMs)} (and terminationGracePeriodSeconds with it), or lower REMORA_DRAIN_QUIET`,
    ]
  },

  function stateOutsidePaths({ values: { paths, exclude, stateDir } }) {
    if (paths === undefined || stateDir === undefined) return undefined
    const reaching = paths.find((glob) => reachesInto(glob, stateDir))
    if (reaching === undefined || (exclude ?? []).some((glob) => coversAll(glob, stateDir))) return undefined
    return [
      'paths',
      `${reaching} reaches into REMORA_STATE_DIR (${stateDir}), so Remora would ship its own state`,
      `move REMORA_STATE_DIR elsewhere, or add ${stateDir}/** to REMORA_EXCLUDE`,
    ]
  },

  function limitOfPolicy({ values: { volumePolicy }, given }) {
    if (volumePolicy === undefined || volumePolicy === 'keep' || given.has('volumeLimitBytes')) return undefined
    return [
      'volumePolicy',
      `${volumePolicy} needs to know how much the volume may hold`,
      'set REMORA_VOLUME_LIMIT to the sizeLimit of the emptyDir, or remove REMORA_VOLUME_POLICY',
    ]
  },

  function serviceNameOnce({ values, given }) {
    const taken = [...(values.fields?.keys() ?? [])].find((key) => key === 'service.name' || clash(key, 'service.name'))
    if (!given.has('serviceName') || taken === undefined) return undefined
    return [
      'fields',
      `${taken} collides with service.name, which REMORA_SERVICE_NAME sets`,
      `remove ${taken} here, or REMORA_SERVICE_NAME`,
    ]
  },
]

/** Names that templates of Elasticsearch itself make data streams of. Source: its reference, "Index templates". */
const ownPatterns = /^(?:logs|metrics|synthetics|traces)-[^-]*-/

const advice: readonly ((facts: Facts) => string | undefined)[] = [
  function credentialsInTheClear({ values, given }) {
    const open = urlsOf(values).find((url) => isPlain(url) && !isLoopback(url))
    if (open === undefined || !(hasToken(given) || given.has('password'))) return undefined
    return `credentials go unencrypted over the network to ${open} (REMORA_ELASTICSEARCH_URL): use https if it is offered`
  },

  function datedIndexIsPlain({ values: { index, setup } }) {
    if (index === undefined || !hasDate(index) || !ownPatterns.test(nameAt(index, 0)) || setup === 'once')
      return undefined
    return `a template of Elasticsearch's own makes data streams of names like ${index} (REMORA_INDEX), which a date does not suit: run \`remora setup\` first, set REMORA_SETUP=once, or choose a name that begins otherwise`
  },

  function requestWithinGrace({ values: { requestTimeoutMs, shutdownGraceMs }, given }) {
    // The defaults are in this relation on purpose: a patient request, and what its end finds unshipped is sent at the restart.
    if (!given.has('requestTimeoutMs') || requestTimeoutMs === undefined || shutdownGraceMs === undefined)
      return undefined
    if (requestTimeoutMs <= shutdownGraceMs) return undefined
    const [timeout, grace] = [formatDurationMs(requestTimeoutMs), formatDurationMs(shutdownGraceMs)]
    return `a request may take ${timeout} (REMORA_REQUEST_TIMEOUT), a shutdown only ${grace} (REMORA_SHUTDOWN_GRACE): one begun just before may be cut off, and is sent again after a restart`
  },
]

/** Every rule is looked at, whatever the others found. */
export function checkRelations(facts: Facts): { problems: Problem[]; notices: string[] } {
  return {
    problems: rules.map((rule) => rule(facts)).flatMap(toProblem),
    notices: advice.flatMap((rule) => rule(facts) ?? []),
  }
}

function toProblem(found: Found | undefined): Problem[] {
  if (found === undefined) return []
  const [key, message, wayOut] = found
  return [{ variable: settings[key].name, message, wayOut }]
}
