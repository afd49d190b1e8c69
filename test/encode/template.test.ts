import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { prefixBytesMax } from '../../src/encode/layout.ts'
import { nest, Templates, type Origin } from '../../src/encode/template.ts'
import { runs } from '../base/runs.ts'

const origin: Origin = { path: '/var/log/app/app.log', generationId: undefined, readAtMs: 0, seenMs: 0 }

/** The document that the kernel would make of a message and an offset. */
function documentOf(fields: ReadonlyMap<string, string>, from: Origin): { action: unknown; source: unknown } {
  const { prefix, suffix } = new Templates(fields).of(from)
  const lines = `${prefix.toString()}hello${suffix.toString()}7}}`.split('\n')
  expect(lines).toHaveLength(2)
  const [action, source] = lines.map((line) => JSON.parse(line) as unknown)
  return { action, source }
}

describe('dotted names become objects', () => {
  test.each([
    [[], {}],
    [[['team', 'payments']], { team: 'payments' }],
    [[['service.name', 'orders']], { service: { name: 'orders' } }],
    [
      [
        ['a.b.c', '1'],
        ['a.b.d', '2'],
        ['a.e', '3'],
        ['f', '4'],
      ],
      { a: { b: { c: '1', d: '2' }, e: '3' }, f: '4' },
    ],
    [
      [
        ['constructor.prototype', '1'],
        ['toString', '2'],
      ],
      { constructor: { prototype: '1' }, toString: '2' },
    ],
  ] as const)('%j', (fields, object) => {
    expect(JSON.parse(JSON.stringify(nest(new Map(fields))))).toEqual(object)
  })

  test('a name out of JavaScript itself is a name like any other', () => {
    expect(JSON.stringify(nest(new Map([['__proto__.polluted', 'yes']])))).toBe('{"__proto__":{"polluted":"yes"}}')
    expect({}).not.toHaveProperty('polluted')
  })

  test.each([
    ['a.b', 'a'],
    ['a', 'a.b'],
    ['a.b.c', 'a.b'],
    ['a.b', 'a.b.c'],
  ])('%s and %s cannot both be, and neither is dropped silently', (one, other) => {
    const fields = [one, other].map((name): [string, string] => [name, 'x'])
    expect(() => nest(new Map(fields))).toThrow(`the field ${other}`)
  })
})

describe('a document', () => {
  test('without an id and fields', () => {
    expect(documentOf(new Map(), origin)).toEqual({
      action: { create: {} },
      source: {
        '@timestamp': '1970-01-01T00:00:00.000Z',
        message: 'hello',
        log: { file: { path: '/var/log/app/app.log' }, offset: 7 },
      },
    })
  })

  test('with both', () => {
    const fields = new Map([['kubernetes.namespace', 'shop']])
    const template = new Templates(fields).of({ ...origin, generationId: 'abcdefghijkl' })
    expect(template.prefix.toString('utf8', 0, template.idHoleAt)).toBe('{"create":{"_id":"abcdefghijkl')
    expect(template.prefix.toString('utf8', template.idHoleAt).startsWith(`${' '.repeat(16)}"}}\n`)).toBe(true)
    expect(documentOf(fields, origin).source).toHaveProperty('kubernetes.namespace', 'shop')
  })

  test('any path and any value come through as they are', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc
        .array(fc.constantFrom('"', '\\', '\n', '\r', '\0', '\x1b', '\u2028', '😀', '\uFFFD', '{', '}'))
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, text, text, (path, one, other) => {
        const fields = new Map([
          ['a.b', one],
          ['a.c', other],
        ])
        expect(documentOf(fields, { ...origin, path }).source).toMatchObject({
          a: { b: one, c: other },
          message: 'hello',
          log: { file: { path }, offset: 7 },
        })
      }),
      runs(500),
    )
  })
})

describe('an index for each date', () => {
  const dated = new Templates(new Map(), 'app-{+yyyy.MM.dd}')
  const seenMs = Date.UTC(2026, 10, 25, 23, 59)
  const actionOf = (from: Origin) => {
    const { prefix, idHoleAt } = dated.of(from)
    return { action: JSON.parse(prefix.toString().split('\n')[0]!) as unknown, prefix, idHoleAt }
  }

  test('is that of the generation, whatever time it is', () => {
    const now = { ...origin, readAtMs: Date.UTC(2027, 0, 1) }
    expect(actionOf({ ...now, seenMs }).action).toEqual({ create: { _index: 'app-2026.11.25' } })
    expect(actionOf({ ...now, seenMs: seenMs + 60_000 }).action).toEqual({ create: { _index: 'app-2026.11.26' } })
    expect(actionOf({ ...now, seenMs }).action).toEqual({ create: { _index: 'app-2026.11.25' } })
  })

  test('the id’s hole is where the id ends', () => {
    const { prefix, idHoleAt, action } = actionOf({ ...origin, generationId: 'abcdefghijkl', seenMs })
    expect(action).toEqual({ create: { _index: 'app-2026.11.25', _id: `abcdefghijkl${' '.repeat(16)}` } })
    expect(prefix.toString('latin1', idHoleAt - 12, idHoleAt + 17)).toBe(`abcdefghijkl${' '.repeat(16)}"`)
  })

  test('the longest name of two-byte letters fits, with the hole counted in bytes', () => {
    const long = new Templates(new Map(), `${'ä'.repeat(122)}-{+yyyy.MM.dd}`)
    const { prefix, idHoleAt } = long.of({ ...origin, generationId: 'abcdefghijkl', seenMs })
    expect(prefix.toString('latin1', idHoleAt, idHoleAt + 17)).toBe(`${' '.repeat(16)}"`)
    expect(prefix.length).toBeLessThan(prefixBytesMax)
  })

  test('a name without a date is not in the action', () => {
    const { prefix } = new Templates(new Map(), 'app').of({ ...origin, seenMs })
    expect(prefix.toString()).toMatch(/^\{"create":\{\}\}\n/)
  })
})
