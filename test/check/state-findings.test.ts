import { describe, expect, test } from 'vitest'
import { stateFindings, type StateFacts } from '../../src/check/state-findings.ts'

const mib = 1024 * 1024
const good: StateFacts = {
  directory: '/state',
  presence: 'there',
  obstacle: undefined,
  freeBytes: 1024 * mib,
  fileSystem: 'other',
  checkpoint: { kind: 'none' },
  identity: 'uid 7 with groups 7',
}
const readable = {
  kind: 'readable',
  version: 2,
  generations: 3,
  finished: 1,
  ageMs: 240_000,
  fallback: undefined,
  broken: [],
} as const

const textsOf = (facts: Partial<StateFacts>) =>
  stateFindings({ ...good, ...facts }, 16 * mib).map(({ level, text }) => `${level}: ${text}`)

test('a directory as it should be', () => {
  expect(textsOf({})).toEqual([
    'ok: /state is there and can be written',
    'ok: 1.0 GiB are free',
    'ok: no checkpoint yet: this would be the first start',
  ])
  expect(textsOf({ presence: 'made', checkpoint: readable })).toEqual([
    'ok: /state is not there yet, can be made and can be written',
    'ok: 1.0 GiB are free',
    'ok: checkpoint of version 2, written 4 minutes ago: 3 generations, 1 of them finished',
  ])
})

test.each([
  ['EROFS', 'its file system is read-only', /REMORA_STATE_DIR/],
  ['EACCES', 'it may not be written by uid 7 with groups 7', /fsGroup/],
  ['EPERM', 'it may not be written by uid 7 with groups 7', /fsGroup/],
  ['ENOSPC', 'its disk is full', /Make room/],
  ['ENOTDIR', 'a part of this path is a file', /remove the file/],
  ['EEXIST', 'a part of this path is a file', /remove the file/],
  ['EIO', 'EIO: i/o error, open', /REMORA_STATE_DIR/],
])('%s is an error that says "%s"', (code, what, wayOut) => {
  const obstacle = { code, message: `${code}: i/o error, open` }
  const [first, ...more] = stateFindings({ ...good, obstacle, checkpoint: readable }, 16 * mib)
  expect(first?.level).toBe('error')
  expect(first?.text).toBe(`/state: ${what}. Remora would ship, but after each restart it would send every file again`)
  expect(first !== undefined && 'wayOut' in first && first.wayOut).toMatch(wayOut)
  expect(more.map(({ text }) => text.slice(0, 10))).toEqual(['checkpoint'])
})

describe('warnings', () => {
  test.each([
    [{ freeBytes: 10 * mib }, /10 MiB are free; dead letters alone may take 16 MiB/],
    [{ fileSystem: 'overlay' }, /which a restart of the container empties/],
    [{ fileSystem: 'tmpfs' }, /counts against the container's memory limit/],
    [{ checkpoint: { kind: 'unreadable', why: 'its checksum is wrong' } }, /its checksum is wrong.*set it aside/],
    [{ checkpoint: { kind: 'lost' } }, /there is no checkpoint.*send every file again/],
    [
      { checkpoint: { ...readable, broken: ['generation 7: its offset is wrong'] } },
      /1 part .*generation 7: its offset/,
    ],
    [{ checkpoint: { ...readable, fallback: { why: 'x is damaged' } } }, /x is damaged.*The one before would be used/],
  ] as const)('%j', (facts, text) => {
    const warnings = stateFindings({ ...good, ...facts }, 16 * mib).filter(({ level }) => level === 'warning')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.text).toMatch(text)
  })
  test('none about room that nobody could measure', () => {
    expect(textsOf({ freeBytes: undefined })).toHaveLength(2)
  })
  test('none about a clock that was set back: it only tells no age', () => {
    expect(textsOf({ checkpoint: { ...readable, ageMs: -5000 } })[2]).toMatch(/^ok: .*written in the future/)
  })
})
