import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatFor } from '../../../src/admin/metrics/accept.ts'
import { runs } from '../../base/runs.ts'

const prometheus2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
const onlyText = 'text/plain;version=0.0.4;q=1,*/*;q=0.1'

test.each([
  [prometheus2, 'openmetrics'],
  [prometheus3, 'openmetrics'],
  [onlyText, 'text'],
  [undefined, 'text'],
  ['', 'text'],
  ['*/*', 'text'],
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
  ['Application/OpenMetrics-Text; Version="1.0.0"', 'openmetrics'],
  ['application/openmetrics-text;version=0.0.1', 'text'],
  ['application/openmetrics-text;version=2.0.0', 'text'],
  ['application/openmetrics-text;q=0', 'text'],
  ['application/openmetrics-text;q=0.3, text/plain;q=0.9', 'text'],
  ['text/plain, application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text;q=many', 'text'],
  ['application/openmetrics-text;q=7', 'text'],
  [',;,=;==,;q', 'text'],
] as const)('%s: %s', (accept, format) => expect(formatFor(accept)).toBe(format))

test('any header has an answer', () => {
  fc.assert(
    fc.property(fc.string(), (accept) => {
      expect(['text', 'openmetrics']).toContain(formatFor(accept))
    }),
    runs(500),
  )
})
