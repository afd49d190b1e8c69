import { describe, expect, test } from 'vitest'
import { begin } from '../../src/settle/begin.ts'
import type { Loaded } from '../../src/settle/checkpoint.ts'
import { stateOf } from './states.ts'

const nowMs = 1_000_000
const path = '/state/checkpoint.json'
const read = { state: { ...stateOf(7), sinceMs: 500 }, dropped: [], version: 2, writer: 'w' }
const nothing: Loaded = { newest: undefined, installation: undefined, unreadable: [] }
const newest = { path, read }
const damaged = { path, keptAs: `${path}.unreadable-1`, why: 'it is empty', future: false }
const installation = { instance: 'installed', sinceMs: 400 }

function begun(loaded: Partial<Loaded>) {
  let made = 0
  const { state, first, reports } = begin({ ...nothing, ...loaded }, nowMs, () => `new-${++made}`)
  const { instance, incarnation, sinceMs } = state
  return {
    first,
    instance,
    incarnation,
    sinceMs,
    generations: state.generations.length,
    codes: reports.map(({ code }) => code),
    reports,
  }
}

describe('what a start begins with', () => {
  test.each([
    [
      'nothing at all: the first start',
      {},
      { first: true, instance: 'new-1', incarnation: 'new-2', sinceMs: 999_000, codes: [] },
    ],
    [
      'the state',
      { newest, installation: { instance: 'here', sinceMs: 400 } },
      { first: false, instance: 'here', incarnation: 'now', sinceMs: 500, generations: 1, codes: [] },
    ],
    ['a state without an instance file', { newest }, { first: false, instance: 'here', incarnation: 'now', codes: [] }],
    [
      'a state of another instance',
      { newest, installation },
      { instance: 'installed', incarnation: 'now', generations: 1, codes: ['INSTANCE_DIFFERS'] },
    ],
    [
      'no checkpoint where Remora has run',
      { installation },
      { first: false, instance: 'installed', incarnation: 'new-1', sinceMs: 400, codes: ['STATE_LOST'] },
    ],
    [
      'a damaged checkpoint alone: what was rotated away at any time may be ours',
      { unreadable: [damaged] },
      { first: false, instance: 'new-1', incarnation: 'new-2', sinceMs: 0, codes: ['STATE_UNREADABLE'] },
    ],
    [
      'a damaged checkpoint and the instance file',
      { unreadable: [damaged], installation },
      { first: false, instance: 'installed', incarnation: 'new-1', sinceMs: 400, codes: ['STATE_UNREADABLE'] },
    ],
    [
      'the one before: the damaged one may have given names out',
      { newest: { path: '/state/checkpoint.previous.json', read }, unreadable: [damaged] },
      { first: false, instance: 'here', incarnation: 'new-1', generations: 1, codes: ['STATE_FALLBACK'] },
    ],
    [
      'a damaged instance file',
      { newest, unreadable: [{ ...damaged, path: '/state/instance' }] },
      { first: false, instance: 'here', incarnation: 'now', codes: ['INSTANCE_UNREADABLE'] },
    ],
    [
      'nothing but a damaged instance file',
      { unreadable: [{ ...damaged, path: '/state/instance' }] },
      { first: false, instance: 'new-1', sinceMs: 0, codes: ['INSTANCE_UNREADABLE'] },
    ],
    [
      'version 1',
      { newest: { path, read: { ...read, version: 1, state: { ...read.state, incarnation: 'none' } } } },
      { first: false, instance: 'here', incarnation: 'new-1', codes: [] },
    ],
    [
      'broken entries',
      { newest: { path, read: { ...read, dropped: ['generation 1: its offset is wrong'] } } },
      { generations: 1, codes: ['STATE_ENTRIES_BROKEN'] },
    ],
    [
      'a first start in the future',
      { newest: { path, read: { ...read, state: { ...read.state, sinceMs: nowMs + 1 } } } },
      { sinceMs: 0, codes: ['CLOCK_SET_BACK'] },
    ],
    [
      'an instance file from the future',
      { installation: { instance: 'installed', sinceMs: nowMs + 1 } },
      { sinceMs: 0, codes: ['STATE_LOST', 'CLOCK_SET_BACK'] },
    ],
  ] satisfies [string, Partial<Loaded>, Record<string, unknown>][])('%s', (_name, loaded, expected) => {
    expect(begun(loaded)).toMatchObject(expected)
  })
})

test('each report has a way out, and one about a newer Remora says how to go back', () => {
  const future = { ...damaged, why: 'a newer Remora has written it', future: true }
  for (const loaded of [{ unreadable: [future] }, { newest, unreadable: [future] }]) {
    const [report] = begun(loaded).reports
    expect(report?.wayOut).toMatch(/put that file back first/)
    expect(report?.message).toContain(future.keptAs)
  }
  expect(begun({ unreadable: [damaged] }).reports[0]?.wayOut).not.toMatch(/put that file back/)
})

test('what could not be moved is said to stay', () => {
  const [report] = begun({ unreadable: [{ ...damaged, keptAs: path }] }).reports
  expect(report?.message).toContain('it stays where it is')
})
