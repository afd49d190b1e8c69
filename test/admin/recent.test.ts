import { describe, expect, test } from 'vitest'
import { pino } from 'pino'
import { Recent, remember } from '../../src/admin/recent.ts'
import { limits } from '../../src/base/limits.ts'

function make() {
  const clock = { ms: 1_000, nowMs: () => clock.ms }
  return { clock, recent: new Recent(clock) }
}

describe('the last warnings', () => {
  test('the newest first; one that comes again is counted and moves to the front', () => {
    const { clock, recent } = make()
    recent.take('warn', 'A', '', 'first')
    recent.take('error', 'B', '/b.log', 'second')
    clock.ms = 2_000
    recent.take('warn', 'A', '', 'first, anew')
    expect(recent.list).toEqual([
      { level: 'warn', code: 'A', path: '', text: 'first, anew', count: 2, lastMs: 2_000 },
      { level: 'error', code: 'B', path: '/b.log', text: 'second', count: 1, lastMs: 1_000 },
    ])
  })

  test('the same code of two files are two', () => {
    const { recent } = make()
    recent.take('warn', 'A', '/a.log', 'x')
    recent.take('warn', 'A', '/b.log', 'x')
    expect(recent.list).toHaveLength(2)
  })

  test('no more than a bound, of any length: the oldest go', () => {
    const { recent } = make()
    const long = 'x'.repeat(100_000)
    for (let file = 0; file < limits.recentMax + 5; file++) recent.take('warn', 'A', `/${file}${long}`, long)
    expect(recent.list).toHaveLength(limits.recentMax)
    expect(recent.list[0]!.path).toMatch(new RegExp(`^/${limits.recentMax + 4}x`))
    for (const { path, text } of recent.list) expect(path.length + text.length).toBe(2 * limits.recentCharactersMax)
  })
})

test('a logger says as before what is remembered; what is no warning is not', () => {
  const { recent } = make()
  const lines: string[] = []
  const logger = pino({ level: 'error', base: null, timestamp: false }, { write: (line: string) => lines.push(line) })
  remember(logger, recent)
  logger.info({ 'event.code': 'I' }, 'nothing')
  logger.warn({ 'event.code': 'W', 'file.path': '/a' }, 'below the level of the log')
  logger.error({ 'event.code': 'E', other: 7 }, 'said')
  logger.fatal('no fields')
  expect(recent.list.map(({ level, code, path, text }) => [level, code, path, text])).toEqual([
    ['fatal', '', '', ''],
    ['error', 'E', '', 'said'],
    ['warn', 'W', '/a', 'below the level of the log'],
  ])
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { level: 50, 'event.code': 'E', other: 7, msg: 'said' },
    { level: 60, msg: 'no fields' },
  ])
})
