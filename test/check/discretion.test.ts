import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { printable } from '../../src/base/printable.ts'
import { Discretion } from '../../src/check/discretion.ts'

const apiKey = Buffer.from('an-id:a-very-secret-value').toString('base64')
const none = { apiKey: undefined, username: undefined, password: undefined }

test.each([
  ['plain, ümlaut 🦀 日本', 'plain, ümlaut 🦀 日本'],
  ['ev\u001b[31mil', 'ev\\u{1b}[31mil'],
  ['two\nlines\t\r', 'two\\u{a}lines\\u{9}\\u{d}'],
  ['\u202egpj.exe', '\\u{202e}gpj.exe'],
  ['half \ud800', 'half \\u{d800}'],
  ['\u009b0m\u007f', '\\u{9b}0m\\u{7f}'],
])('%j is printed as %j', (text, shown) => expect(printable(text)).toBe(shown))

describe('what somebody else says', () => {
  const user = new Discretion({ apiKey: undefined, username: 'me', password: 'abc' })
  test.each(['abc', 'x abc y', Buffer.from('me:abc').toString('base64'), 'Basic bWU6YWJj'])(
    'is not told when even a short secret is in it: %s',
    (text) => expect(user.quote(text)).toBe('(not shown: a secret is in it)'),
  )
  test('is told on one line, cut', () => {
    expect(user.quote(' Welcome\n  to nginx ')).toBe('Welcome to nginx')
    expect(user.quote('x'.repeat(500))).toHaveLength(161)
  })
  test('is told when there are no secrets, an empty one included', () => {
    expect(new Discretion(none).quote('hello')).toBe('hello')
    expect(new Discretion({ ...none, password: '' }).quote('hello')).toBe('hello')
  })
})

test('every form of a key that was sent is hidden', () => {
  const discretion = new Discretion({ ...none, apiKey })
  for (const form of [apiKey, encodeURIComponent(apiKey), 'an-id:a-very-secret-value', 'a-very-secret-value']) {
    expect(discretion.hide(`before ${form} after`)).toBe('before ******** after')
    expect(discretion.quote(`before ${form} after`)).not.toContain(form)
  }
})

test('a password is hidden wherever it stands, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 6, unit: 'grapheme' }), fc.string(), fc.string(), (password, before, after) => {
      fc.pre(!'********'.includes(password) && !password.includes('*'))
      const discretion = new Discretion({ ...none, username: 'me', password })
      const text = before + password + after
      expect(discretion.hide(text)).not.toContain(password)
      expect(discretion.quote(text, 10_000)).not.toContain(password)
    }),
  )
})
