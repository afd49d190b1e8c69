/** From the environment to `Settings`: every variable read, every relation checked, all that is wrong told at once. */
import { assert } from '../base/errors.ts'
import { checkAuthorities } from './authorities.ts'
import { sortNames } from './names.ts'
import type { Problem } from './problem.ts'
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
  const readings = sources.map(({ key, setting, source }) => ({ key, ...read(setting, source, secrets) }))

  const values = Object.fromEntries(readings.map(({ key, value }) => [key, value])) as Partial<Values>
  const given = new Set(readings.filter(({ entry }) => entry.origin !== 'default').map(({ key }) => key))
  const relations = checkRelations({ values, given })
  const problems = [
    ...names.problems,
    ...readings.flatMap(({ problem }) => problem ?? []),
    ...(values.caFile === undefined ? [] : checkAuthorities(settings.caFile.name, values.caFile, readFile)),
    ...relations.problems,
  ]
  return {
    settings: problems.length === 0 && isComplete(values) ? toSettings(values) : undefined,
    entries: readings.map(({ entry }) => ({ ...entry, origin: hideIn(entry.origin, secrets) })),
    problems: problems.map(({ variable, message, wayOut }) => {
      return { variable, message: secrets.hide(message), wayOut: secrets.hide(wayOut) }
    }),
    notices: [...names.notices, ...relations.notices].map((notice) => secrets.hide(notice)),
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

function toSettings({ index, dataset, dataStreamNamespace, ...values }: Values): Settings {
  const resolved = resolveNames({ ...values, index, dataset, dataStreamNamespace })
  assert(resolved.ok, 'the relations were checked')
  return {
    ...values,
    exclude: values.exclude ?? [],
    elasticsearchUrls: values.elasticsearchUrls ?? [],
    fields: values.fields ?? new Map(),
    ...resolved.value,
  }
}
