import { describe, expect, test } from 'vitest'
import { configCommand } from '../../src/commands/config.ts'
import { markdownReference, terminalReference } from '../../src/config/reference.ts'
import { rows, settings } from '../../src/config/settings.ts'

function run(argv: string[], env: Record<string, string> = {}): { code: number; output: string } {
  let output = ''
  const code = configCommand(argv, env, (text) => {
    output += text
  })
  return { code, output }
}

describe('the table', () => {
  test.each(rows)('%s is whole', (_, setting) => {
    expect(setting.name).toMatch(/^REMORA_[A-Z_]+$/)
    expect(setting.help).toMatch(/^\S[^\n]*\.$/)
    const fallback =
      setting.default === undefined ? setting.unset !== undefined : setting.kind.parse(setting.default).ok
    expect(fallback).toBe(true)
  })
  test('has no name twice', () => expect(new Set(rows.map(([, { name }]) => name)).size).toBe(rows.length))
  test('masks what is secret', () => {
    for (const setting of [settings.apiKey, settings.password, settings.bearerToken])
      expect(setting.kind.show('x')).toBe('********')
    expect(rows.filter(([, { secret }]) => secret === true).map(([key]) => key)).toEqual([
      'apiKey',
      'password',
      'bearerToken',
    ])
  })
})

describe('the reference', () => {
  test.each(rows)('has %s in both forms', (_, { name }) => {
    expect(markdownReference()).toContain(`\n| \`${name}\` | `)
    expect(terminalReference()).toContain(`\n\n${name}\n    `)
  })
  test('as Markdown has four cells in every row', () => {
    const table = markdownReference()
      .split('\n')
      .filter((line) => line.startsWith('|'))
    expect(table).toHaveLength(rows.length + 2)
    for (const line of table) expect(line.replaceAll('\\|', '').match(/\|/g)).toHaveLength(5)
  })
  test('for the terminal fits into 100 columns', () => {
    for (const line of terminalReference().split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })
})

describe('remora config', () => {
  test('prints what is in effect and where it came from', () => {
    const { code, output } = run([], { REMORA_API_KEY: 'c2VjcmV0', REMORA_BATCH_LINGER: '1500ms', OTHER: 'x' })
    expect(code).toBe(0)
    expect(output).toMatch(/^REMORA_API_KEY +environment +\*{8}$/m)
    expect(output).toMatch(/^REMORA_BATCH_LINGER +environment +1s500ms$/m)
    expect(output).toMatch(/^REMORA_ADMIN_PORT +default +9600$/m)
    expect(output).toContain('\nDocuments go to logs-generic-default.\n')
    expect(output).not.toContain('c2VjcmV0')
  })
  test('prints notices', () => {
    const { code, output } = run([], { REMORA_PORT: 'tcp://10.0.0.1:9600' })
    expect([code, output]).toEqual([0, expect.stringContaining('\nNotice: ignored a variable')])
  })
  test('prints all problems and returns 2', () => {
    const { code, output } = run([], { REMORA_PATHS: 'x', REMORA_API_KEY_FILE: '/does/not/exist' })
    expect(code).toBe(2)
    expect(output).toContain('Remora cannot start: 2 problems in its settings.')
    expect(output).toContain('file "/does/not/exist": there is no such file')
    expect(output).not.toContain('Documents go to')
  })
  test('prints the reference', () => {
    expect(run(['--markdown'])).toEqual({ code: 0, output: markdownReference().trimStart() })
    expect(run(['--reference'])).toEqual({ code: 0, output: terminalReference() })
    expect(run(['--help'])).toMatchObject({ code: 0 })
  })
  test.each([['--markdwon'], ['--markdown', 'x']])('does not guess what %s %s means', (...argv) => {
    const { code, output } = run(argv)
    expect([code, output]).toEqual([2, expect.stringContaining(`does not know "${argv.at(-1)}"`)])
  })
})
