import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { labelOf } from '../../../src/admin/metrics/printable.ts'
import { limits } from '../../../src/base/limits.ts'
import { runs } from '../../base/runs.ts'

test('a name as it is', () => expect(labelOf('/var/log/app/größe 1.log')).toBe('/var/log/app/größe 1.log'))

test.each([
  ['/a\nb.log', /^\/a\\u\{a\}b\.log~[0-9a-f]{8}$/],
  ['/a\u202eb.log', /^\/a\\u\{202e\}b\.log~[0-9a-f]{8}$/],
  ['/a\u001b[31mb.log', /^\/a\\u\{1b\}\[31mb\.log~[0-9a-f]{8}$/],
  [`/logs/${'x'.repeat(5_000)}end.log`, /^…x+end\.log~[0-9a-f]{8}$/],
] as const)('%j is shown in part or escaped', (name, shown) => expect(labelOf(name)).toMatch(shown))

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 5_000 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 600 }).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: fc.constantFrom('\n', '"', '\\', '\u202e', '😀', 'a', '~', '…'), maxLength: 400 }),
)

test('whatever the name: bounded, visible, valid text', () => {
  fc.assert(
    fc.property(hostile, (name) => {
      const label = labelOf(name)
      expect(label.length).toBeLessThanOrEqual(limits.metricPathMax)
      expect(label).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      expect(Buffer.from(label, 'utf8').toString('utf8')).toBe(label)
    }),
    runs(1000),
  )
})

test('two names never share a label', () => {
  fc.assert(
    fc.property(hostile, hostile, (one, other) => one === other || labelOf(one) !== labelOf(other)),
    runs(1000),
  )
  const long = 'x'.repeat(400)
  expect(labelOf(`/a${long}`)).not.toBe(labelOf(`/b${long}`))
  expect(labelOf('/a\n')).not.toBe(labelOf('/a\\u{a}'))
})
