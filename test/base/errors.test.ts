import { expect, test } from 'vitest'
import { assert, codeOf, messageOf, RemoraError } from '../../src/base/errors.ts'

test('an error of the outside has a code and a way out', () => {
  const cause = new Error('EACCES')
  const error = new RemoraError('STATE_UNWRITABLE', 'it cannot be written', 'Mount it', { cause })
  expect(error).toMatchObject({
    name: 'RemoraError',
    code: 'STATE_UNWRITABLE',
    message: 'it cannot be written',
    wayOut: 'Mount it',
    cause,
  })
})

test('a fault of the program stops it', () => {
  expect(() => assert(true, 'all is well')).not.toThrow()
  expect(() => assert(false, 'two and two are five')).toThrow(new Error('assertion failed: two and two are five'))
})

test.each([
  [Object.assign(new Error('x'), { code: 'ENOENT' }), 'ENOENT'],
  [Object.assign(new Error('x'), { code: 7 }), ''],
  [new Error('x'), ''],
  [{ code: 'ENOENT' }, ''],
  [undefined, ''],
  [null, ''],
])('the code of %o is %j', (error, code) => expect(codeOf(error)).toBe(code))

test.each([
  [new Error('broken'), 'broken'],
  ['broken', 'broken'],
  [undefined, 'undefined'],
  [null, 'null'],
  [new Error('x'.repeat(600)), `${'x'.repeat(500)}…`],
])('the message of %o', (error, message) => expect(messageOf(error)).toBe(message))

test('a message is as short as it is asked to be', () => expect(messageOf(new Error('broken'), 3)).toBe('bro…'))
