/** From the environment to `Settings`: every variable read, every relation checked, all that is wrong told at once. */
import { assert } from '../base/errors.ts'
import { checkAuthorities, checkClientPair } from './authorities.ts'
import { sortNames } from './names.ts'
import type { Problem } from './problem.ts'
import { proxiesFor, proxySecrets, type Proxy } from './proxy.ts'
import { checkRelations } from './relations.ts'
import { resolveNames } from './resolve.ts'
import { Secrets } from './secrets.ts'
import { rows, settings } from './settings.ts'
import type { Setting, Values } from './settings.ts'
import { sourceOf } from './source.ts'
import type { Origin, Source } from './source.ts'
import type { Settings } from './types.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** One setting as it is in effect, for a person to read. */
export interface Entry {
  readonly name: string
  /** As a person would write it; secrets are masked, and what is wrong is not repeated. */
  readonly shown: string
  readonly origin: Origin
}

export interface Loaded {
  /** Undefined when there are problems. */
  readonly settings: Settings | undefined
  /** One for each setting, in the order of the table. */
  readonly entries: readonly Entry[]
  readonly problems: readonly Problem[]
  /** What works, but should be known; one line each. */
  readonly notices: readonly string[]
}

/**
 * @param env an empty or blank value counts as not given, so that a template may leave one out
 * @param readFile reads a file that a variable names, such as `readSettingFile`; what it throws is explained
 */
export function loadSettings(env: Env, readFile: (path: string) => string): Loaded {
  const names = sortNames(env)
  const ours = Object.fromEntries(Object.entries(env).filter(([name]) => !names.injected.has(name)))
  const sources = rows.map(([key, setting]) => ({ key, setting, source: sourceOf(setting, ours, readFile) }))
  const secrets = new Secrets()
  for (const { setting, source } of sources) learnSecrets(secrets, setting, source, ours)
  for (const secret of proxySecrets(env)) secrets.add(secret)
  const readings = sources.map(({ key, setting, source }) => ({ key, ...read(setting, source, secrets) }))

  const values = Object.fromEntries(readings.map(({ key, value }) => [key, value])) as Partial<Values>
  const given = new Set(readings.filter(({ entry }) => entry.origin !== 'default').map(({ key }) => key))
  const relations = checkRelations({ values, given })
  const proxying = proxiesFor(urlsOf(values), env)
  const problems = [
    ...names.problems,
    ...readings.flatMap(({ problem }) => problem ?? []),
    ...checkFiles(values, readFile),
    ...relations.problems,
    ...proxying.problems,
  ]
  return {
    settings: problems.length === 0 && isComplete(values) ? toSettings(values, proxying.proxies) : undefined,
    entries: readings.map(({ entry }) => ({ ...entry, origin: hideIn(entry.origin, secrets) })),
    problems: problems.map(({ variable, message, wayOut }) => {
      return { variable, message: secrets.hide(message), wayOut: secrets.hide(wayOut) }
    }),
    notices: [...names.notices, ...relations.notices, ...proxyNotices(proxying.proxies)].map((notice) =>
      secrets.hide(notice),
    ),
  }
}

function hideIn(origin: Origin, secrets: Secrets): Origin {
  return origin === 'default' || origin === 'environment'
    ? origin
    : `file ${secrets.hide(origin.slice('file '.length))}`
}

function isComplete(values: Partial<Values>): values is Values {
  return rows.every(([key, setting]) => setting.default === undefined || values[key] !== undefined)
}

function learnSecrets(secrets: Secrets, setting: Setting<unknown>, source: Source, env: Env): void {
  const text = source.text ?? env[setting.name] ?? ''
  if (setting.secret === true) secrets.add(text)
  if (setting.name === settings.elasticsearchUrls.name) secrets.addFromUrls(text)
}

/** `value` is undefined when there is a problem, and when nothing was given and there is no default. */
interface Reading {
  readonly value: unknown
  readonly entry: Entry
  readonly problem: Problem | undefined
}

function read(setting: Setting<unknown>, source: Source, secrets: Secrets): Reading {
  const { name, kind } = setting
  const { origin } = source
  const failed = (problem: Problem): Reading => ({
    value: undefined,
    entry: { name, shown: '(not valid)', origin },
    problem,
  })
  if (source.problem !== undefined) return failed(source.problem)
  const text = source.text ?? setting.default
  if (text === undefined)
    return { value: undefined, entry: { name, shown: setting.unset ?? '', origin }, problem: undefined }

  const parsed = kind.parse(text)
  const revealing = origin !== 'default' && setting.secret !== true && secrets.isIn(text)
  if (!parsed.ok) {
    const message = revealing ? 'it is not valid, and has the text of a secret in it' : parsed.message
    return failed({ variable: name, message, wayOut: parsed.wayOut })
  }
  const shown = revealing ? '(not shown: it has the text of a secret in it)' : kind.show(parsed.value)
  return { value: parsed.value, entry: { name, shown, origin }, problem: undefined }
}

function checkFiles({ caFile, clientCertFile, clientKeyFile }: Partial<Values>, readFile: (path: string) => string) {
  const problems = caFile === undefined ? [] : checkAuthorities(settings.caFile.name, caFile, readFile)
  if (clientCertFile === undefined || clientKeyFile === undefined) return problems
  const cert = { variable: settings.clientCertFile.name, path: clientCertFile }
  const key = { variable: settings.clientKeyFile.name, path: clientKeyFile }
  return [...problems, ...checkClientPair(cert, key, readFile)]
}

/** Whoever does not expect a proxy must see that there is one. */
function proxyNotices(proxies: ReadonlyMap<string, Proxy>): readonly string[] {
  const byProxy = Map.groupBy(proxies, ([, { shown, variable }]) => `${shown} (${variable})`)
  return [...byProxy].map(
    ([proxy, urls]) => `${urls.map(([url]) => url).join(', ')} is reached through the proxy ${proxy}`,
  )
}

function urlsOf({ elasticsearchUrls, cloudId }: Partial<Values>): readonly string[] {
  return elasticsearchUrls ?? (cloudId === undefined ? [] : [cloudId])
}

function toSettings(all: Values, proxies: ReadonlyMap<string, Proxy>): Settings {
  const { index: _index, dataset: _dataset, dataStreamNamespace: _namespace, ...values } = all
  const resolved = resolveNames(all)
  assert(resolved.ok, 'the relations were checked')
  return {
    ...values,
    exclude: values.exclude ?? [],
    elasticsearchUrls: urlsOf(all),
    proxies,
    fields: values.fields ?? new Map(),
    ...resolved.value,
  }
}

/**
 * The files that the connection to Elasticsearch is made from, by the variable that names each: they are read again when
 * they change, while Remora runs.
 *
 * @param env       as it was loaded
 */
export function connectionFiles(env: Env, loaded: Settings): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const key of ['apiKey', 'username', 'password', 'bearerToken'] as const) {
    const variable = `${settings[key].name}_FILE`
    const path = env[variable]?.trim() ?? ''
    if (path !== '') files.set(variable, path)
  }
  for (const key of ['caFile', 'clientCertFile', 'clientKeyFile'] as const) {
    const path = loaded[key]
    if (path !== undefined) files.set(settings[key].name, path)
  }
  return files
}
