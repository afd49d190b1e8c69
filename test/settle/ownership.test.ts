import { expect, test } from 'vitest'
import { ownershipOf } from '../../src/settle/ownership.ts'

test.each([
  ['nothing was written yet, and there is nothing', { owned: false, present: false, onDisk: undefined }, 'ours'],
  ['nothing was written yet: the last run has left it', { owned: false, present: false, onDisk: 'before' }, 'ours'],
  ['it is as it was written', { onDisk: 'me' }, 'ours'],
  ['nobody can tell whose it is', { onDisk: '' }, 'ours'],
  ['it was deleted', { onDisk: undefined }, 'deleted'],
  ['it was deleted while another had it', { onDisk: undefined, silentMs: 5 }, 'deleted'],
  ['a write has failed half-way, and there is none', { present: false, onDisk: undefined }, 'ours'],
  ['a write has failed half-way, and another has written', { present: false, onDisk: 'other' }, 'other'],
  ['another has written', { onDisk: 'other' }, 'other'],
  ['another has been silent for a while', { onDisk: 'other', silentMs: 999 }, 'other'],
  ['another has been silent for long', { onDisk: 'other', silentMs: 1000 }, 'silent'],
] as const)('%s', (_name, facts, expected) => {
  expect(ownershipOf({ owned: true, present: true, own: 'me', silentMs: 0, ...facts }, 1000)).toBe(expected)
})
