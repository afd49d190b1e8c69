import { expect, test } from 'vitest'
import { prettyLine } from '../../src/admin/pretty.ts'

const line = (more: Record<string, unknown>) =>
  `${JSON.stringify({ '@timestamp': '2026-11-26T10:00:00.123Z', 'log.level': 'warn', message: 'm', 'event.code': 'GAP', ...more })}\n`

test('time, level, code, message, and the way out on a line of its own', () => {
  expect(prettyLine(line({ message: '/a — b.log: it went — Keep it.' }), false)).toBe(
    '10:00:00.123 WARN  GAP /a — b.log: it went\n             → Keep it.\n',
  )
  expect(prettyLine(line({ 'log.level': 'info', message: 'all is well' }), false)).toBe(
    '10:00:00.123 INFO  GAP all is well\n',
  )
})

test('the stack of a fault stands below', () => {
  expect(prettyLine(line({ 'log.level': 'fatal', err: 'Error: x\n    at y' }), false)).toBe(
    '10:00:00.123 FATAL GAP m\n             Error: x\n                 at y\n',
  )
})

test('in colour where that is wanted', () => {
  expect(prettyLine(line({}), true)).toBe(
    '\u001b[2m10:00:00.123\u001b[0m \u001b[33mWARN \u001b[0m \u001b[33mGAP\u001b[0m m\n',
  )
})

test('a name from outside gives a terminal no orders', () => {
  const shown = prettyLine(line({ message: '/\u001b[2J\u009b31m\u202egol.a\nfake 10:00:00.123 INFO: gone' }), false)
  expect(shown.split('\n')).toHaveLength(2)
  expect(shown).toContain('/\\u{1b}[2J\\u{9b}31m\\u{202e}gol.a\\u{a}fake')
})
