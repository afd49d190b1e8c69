import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { inspectCommand } from '../../src/commands/inspect.ts'
import { lineOf, type Letter } from '../../src/ship/letters/letter.ts'

let directory: string
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-inspect-letters-'))
  fs.mkdirSync(path.join(directory, 'dead-letters'))
  onTestFinished(() => fs.rmSync(directory, { recursive: true, force: true }))
})

const letterOf = (number: number, more: Partial<Letter> = {}): Letter => ({
  at: new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString(),
  status: 400,
  type: 'strict_dynamic_mapping_exception',
  reason: `[1:${number}] mapping set to strict, dynamic introduction of [flags] within [log] is not allowed`,
  target: 'logs-a',
  run: 'r',
  path: '/log/app.log',
  offset: number,
  action: `{"create":{"_id":"id-${number}"}}`,
  source: `{"message":"secret line ${number}"}`,
  ...more,
})

const reasonOf = (value: string) => `failed to parse field [a] of type [long]. Preview of field's value: '${value}'`

function put(name: string, text: string): void {
  fs.writeFileSync(path.join(directory, 'dead-letters', name), text)
}

const files = () =>
  fs
    .readdirSync(directory, { recursive: true })
    .map((name) => [name, fs.lstatSync(path.join(directory, String(name))).mtimeMs])

function inspect(...argv: string[]): { code: number; text: string } {
  let text = ''
  const before = files()
  const env = { REMORA_STATE_DIR: directory }
  const code = inspectCommand(['dead-letters', ...argv], env, (part) => void (text += part))
  expect(files(), 'it changes nothing').toEqual(before)
  return { code, text }
}

test('what was refused, by status, type, target, file and reason', () => {
  const other = { type: 'document_parsing_exception', status: 400, target: 'logs-b', path: '/log/b.log' }
  put('00000003.closed.ndjson', lineOf(letterOf(1)) + lineOf(letterOf(2)) + lineOf(letterOf(3)))
  put(
    '00000004.ndjson',
    `${lineOf(letterOf(4, { ...other, reason: reasonOf(`it's a "secret" a`) }))}${lineOf(letterOf(5, { ...other, reason: reasonOf('secret b') }))}not a letter\n{"at":"20`,
  )
  const { code, text } = inspect()
  expect(code).toBe(0)
  expect(text).toContain(`state directory  ${directory}\ndead letters     5 in 2 segments, `)
  expect(text).toContain('oldest           2026-01-01T00:00:01.000Z\nnewest           2026-01-01T00:00:05.000Z\n')
  expect(text).toContain('unreadable       1 line')
  expect(text).toContain('cut              1 line')
  expect(text).toContain('by type\n  3  strict_dynamic_mapping_exception\n  2  document_parsing_exception\n')
  expect(text).toContain('by target\n  3  logs-a\n  2  logs-b\n')
  expect(text).toContain('by file\n  3  /log/app.log\n  2  /log/b.log\n')
  expect(text, 'reasons that differ by a value only are one').toContain(
    "  2  failed to parse field [a] of type [long]. Preview of field's value: '…'",
  )
  expect(text).toContain('  3  mapping set to strict, dynamic introduction of [flags] within [log] is not allowed\n')
  expect(text).toMatch(/ 400 strict_dynamic_mapping_exception {2}logs-a {2}\/log\/app\.log at 1 {2}_id id-1\n/)
  expect(text).toContain('remora replay')
  expect(text).not.toContain('secret')
})

test.each([
  [[], false, false],
  [['--json'], false, false],
  [['--all'], false, true],
  [['--all', '--json'], false, true],
  [['--source'], true, false],
  [['--all', '--source'], true, true],
  [['--all', '--source', '--json'], true, true],
])('%j shows a line: %s; every letter: %s', (argv, source, all) => {
  put('00000003.ndjson', Array.from({ length: 300 }, (_, n) => lineOf(letterOf(n))).join(''))
  const { text } = inspect(...argv)
  expect(text.includes('secret line')).toBe(source)
  expect(text.includes('id-299')).toBe(all)
})

test('for machines', () => {
  put('00000003.ndjson', lineOf(letterOf(1)) + lineOf(letterOf(2)))
  expect(JSON.parse(inspect('--json').text)).toMatchObject({
    stateDir: directory,
    obstacle: null,
    segments: 1,
    letters: 2,
    unreadable: 0,
    oldest: '2026-01-01T00:00:01.000Z',
    byType: { counts: [{ value: 'strict_dynamic_mapping_exception', count: 2 }], others: 0 },
    examples: [{ id: 'id-1', path: '/log/app.log', offset: 1 }],
  })
  const all = JSON.parse(inspect('--json', '--all', '--source').text) as { all: { source: string }[]; summary: unknown }
  expect(all.all.map(({ source }) => source)).toEqual([letterOf(1).source, letterOf(2).source])
  expect(all.summary).toMatchObject({ letters: 2 })
  fs.rmSync(path.join(directory, 'dead-letters', '00000003.ndjson'))
  expect(JSON.parse(inspect('--json', '--all').text)).toMatchObject({ all: [], summary: { letters: 0 } })
})

test('what strangers have written cannot play tricks on a terminal', () => {
  const evil = '\u001b[2J\r\n\u009b1m\u202egol.a\u2028'
  const letter = letterOf(1, {
    type: evil,
    target: evil,
    path: evil,
    reason: evil,
    at: evil,
    source: evil,
    action: JSON.stringify({ create: { _id: evil } }),
  })
  put('00000003.ndjson', lineOf(letter))
  for (const argv of [[], ['--all', '--source'], ['--json'], ['--json', '--all', '--source']]) {
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(inspect(...argv).text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]/)
  }
})

test('however many kinds there are, only some are counted by name', () => {
  const text = Array.from({ length: 5_000 }, (_, n) => lineOf(letterOf(n, { type: `type-${n}`, path: `/log/${n}` })))
  put('00000003.ndjson', text.join(''))
  const json = JSON.parse(inspect('--json').text) as {
    byType: { counts: unknown[]; others: number }
    examples: unknown[]
  }
  expect(json.byType.counts).toHaveLength(limits.tallyMax)
  expect(json.byType.others).toBe(5_000 - limits.tallyMax)
  expect(json.examples).toHaveLength(limits.letterExamplesMax)
  expect(inspect().text.split('\n').length).toBeLessThan(120)
})

describe('where there is little to see', () => {
  test('no letters, no directory, and the files of an earlier version', () => {
    expect(inspect()).toMatchObject({ code: 0, text: expect.stringMatching(/dead letters +none/) })
    fs.rmSync(path.join(directory, 'dead-letters'), { recursive: true })
    expect(inspect()).toMatchObject({ code: 0, text: expect.stringMatching(/dead letters +none/) })
    fs.writeFileSync(path.join(directory, 'dead-letters.ndjson'), lineOf(letterOf(1)))
    expect(inspect().text).toMatch(/dead letters +1 in 1 segment/)
  })

  test('the directory of the letters themselves means the same', () => {
    put('00000003.ndjson', lineOf(letterOf(1)))
    expect(inspect(`${directory}/dead-letters`).text).toMatch(/dead letters +1 in 1 segment/)
    expect(inspect(directory).text).toMatch(/dead letters +1 in 1 segment/)
  })

  test('what cannot be read is said', () => {
    fs.rmSync(path.join(directory, 'dead-letters'), { recursive: true })
    fs.writeFileSync(path.join(directory, 'dead-letters'), '')
    expect(inspect()).toMatchObject({ code: 1, text: expect.stringMatching(/NOT ALL IS READ.*ENOTDIR/) })
  })

  test.each([
    [['--all', '--nothing'], 2, /does not know "--nothing"/],
    [['a', 'b'], 2, /does not know "b"/],
    [['--help'], 0, /REMORA_STATE_DIR/],
  ])('%j', (argv, code, text) => {
    expect(inspect(...argv)).toMatchObject({ code, text: expect.stringMatching(text) })
  })
})
