import { expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { VolumeDoubts, type Doubt } from '../../src/volume/doubts.ts'

const partly = (path: string, code = 'EACCES'): Doubt => ({ kind: 'partly', path, code })
const minuteMs = limits.troubleIntervalMs

test('each change is said once, and what comes and goes once a minute at most', () => {
  const said: (string | undefined)[] = []
  const doubts = new VolumeDoubts((_, doubt) => said.push(doubt?.kind))
  doubts.take('/logs', undefined, 0)
  expect(said).toEqual([])
  for (let n = 0; n < 10; n++) doubts.take('/logs', partly(`/logs/${n}`), n * 500)
  expect(said).toEqual(['partly'])
  for (let n = 0; n < 10; n++) doubts.take('/logs', n % 2 === 0 ? undefined : partly('/logs/x'), 5_000 + n * 500)
  expect(said).toEqual(['partly'])
  doubts.take('/logs', undefined, minuteMs)
  expect(said).toEqual(['partly', undefined])
  doubts.take('/logs', { kind: 'unmeasured', path: '/logs', code: 'ENOENT' }, 2 * minuteMs)
  doubts.take('/logs', { kind: 'unmeasured', path: '/logs', code: 'EIO' }, 3 * minuteMs)
  expect(said).toEqual(['partly', undefined, 'unmeasured', 'unmeasured'])
})

test('of each volume by itself, and of one that is none any more nothing is known', () => {
  const said: string[] = []
  const doubts = new VolumeDoubts((volume) => said.push(volume))
  doubts.take('/a', partly('/a/x'), 0)
  doubts.take('/b', partly('/b/x'), 0)
  doubts.take('/c', undefined, 0)
  expect(said).toEqual(['/a', '/b'])
  expect([...doubts.all.keys()]).toEqual(['/a', '/b'])
  doubts.keep(['/b'])
  expect([...doubts.all.keys()]).toEqual(['/b'])
})
