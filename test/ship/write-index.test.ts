import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { readAlias, readErrorType, readFound, readResolved, searchFor } from '../../src/ship/write-index.ts'

describe('which indices are asked', () => {
  test.each([
    // before, now, asked when thorough, asked when not
    ['nothing has changed', ['a'], ['a'], ['a'], []],
    ['nothing has changed in a stream with older ones', ['a', 'b'], ['a', 'b'], ['b'], []],
    ['rolled over', ['a'], ['a', 'b'], ['b', 'a'], ['b', 'a']],
    ['rolled over twice', ['a'], ['a', 'b', 'c'], ['c', 'b', 'a'], ['c', 'b', 'a']],
    ['one that was written to by neither is not asked', ['x', 'a'], ['x', 'a', 'b'], ['b', 'a'], ['b', 'a']],
    ['the old one was deleted meanwhile', ['a'], ['b'], ['b', 'a'], ['b', 'a']],
    ['another old one was deleted', ['x', 'a'], ['a'], ['a'], []],
    ['the old one was shrunk into another', ['a'], ['shrink-a', 'b'], ['b', 'shrink-a', 'a'], ['b', 'shrink-a', 'a']],
    ['there was no target', [], ['a'], ['a'], []],
    ['there was no target, and it was rolled over', [], ['a', 'b'], ['b', 'a'], ['b', 'a']],
    ['there is none yet', [], [], [], []],
    ['it was deleted', ['a'], [], ['a'], ['a']],
    ['an alias went to another index and has both', ['a', 'b'], ['b', 'a'], ['a', 'b'], ['a', 'b']],
    ['an alias was swapped', ['a'], ['b'], ['b', 'a'], ['b', 'a']],
    ['nobody knows what was', null, ['a', 'b', 'c'], ['c', 'b', 'a'], ['c', 'b', 'a']],
    ['nobody knows, and there is one', null, ['a'], ['a'], []],
    ['a plain index answers for itself', ['logs'], ['logs'], [], []],
    ['a plain index that was made meanwhile', [], ['logs'], [], []],
    ['an index became a stream', ['logs'], ['a'], ['a', 'logs'], ['a', 'logs']],
  ] as [string, string[] | null, string[], string[], string[]][])('%s', (_name, before, now, thorough, lightly) => {
    expect(searchFor('logs', before, now, true)).toEqual({ indices: thorough, cut: false })
    expect(searchFor('logs', before, now, false)).toEqual({ indices: lightly, cut: false })
  })

  test('not more than a bound, the newest first', () => {
    const now = Array.from({ length: limits.lookupIndicesMax + 1 }, (_, at) => `index-${at}`)
    const search = searchFor('logs', null, now, false)
    expect(search).toMatchObject({ cut: true })
    expect(search.indices).toEqual(now.slice(1).toReversed())
  })

  test('an older list asks for more, never for less', () => {
    const history = [[], ['a'], ['a', 'b'], ['a', 'b', 'c'], ['b', 'c', 'd'], ['c', 'd', 'e']]
    for (const [end, now] of history.entries()) {
      const present = new Set(now)
      const asked = history
        .slice(0, end + 1)
        .map((before) => new Set(searchFor('logs', before, now, true).indices).intersection(present))
      for (const [at, younger] of asked.slice(1).entries()) expect(younger.isSubsetOf(asked[at]!)).toBe(true)
    }
  })
})

describe('answers of a real server', () => {
  const none = { indices: [], aliases: [], data_streams: [] }

  test.each([
    [
      { ...none, data_streams: [{ name: 's', backing_indices: ['.ds-1', '.ds-2'] }] },
      { indices: ['.ds-1', '.ds-2'], alias: false },
    ],
    [
      { ...none, data_streams: [{ backing_indices: '.ds-1' }] },
      { indices: ['.ds-1'], alias: false },
    ],
    [
      { indices: [], aliases: [{ name: 'app', indices: ['a', 'b'] }], data_streams: [] },
      { indices: ['a', 'b'], alias: true },
    ],
    [
      { ...none, indices: [{ name: 'plain', attributes: ['open'] }] },
      { indices: ['plain'], alias: false },
    ],
    // Elasticsearch 7 and OpenSearch, where there is no target.
    [none, { indices: [], alias: false }],
    [{}, undefined],
    [{ ...none, indices: 'plain' }, undefined],
    [{ indices: [{ name: 'plain' }] }, undefined],
    [{ ...none, data_streams: [{ backing_indices: [7] }] }, undefined],
    [{ errors: false, items: [] }, undefined],
    ['<html>', undefined],
    [null, undefined],
  ])('which indices: %j', (answer, resolved) => expect(readResolved(answer)).toEqual(resolved))

  test.each([
    [{ a: { aliases: { app: { is_write_index: false } } }, b: { aliases: { app: { is_write_index: true } } } }, 'b'],
    [{ a: { aliases: { app: {} } } }, 'a'],
    [{ a: { aliases: { app: {} } }, b: { aliases: { app: {} } } }, undefined],
    [{ a: { aliases: { other: { is_write_index: true } } }, b: {} }, undefined],
    [{}, undefined],
    [null, undefined],
  ])('which one is written to: %j', (answer, name) => expect(readAlias(answer, 'app')).toBe(name))

  test.each([
    [{ docs: [{ found: true }, { found: false }] }, 2, [true, false]],
    [{ docs: [{ error: { type: 'index_not_found_exception' } }, { found: true }] }, 2, [false, true]],
    [{ docs: [{ error: { type: 'index_closed_exception' } }, { found: true }] }, 2, undefined],
    [{ docs: [{ found: true }] }, 2, undefined],
    [{ docs: [{}] }, 1, undefined],
    [{ items: [] }, 0, undefined],
    ['', 1, undefined],
  ])('what is there: %j', (answer, ids, found) => expect(readFound(answer, ids)).toEqual(found))

  test.each([
    [{ error: { type: 'security_exception' } }, 'security_exception'],
    [{ docs: [{ error: { type: 'index_closed_exception' } }] }, 'index_closed_exception'],
    [
      { docs: [{ found: true }, { error: { type: 'no_shard_available_action_exception' } }] },
      'no_shard_available_action_exception',
    ],
    [{ docs: [{ error: { type: 'index_not_found_exception' } }] }, ''],
    [{ error: 'no handler found' }, ''],
    ['<html>', ''],
  ])('why not: %j', (answer, type) => expect(readErrorType(answer)).toBe(type))
})
