import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clash, fields } from '../../src/config/fields.ts'

describe('fields', () => {
  test.each([
    ['team=payments', [['team', 'payments']]],
    [
      'labels.team=payments, labels.tier=1',
      [
        ['labels.team', 'payments'],
        ['labels.tier', '1'],
      ],
    ],
    ['a=b=c', [['a', 'b=c']]],
    [
      String.raw`a=1\,2,b=3`,
      [
        ['a', '1,2'],
        ['b', '3'],
      ],
    ],
    [String.raw`a=C:\\x`, [['a', String.raw`C:\x`]]],
    [
      String.raw`a=x\\,b=y`,
      [
        ['a', 'x\\'],
        ['b', 'y'],
      ],
    ],
    ['kubernetes.container.name=app', [['kubernetes.container.name', 'app']]],
    ['service.version=1.2', [['service.version', '1.2']]],
    [
      'b=1,a=2',
      [
        ['b', '1'],
        ['a', '2'],
      ],
    ],
    ['a-b_C.1d=ü', [['a-b_C.1d', 'ü']]],
  ] as const)('%s is %j', (text, pairs) => {
    const parsed = fields.parse(text)
    expect(parsed.ok && [...parsed.value]).toEqual(pairs)
  })

  test.each([
    ['team', 'has no ='],
    ['=x', 'is not a field name'],
    ['a=', 'has no value'],
    ['a=1,', 'empty entry'],
    [',a=1', 'empty entry'],
    ['a=1,,b=2', 'empty entry'],
    ['a=1,a=2', 'given twice'],
    ['a=1,a.b=2', 'a cannot be a text and hold a.b'],
    ['a.b.c=1,a.b=2', 'a.b cannot be a text and hold a.b.c'],
    ['@timestamp=now', '@timestamp is set for every line'],
    ['message=x', 'collides with message'],
    ['message.text=x', 'collides with message'],
    ['log=x', 'collides with log'],
    ['log.level=x', 'collides with log'],
    ['kubernetes=x', 'collides with kubernetes.namespace'],
    ['kubernetes.pod=x', 'collides with kubernetes.pod.name'],
    ['kubernetes.pod.name=x', 'collides with kubernetes.pod.name'],
    ['kubernetes.pod.uid=x', 'collides with kubernetes.pod.uid'],
    ['kubernetes.namespace=x', 'collides with kubernetes.namespace'],
    ['kubernetes.node.name=x', 'collides with kubernetes.node.name'],
    ['data_stream.dataset=x', 'collides with data_stream'],
    ['_id=x', 'is not a field name'],
    ['a..b=x', 'is not a field name'],
    ['.a=x', 'is not a field name'],
    ['a.=x', 'is not a field name'],
    ['a b=x', 'is not a field name'],
    ['a.__proto__=x', 'is not a field name'],
    ['a"b=x', 'is not a field name'],
    [String.raw`a=\n`, 'backslash before neither'],
    [String.raw`a=\\\n`, 'backslash before neither'],
    ['a=x\\', 'backslash before neither'],
    [`a=${'x'.repeat(1025)}`, 'the value of a is too long'],
    [`${'a'.repeat(129)}=x`, 'is too long'],
    [Array.from({ length: 65 }, (_, index) => `f${index}=x`).join(','), '65 fields'],
    [Array.from({ length: 5 }, (_, index) => `f${index}=${'x'.repeat(900)}`).join(','), 'bytes long'],
  ])('%s: %s', (text, message) => {
    expect(fields.parse(text)).toEqual({
      ok: false,
      message: expect.stringContaining(message),
      wayOut: expect.stringMatching(/./),
    })
  })

  test('message and log do not reserve names that only begin like them', () => {
    expect(fields.parse('messages=1,logger=2,log_level=3').ok).toBe(true)
  })

  test('what is shown is read back as the same fields', () => {
    const content = fc.string({ unit: fc.constantFrom(...'ab,\\= "'.split('')), minLength: 1, maxLength: 20 })
    const value = content.map((text) => text.trim()).filter((text) => text !== '')
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
        const given = new Map(values.map((each, index) => [`labels.k${index}`, each]))
        expect(fields.parse(fields.show(given))).toEqual({ ok: true, value: given })
      }),
    )
  })
})

test.each([
  ['a', 'a.b', true],
  ['a.b', 'a', true],
  ['a.b', 'a.c', false],
  ['a', 'ab', false],
  ['a', 'a', false],
])('%s and %s clash: %s', (one, other, clashing) => expect(clash(one, other)).toBe(clashing))
