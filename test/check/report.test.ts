import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { error, misconfigured, ok, warning, type Finding } from '../../src/check/finding.ts'
import { closingText, exitCodeOf, sectionText, wrapped, type Paint } from '../../src/check/report.ts'

const plain: Paint = (_, text) => text
const coloured: Paint = (style, text) => `\u001b[${style.length}m${text}\u001b[0m`

const findings: Finding[] = [
  ok('port 9600 is free'),
  ok('2 files matched:', ['1 B  /a.log', '2 B  /b.log']),
  warning(
    `a sentence that is longer than one line of a terminal has, so that it ${'must '.repeat(4)}wrap`,
    'look at it',
  ),
  error('the user may not write', 'Give the role these privileges', ['{"names":["x"]}']),
]

test('a section in a terminal of 80 columns', () => {
  expect(sectionText({ title: 'Title', findings }, plain)).toBe(`
Title
  ok       port 9600 is free
  ok       2 files matched:
           1 B  /a.log
           2 B  /b.log
  warning  a sentence that is longer than one line of a terminal has, so that it
           must must must must wrap
           > look at it
  error    the user may not write
           > Give the role these privileges
               {"names":["x"]}
`)
})

test('colour changes nothing else', () => {
  const section = { title: 'Title', findings }
  expect(stripVTControlCharacters(sectionText(section, coloured))).toBe(sectionText(section, plain))
  expect(sectionText(section, coloured)).not.toBe(sectionText(section, plain))
})

test('no line is longer than 80 columns unless one word is', () => {
  const path = `/${'x'.repeat(100)}`
  const long = error(`${path}: ${'word '.repeat(60)}`, 'way '.repeat(60))
  const lines = sectionText({ title: 'T', findings: [long] }, plain).split('\n')
  expect(lines.filter((line) => line.length > 80)).toEqual([`  error    ${path}:`])
})

test('a word longer than a line stands whole on a line of its own', () => {
  expect(wrapped('at https://elasticsearch.example:9200 now', 10)).toEqual([
    'at',
    'https://elasticsearch.example:9200',
    'now',
  ])
})

test.each([
  [[ok('a')], 0, '1 ok, 0 warnings, 0 errors', 'start `remora run`'],
  [[ok('a'), warning('b', 'c')], 0, '1 ok, 1 warning, 0 errors', 'read the warnings'],
  [[warning('b', 'c'), error('b', 'c')], 1, '0 ok, 1 warning, 1 error', 'Mend what is marked error'],
  [[error('b', 'c'), misconfigured('b', 'c')], 2, '0 ok, 0 warnings, 2 errors', 'Correct the settings'],
] as const)('%# the exit code and the closing words', (all, code, counts, next) => {
  expect(exitCodeOf(all)).toBe(code)
  const text = closingText(all, plain)
  expect(text).toContain(counts)
  expect(text).toContain(next)
})
