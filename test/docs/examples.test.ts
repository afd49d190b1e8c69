/** Every configuration of Remora in the documents is one that it takes. */
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { explainPlan, planFor } from '../../src/commands/plan.ts'
import { loadSettings } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/types.ts'
import { RemoraError } from '../../src/base/errors.ts'
import { certificates } from '../check/certificates.ts'
import { blocksIn, page, pages } from './pages.ts'

const blocks = pages().flatMap(blocksIn)
const migrating = ['docs/migrating.md', 'docs/migrating-from-filebeat.md', 'docs/migrating-from-fluent-bit.md']

/** What the component `credentials-files` mounts. */
const mounted: Readonly<Record<string, string>> = {
  '/etc/remora/credentials/api-key': 'ZW5jb2RlZA==\n',
  '/etc/remora/credentials/password': 'secret\n',
  '/etc/remora/credentials/ca.crt': certificates.authority,
}

function settingsOf(env: Readonly<Record<string, string>>): Settings {
  const { settings, problems, notices } = loadSettings(env, (path) => {
    const content = mounted[path]
    if (content === undefined) throw Object.assign(new Error(`no such file ${path}`), { code: 'ENOENT' })
    return content
  })
  expect({ problems, notices }).toEqual({ problems: [], notices: [] })
  return settings!
}

/** A line for each variable, `NAME=VALUE`, as in a ConfigMap from a file. */
function variablesIn(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '')
  for (const line of lines) expect(line).toMatch(/^[A-Z_]+=\S/)
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

const limitOf = (mebibytes: number) => ({ bytes: mebibytes * 2 ** 20, origin: 'a test' })

describe('blocks of settings', () => {
  const settings = blocks.filter(({ language }) => language === 'dotenv')

  test('there are some in each page on migrating', () => {
    for (const name of migrating) expect(settings.filter((block) => block.page === name)).not.toEqual([])
  })

  test.each(settings)('$page, line $line: each is known and right, and fits into 64 MiB', ({ text }) => {
    const variables = variablesIn(text)
    expect(Object.keys(variables).every((name) => name.startsWith('REMORA_'))).toBe(true)
    expect(explainPlan(planFor(settingsOf(variables), limitOf(64)))).toContain('slots')
  })

  test('what is said to be the same as before is: the target, the fields, the longest line', () => {
    const [filebeat, ownStream] = settings.filter((block) => block.page === 'docs/migrating-from-filebeat.md')
    expect(settingsOf(variablesIn(filebeat!.text))).toMatchObject({
      target: 'logs-shop-prod',
      pipeline: 'shop',
      lineBytesMax: 1_048_576,
      fields: new Map([['team', 'payments']]),
    })
    expect(settingsOf(variablesIn(ownStream!.text))).toMatchObject({ target: 'filebeat-9.2.0', setup: 'never' })
    const [fluentBit] = settings.filter((block) => block.page === 'docs/migrating-from-fluent-bit.md')
    expect(settingsOf(variablesIn(fluentBit!.text))).toMatchObject({
      target: 'shop-{+yyyy.MM.dd}',
      lineBytesMax: 256 * 1024,
      shutdownGraceMs: 20_000,
    })
  })
})

describe('blocks of YAML', () => {
  const yaml = blocks.filter(({ language, page: name }) => language === 'yaml' && migrating.includes(name))

  test.each(yaml)('$page, line $line: can be read', ({ text }) => expect(parse(text)).toBeTypeOf('object'))

  const containers = yaml.filter(({ text }) => text.startsWith('# env of the container'))
  test('there is an environment among them', () => expect(containers).not.toEqual([]))

  test.each(containers)('$page, line $line: an environment that Remora takes', ({ text }) => {
    const environment: Record<string, string> = {}
    for (const { name, value, valueFrom } of parse(text) as {
      name: string
      value?: string
      valueFrom?: { fieldRef: { fieldPath: string } }
    }[]) {
      expect(value === undefined).toBe(valueFrom !== undefined)
      // As Kubernetes does: what stands before it in the same list.
      environment[name] =
        value?.replace(/\$\((\w+)\)/g, (all, other: string) => environment[other] ?? all) ?? 'payments'
    }
    const { fields } = settingsOf(environment)
    expect(fields.get('kubernetes.labels.team')).toBe('payments')
  })
})

const secure = { REMORA_ELASTICSEARCH_URL: 'https://elasticsearch:9200' }
/** Each with its way out. */
const problemsOf = (env: Readonly<Record<string, string>>) => {
  const { problems } = loadSettings(env, () => {
    throw new Error('no file is read')
  })
  return problems.map(({ variable, message, wayOut }) => `${variable}: ${message}; ${wayOut}`)
}

const planOf = (line: string, mebibytes: number) =>
  planFor(settingsOf({ ...secure, REMORA_MAX_LINE_BYTES: line }), limitOf(mebibytes))

describe('what the pages say of settings', () => {
  test('an API key as id:key is refused, with the way out', () => {
    const [problem, ...others] = problemsOf({ ...secure, REMORA_API_KEY: 'abcd:efgh' })
    expect(others).toEqual([])
    expect(problem).toMatch(/^REMORA_API_KEY: .*form id:key.*encoded/)
  })

  test('base64 of id:key is taken', () => {
    const encoded = Buffer.from('id:key').toString('base64')
    expect(problemsOf({ ...secure, REMORA_API_KEY: encoded })).toEqual([])
  })

  test("Filebeat's way to write a field is refused, with the way out", () => {
    const [problem] = problemsOf({ ...secure, REMORA_INDEX: 'app-%{[service.name]}' })
    expect(problem).toContain('leave the % out')
  })

  test('a label that is not there is a wrong setting', () => {
    expect(problemsOf({ ...secure, REMORA_FIELDS: 'kubernetes.labels.team=' })).toHaveLength(1)
  })

  test('a line of 1 MiB halves the slots of 64 MiB, one of 10 MiB needs 148 MiB', () => {
    expect([planOf('64Ki', 64).slots, planOf('1Mi', 64).slots]).toEqual([4, 2])
    expect(planOf('10Mi', 148).slots).toBe(1)
    expect(() => planOf('10Mi', 147)).toThrow(RemoraError)
    expect(page('docs/migrating-from-filebeat.md').text).toContain('10 MiB needs a limit of 148 MiB')
  })
})
