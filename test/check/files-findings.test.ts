import { describe, expect, test } from 'vitest'
import { filesFindings, type FilesFacts, type MatchedFile } from '../../src/check/files-findings.ts'

const nothing: FilesFacts = { roots: ['/logs'], directories: 1, emptyGlobs: [], obstacles: [], files: [], siblings: [] }
const file = (path: string, more: Partial<MatchedFile> = {}): MatchedFile => ({
  path,
  sizeBytes: 10,
  seen: { content: 'text' },
  ...more,
})
const refusal = {
  code: 'EACCES',
  message: 'it may not be read by uid 7 (owner 1000:2000, mode 0600)',
  wayOut: 'Share.',
  lines: ['securityContext:', '  runAsUser: 1000'],
}

const findingsOf = (facts: Partial<FilesFacts>) => filesFindings({ ...nothing, ...facts }, 10_000)
const textsOf = (facts: Partial<FilesFacts>) => findingsOf(facts).map(({ level, text }) => `${level}: ${text}`)

test('files that match, the largest first, five of them by name', () => {
  const files = [3, 900, 20, 1_500_000, 7, 8].map((sizeBytes, index) => file(`/logs/${index}.log`, { sizeBytes }))
  expect(findingsOf({ files, directories: 4 })).toEqual([
    { level: 'ok', text: 'looks in /logs, 4 directories in all', lines: [] },
    {
      level: 'ok',
      text: '6 files matched, 1.4 MiB in all, the largest first:',
      lines: [
        ' 1.4 MiB  /logs/3.log',
        '   900 B  /logs/1.log',
        '    20 B  /logs/2.log',
        '     8 B  /logs/5.log',
        '     7 B  /logs/4.log',
        '          and 1 more',
      ],
    },
  ])
})

test('a glob that matches nothing, and a directory that is not there', () => {
  const gone = { path: '/gone', code: 'ENOENT', message: "ENOENT: … '/gone'", wayOut: 'It is looked for again.' }
  expect(textsOf({ emptyGlobs: ['/logs/*.txt', '/gone/*.log'], obstacles: [gone] })).toEqual([
    'ok: looks in /logs',
    'warning: no file matches /logs/*.txt yet',
    'warning: /gone: there is no such directory yet, so nothing in it is shipped',
  ])
})

describe('files that cannot be read', () => {
  test('are told together when they have the same reason', () => {
    const files = ['a', 'b', 'c', 'd'].map((name) => file(`/logs/${name}`, { seen: { refusal } }))
    const [, , finding, ...more] = findingsOf({ files })
    expect(finding).toEqual({
      level: 'error',
      text: `/logs/a, /logs/b, /logs/c and 1 more: ${refusal.message}`,
      wayOut: 'Share',
      lines: refusal.lines,
    })
    expect(more).toEqual([])
  })
})

test('content that is no text', () => {
  const files = [file('/logs/a', { seen: { content: 'packed' } }), file('/logs/b', { seen: { content: 'binary' } })]
  expect(textsOf({ files }).slice(2)).toEqual([
    'warning: /logs/a: compressed, so not read',
    'warning: /logs/b: NUL bytes at the start, so binary or UTF-16; would be shipped with what is no UTF-8 replaced',
  ])
})

test.each([
  ['NOT_A_FILE', 'a fifo is not a log file; it is left alone', 'warning', /a fifo is not a log file/],
  ['SYMLINK_OUTSIDE', 'it is a symlink to a place outside', 'warning', /symlink/],
  ['ENOTDIR', 'ENOTDIR: x', 'warning', /it is not a directory/],
  ['EACCES', 'it may not be read and searched by uid 7', 'error', /it may not be read and searched by uid 7/],
  ['DIRECTORY_TOO_LARGE', 'it has 200000 entries', 'warning', /200000/],
] as const)('%s is a finding with a way out', (code, message, level, text) => {
  const obstacles = [{ path: '/logs/x', code, message, wayOut: 'Leave it out.' }]
  expect(findingsOf({ obstacles })[1]).toMatchObject({
    level,
    text: expect.stringMatching(text),
    wayOut: 'Leave it out',
  })
})

test('rotated siblings are named', () => {
  expect(textsOf({ siblings: ['/logs/a.log.1'] })[1]).toMatch(/^ok: 1 rotated file beside them \(\/logs\/a.log.1\)/)
})
