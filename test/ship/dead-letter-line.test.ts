import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { Templates } from '../../src/encode/template.ts'
import { letterOf, lineOf, originOf, readLetter, type Letter } from '../../src/ship/letters/letter.ts'
import { again, asReport, idOf } from '../../src/ship/letters/shapes.ts'
import { runs } from '../base/runs.ts'

/** As the kernel writes it: with what was set as fields, and flags or none behind the offset. */
function sourceOf(message: string, path: string, offset: number, flags: boolean, label: string): string {
  const { prefix, suffix } = new Templates(new Map([['labels.x', label]])).of({
    path,
    generationId: 'abcdefghijkl',
    readAtMs: 0,
    seenMs: 0,
  })
  const head = prefix.toString().split('\n')[1]!
  return `${head}${JSON.stringify(message).slice(1, -1)}${suffix.toString()}${offset}${flags ? ',"flags":["truncated"]' : ''}}}`
}

const evil = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('","log":{"file":{"path":"/etc/passwd"},"offset":1}}', '\\",\\"log\\":{', '\u2028\r\n{"index":{}}'),
)

test('whatever the application, the fields and the names say, the origin is that of the line', () => {
  fc.assert(
    fc.property(evil, evil, evil, fc.nat(), fc.boolean(), (message, name, label, offset, flags) => {
      const path = `/log/${name}`
      expect(originOf(sourceOf(message, path, offset, flags, label))).toEqual({ path, offset })
    }),
    runs(1000),
  )
})

test.each([
  ['{"message":"a"}', {}],
  ['', {}],
  ['{"log":{"file":{"path":"/a"},"offset":7}}', { path: '/a', offset: 7 }],
  ['{"log":{"file":{"path":7},"offset":7}}', {}],
  ['{"a":1,"log":{"file":{"path":"/a"},"offset":1e300}}', { path: '/a' }],
  [`{"a":1,"log":{"file":{"path":"${'x'.repeat(limits.pathMax + 1)}"},"offset":1}}`, {}],
  ['{"a":1,"log":{"file":{"path":"/a', {}],
])('the origin in %s', (source, origin) => expect(originOf(source)).toEqual(origin))

test('what is written is read again, on one line', () => {
  fc.assert(
    fc.property(evil, evil, evil, fc.option(evil, { nil: undefined }), (source, action, target, reason) => {
      const refused = { status: 400, errorType: 'x', target, action, source, reason }
      const letter = letterOf(refused, Date.UTC(2026, 0, 1), 'run')
      const line = lineOf(letter)
      expect(line.indexOf('\n')).toBe(line.length - 1)
      const read = readLetter(line.slice(0, -1))!
      expect(read).toEqual(JSON.parse(JSON.stringify(letter)))
      expect((read.reason ?? '').length).toBeLessThanOrEqual(limits.letterReasonMax)
    }),
    runs(500),
  )
  const long = letterOf(
    { status: 400, errorType: 'x', target: 't', action: 'a', source: 's', reason: '😀'.repeat(2000) },
    0,
    'run',
  )
  expect(long.reason!.length).toBe(limits.letterReasonMax)
  expect(long.reason!.isWellFormed()).toBe(true)
})

test.each([
  '',
  '{',
  '[]',
  'null',
  '{"at":"x"}',
  '{"at":"x","status":"400","type":"","target":"","action":"","source":""}',
])('%s is no letter', (line) => expect(readLetter(line)).toBeUndefined())

const letter: Letter = {
  at: '2026-01-01T00:00:00.000Z',
  status: 400,
  type: 'document_parsing_exception',
  reason: 'failed',
  target: 'logs-a',
  run: 'r',
  path: '/a.log',
  offset: 5,
  action: '{"create":{"_id":"i1"}}',
  source: '{"message":"m"}',
}

describe('sent again', () => {
  test.each([
    [{}, 'logs-a', '{"create":{"_id":"i1"}}'],
    [{ index: 'b' }, 'b', '{"create":{"_id":"i1"}}'],
    [{ pipeline: 'p' }, 'logs-a', '{"create":{"_id":"i1","pipeline":"p"}}'],
  ])('%j', (readdressed, target, action) => {
    expect(again(letter, readdressed)).toEqual({ target, action, source: letter.source, hasId: true })
  })

  test('what the action says of index, routing and pipeline stays, unless it is to be another', () => {
    const action = '{"create":{"_id":"i1","_index":"logs-2026","routing":"r","pipeline":"p","made_up":1}}'
    expect(again({ ...letter, action }, {})?.action).toBe(
      '{"create":{"_id":"i1","routing":"r","_index":"logs-2026","pipeline":"p"}}',
    )
    expect(again({ ...letter, action }, { index: 'b', pipeline: 'q' })?.action).toBe(
      '{"create":{"_id":"i1","routing":"r","pipeline":"q"}}',
    )
  })

  test('without an id', () => {
    expect(again({ ...letter, action: '{"create":{}}' }, {})).toMatchObject({ action: '{"create":{}}', hasId: false })
    expect(idOf({ ...letter, action: '{"create":{}}' })).toBe('')
  })

  test.each([
    ['another action', { action: '{"delete":{"_id":"i1"}}' }],
    ['two of them', { action: '{"create":{},"index":{}}' }],
    ['no JSON', { action: '{"create":' }],
    ['a document of two lines', { source: '{"a":1}\n{"delete":{"_id":"x"}}' }],
    ['no document', { source: '7' }],
    ['half a document', { source: '{"a":' }],
  ])('%s is not sent: it could be a request of its own', (_what, changed) => {
    expect(again({ ...letter, ...changed }, {})).toBeUndefined()
  })
})

test('as a report it is one document of fixed fields, with the id of the line', () => {
  const { action, source, target, hasId } = asReport(letter, 'dead')!
  expect([target, action, hasId]).toEqual(['dead', '{"create":{"_id":"i1"}}', true])
  expect(JSON.parse(source)).toEqual({
    '@timestamp': letter.at,
    message: letter.source,
    event: { kind: 'pipeline_error', module: 'remora' },
    error: { type: letter.type, message: 'failed' },
    http: { response: { status_code: 400 } },
    labels: { target: 'logs-a' },
    log: { file: { path: '/a.log' }, offset: 5 },
  })
  // Whatever was made of it by hand, it is text here.
  expect(asReport({ ...letter, action: 'x', source: '{"a"\n' }, 'dead')).toMatchObject({ hasId: false })
})
