import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { argumentsOf, replayCommand, report } from '../../src/commands/replay.ts'
import type { Signals } from '../../src/commands/signals.ts'
import type { Replayed } from '../../src/ship/letters/replay.ts'

const never: Signals = { first: new Promise(() => {}), second: new AbortController().signal }

let directory: string
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-replay-'))
  onTestFinished(() => fs.rmSync(directory, { recursive: true, force: true }))
})

async function replay(argv: string[], env: Record<string, string> = {}): Promise<{ code: number; text: string }> {
  let text = ''
  const code = await replayCommand(argv, { REMORA_STATE_DIR: directory, ...env }, (part) => void (text += part), never)
  return { code, text }
}

describe('arguments', () => {
  test.each([
    [[], { directory: undefined, dryRun: false, index: undefined, pipeline: undefined }],
    [['/d', '--dry-run'], { directory: '/d', dryRun: true, anyway: false }],
    [['--anyway'], { anyway: true }],
    [['--index', 'a', '--pipeline', 'p', '/d'], { index: 'a', pipeline: 'p', directory: '/d' }],
    [['--index=a', '--pipeline=p=q'], { index: 'a', pipeline: 'p=q' }],
  ])('%j', (argv, read) => expect(argumentsOf(argv)).toMatchObject(read))

  test.each([
    [['--index'], /--index needs a name/],
    [['--pipeline='], /--pipeline needs a name/],
    [['--index', 'A*'], /--index: /],
    [['--all'], /does not know "--all"/],
    [['a', 'b'], /does not know "b"/],
  ])('%j is refused', async (argv, message) => {
    expect(argumentsOf(argv)).toMatch(message)
    expect(await replay(argv)).toMatchObject({ code: 2, text: expect.stringMatching(/Exit codes/) })
  })
})

test.each([
  [{ REMORA_PATHS: 'not absolute' }, /REMORA_PATHS/],
  [{}, /REMORA_ELASTICSEARCH_URL is not set/],
  [{ REMORA_ELASTICSEARCH_URL: 'https://a:1', REMORA_CA_FILE: '/nothing/here' }, /REMORA_CA_FILE/],
])('settings that are wrong: %j', async (env, text) => {
  expect(await replay([], env)).toMatchObject({ code: 2, text: expect.stringMatching(text) })
})

test('help says how a letter is mended, what is safe, and the exit codes', async () => {
  const { code, text } = await replay(['--help'])
  expect(code).toBe(0)
  for (const word of ['--pipeline', 'jq', 'REMORA_DOCUMENT_ID=none', 'killed', '1 some are left'])
    expect(text).toContain(word)
})

test('without letters there is nothing to do, and nobody is asked', async () => {
  expect(await replay([], { REMORA_ELASTICSEARCH_URL: 'http://127.0.0.1:9' })).toEqual({
    code: 0,
    text: 'there are no dead letters\n',
  })
  expect(await replay(['--dry-run'])).toMatchObject({
    code: 0,
    text: expect.stringMatching(/no dead letters.*\n.*Nothing was sent/),
  })
})

test('a dry run needs no server, and changes nothing', async () => {
  const letter = { at: '', status: 400, type: '', target: 'logs-a', action: '{"create":{}}', source: '{}' }
  fs.mkdirSync(path.join(directory, 'dead-letters'))
  const file = path.join(directory, 'dead-letters', '00000003.ndjson')
  fs.writeFileSync(file, `${JSON.stringify(letter)}\n${JSON.stringify({ ...letter, source: '7' })}\n`)
  expect(await replay(['--dry-run'])).toEqual({
    code: 1,
    text: '1 would be sent to logs-a\n1 cannot be read, and would stay\nNothing was sent.\n',
  })
  expect(await replay(['--dry-run', '--index', 'b', '--pipeline', 'p', directory])).toMatchObject({
    text: expect.stringMatching(/^1 would be sent to b\nthrough the pipeline p\n/),
  })
  expect(fs.readdirSync(path.join(directory, 'dead-letters'))).toEqual(['00000003.ndjson'])
})

test('the report says what became of all of them', () => {
  const nothing: Replayed = {
    segments: 0,
    taken: 0,
    duplicates: 0,
    possiblyDuplicated: 0,
    refused: 0,
    left: 0,
    unreadable: 0,
    unreadableIn: undefined,
    torn: 0,
    reasons: new Map(),
    failure: undefined,
  }
  expect(report(nothing, '')).toEqual(['there are no dead letters'])
  const lines = report(
    {
      ...nothing,
      taken: 5,
      duplicates: 2,
      possiblyDuplicated: 1,
      refused: 3,
      left: 4,
      unreadable: 6,
      unreadableIn: '/s/1',
      torn: 7,
      reasons: new Map([['400 x', 3]]),
      failure: 'ENOSPC',
    },
    'nobody answers',
  )
  expect(lines.map((line) => line.split(/ {2,}/)[0])).toEqual([
    'taken',
    '',
    'refused',
    'no verdict',
    'unreadable',
    'cut',
    'FAILED',
  ])
  expect(lines.join('\n')).toMatch(
    /5, 2 of them were there.*1 of them may.*3 × 400 x.*nobody answers.*\/s\/1.*7 by a crash.*ENOSPC/s,
  )
})
