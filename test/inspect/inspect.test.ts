import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { SavedGeneration } from '../../src/base/state.ts'
import { inspectCommand } from '../../src/commands/inspect.ts'
import { serialize } from '../../src/settle/state-text.ts'
import { generationOf, stateOf } from '../settle/states.ts'

let directory: string
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-inspect-'))
  onTestFinished(() => fs.rmSync(directory, { recursive: true, force: true }))
})

const put = (name: string, text: string) => fs.writeFileSync(path.join(directory, name), text)
const snapshot = () => fs.readdirSync(directory).map((name) => [name, fs.lstatSync(path.join(directory, name)).mtimeMs])

function inspect(...argv: string[]): { code: number; text: string } {
  let text = ''
  const before = snapshot()
  const code = inspectCommand(argv, { REMORA_STATE_DIR: directory }, (part) => void (text += part))
  expect(snapshot(), 'it changes nothing').toEqual(before)
  return { code, text }
}

/** Spaces in a row as one. */
const squeezed = (text: string) => text.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim())
const stateWith = (...generations: SavedGeneration[]) => serialize({ ...stateOf(0), generations }, 'a-process')

test('a state as it should be', () => {
  const generations = [
    { ...generationOf(50), sizeBytes: 200, path: '/log/a.log', currentPath: '/log/a.log.1', inode: '7' },
    { ...generationOf(300), path: '/log/b.log', finished: true, birthNs: '1767312000123456789', anchor: null },
    {
      ...generationOf(0),
      sizeBytes: 30,
      path: '/log/c.gz',
      id: null,
      fingerprint: null,
      anchor: null,
      packing: 'gzip',
    },
  ] as const
  put(
    'checkpoint.json',
    serialize(
      { ...stateOf(0), sinceMs: Date.UTC(2026, 0, 1), indices: ['logs-1', 'logs-2'], generations },
      'a-process',
    ),
  )
  put('checkpoint.previous.json', stateWith())
  put('instance', 'here\n')
  put('dead-letters.ndjson', 'x'.repeat(2048))
  put('checkpoint.json.unreadable-17', 'x')
  const { code, text } = inspect()
  const lines = squeezed(text)
  expect(code).toBe(0)
  expect(lines[0]).toBe(`state directory ${directory}`)
  expect(lines[1]).toMatch(/^checkpoint\.json version 2, checksum holds, [\d.]+ (K?i?B), written \d seconds? ago \(2/)
  expect(lines[2]).toMatch(/^checkpoint\.previous\.json version 2, checksum holds/)
  expect(lines).toEqual(
    expect.arrayContaining([
      'in use checkpoint.json',
      'written by process a-process',
      'instance here (incarnation now)',
      'first start 2026-01-01T00:00:00Z',
      'target indices logs-1, logs-2',
      'instance file here',
      'dead letters 2.0 KiB in 1 segment; `remora inspect dead-letters` says more',
      expect.stringMatching(/^set aside checkpoint\.json\.unreadable-17, 1 B, written /),
      'lag size offset % state epoch id inode born fingerprint path',
      '150 200 50 25 not there 0 mnopqrstuvwx 7 - x/7 /log/a.log (now /log/a.log.1)',
      '30 30 0 0 not there 0 - 12 - - /log/c.gz (no name now) (gzip)',
      '0 300 300 100 finished 0 abcdefghijkl 12 2026-01-02T00:00:00Z x/7 /log/b.log (no name now)',
      '3 generations, 1 of them finished; 530 bytes, 350 of them with a verdict; lag 180 bytes (180 B)',
    ]),
  )
})

test('the size is that of the file now, when it is still there', () => {
  put('app.log', 'x'.repeat(100))
  const file = path.join(directory, 'app.log')
  const inode = String(fs.statSync(file).ino)
  put('checkpoint.json', stateWith({ ...generationOf(40), path: file, currentPath: file, inode }))
  expect(squeezed(inspect().text)).toContainEqual(expect.stringMatching(/^60 100 40 40 live 0 /))
})

test('the file of a name that leads elsewhere now is not looked at', () => {
  put('app.log', 'x'.repeat(100))
  const file = path.join(directory, 'app.log')
  put('checkpoint.json', stateWith({ ...generationOf(40), path: file, currentPath: file, inode: '1' }))
  expect(squeezed(inspect().text)).toContainEqual(expect.stringMatching(/^0 40 40 100 not there 0 /))
})

describe('what is not as it should be', () => {
  const good = stateWith(generationOf(1))
  const cut = good.slice(0, -9)
  test.each([
    ['nothing', {}, 0, /Remora has not run here yet/],
    ['an instance alone', { instance: 'here' }, 0, /would send every file again/],
    [
      'a cut checkpoint',
      { 'checkpoint.json': cut },
      1,
      /CANNOT BE READ: its checksum is wrong.*No checkpoint can be read/s,
    ],
    [
      'a cut one before a good one',
      { 'checkpoint.json': cut, 'checkpoint.previous.json': good },
      1,
      /in use +checkpoint\.previous\.json.*1 generation,/s,
    ],
    [
      'a good one before a cut one',
      { 'checkpoint.json': good, 'checkpoint.previous.json': '' },
      0,
      /in use +checkpoint\.json.*1 generation,/s,
    ],
    [
      'one from the future',
      { 'checkpoint.json': '{"remora":"checkpoint","version":3}\n{}\n' },
      1,
      /a newer Remora has written it/,
    ],
    ['a bad instance', { 'checkpoint.json': good, instance: '' }, 0, /instance file +cannot be read/],
  ])('%s', (_name, files, code, text) => {
    for (const [name, content] of Object.entries(files)) put(name, content)
    const answer = inspect()
    expect(answer.text).toMatch(text)
    expect(answer.code).toBe(code)
    expect(() => JSON.parse(inspect('--json').text) as unknown).not.toThrow()
  })

  test('no directory', () => {
    expect(inspect(`${directory}/none`)).toMatchObject({ code: 0, text: expect.stringMatching(/no such directory/) })
  })

  test('a file in the place of the directory', () => {
    put('file', '')
    expect(inspect(`${directory}/file`)).toMatchObject({ code: 1, text: expect.stringMatching(/ENOTDIR/) })
  })

  test('a FIFO in the place of the checkpoint is not waited for', () => {
    execFileSync('mkfifo', [`${directory}/checkpoint.json`])
    expect(inspect()).toMatchObject({ code: 1, text: expect.stringMatching(/it is a fifo/) })
  })
})

test('a name cannot play tricks on a terminal, as text or as JSON', () => {
  const evil = '/log/\u001b[2J\n\u009b1m\u202egol.a\u2028'
  put('checkpoint.json', stateWith({ ...generationOf(1), path: evil, currentPath: evil }))
  for (const { text } of [inspect(), inspect('--json')]) {
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]/)
  }
  expect(squeezed(inspect().text)).toContainEqual(expect.stringContaining('\\u{1b}[2J\\u{a}\\u{9b}1m\\u{202e}gol.a'))
  const { generations } = JSON.parse(inspect('--json').text) as { generations: { path: string }[] }
  expect(generations[0]?.path).toBe(evil)
})

test('of ten thousand files the two hundred that are furthest behind, unless all are asked for', () => {
  const many = Array.from({ length: 10_000 }, (_, at) => ({
    ...generationOf(0),
    path: `/log/${at}.log`,
    sizeBytes: at,
  }))
  put('checkpoint.json', stateWith(...many))
  const { text } = inspect()
  const paths = text.match(/\/log\/\d+\.log/g) ?? []
  expect(paths).toEqual(Array.from({ length: 200 }, (_, at) => `/log/${9999 - at}.log`))
  expect(text).toContain('and 9800 more with 9799 bytes of lag or less: --all shows them')
  expect(text).toContain('10000 generations')
  expect(inspect('--all').text.match(/\/log\/\d+\.log/g)).toHaveLength(10_000)
  const json = JSON.parse(inspect('--json').text) as {
    generations: unknown[]
    generationsLeftOut: number
    totals: unknown
  }
  expect([json.generations.length, json.generationsLeftOut]).toEqual([200, 9800])
  expect(json.totals).toMatchObject({ generations: 10_000, lagBytes: 49_995_000 })
})

test.each([
  [['--all', '--nothing'], 2, /does not know "--nothing"/],
  [['a', 'b'], 2, /does not know "b"/],
  [['--help'], 0, /REMORA_STATE_DIR/],
])('%j', (argv, code, text) => {
  expect(inspect(...argv)).toMatchObject({ code, text: expect.stringMatching(text) })
})

test('settings that are wrong do not keep it from looking', () => {
  put('checkpoint.json', stateWith(generationOf(1)))
  let text = ''
  const env = { REMORA_STATE_DIR: directory, REMORA_PATHS: 'not absolute', REMORA_NONSENSE: '1' }
  expect(inspectCommand([], env, (part) => void (text += part))).toBe(0)
  expect(text).toContain('1 generation')
})
