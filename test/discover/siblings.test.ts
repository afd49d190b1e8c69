import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { namesBeforeRotation } from '../../src/discover/siblings.ts'

describe('a rotated name', () => {
  test.each([
    ['app.log.1', 'app.log'],
    ['app.log.10', 'app.log'],
    ['app.log.1.gz', 'app.log'],
    ['app.log.1.gz', 'app.log.1'],
    ['app.log.gz', 'app.log'],
    ['app.log-20260101', 'app.log'],
    ['app.log-20260101-1767225600', 'app.log'],
    ['app.log-20260101.zst', 'app.log'],
    ['app.log.2026-01-01', 'app.log'],
    ['app.log.2026-01-01.1', 'app.log'],
    ['app.log.2026-01-01-10', 'app.log'],
    ['app.log.2026-01-01T00:00:00+02:00', 'app.log'],
    ['app.1.log', 'app.log'],
    ['app-2026-01-01.log', 'app.log'],
    ['app.2026-01-01.0.log.gz', 'app.log'],
    ['app-2026-01-01T10-00-00.000.log', 'app.log'],
    ['app_20260101.log', 'app.log'],
    ['catalina.2026-01-01.log', 'catalina.log'],
    ['app.log.old', 'app.log'],
    ['app.log.bak', 'app.log'],
    ['app.log.prev', 'app.log'],
    ['app.log~', 'app.log'],
    ['two\nlines.log.1', 'two\nlines.log'],
    ['a "quoted" name.log.1', 'a "quoted" name.log'],
  ])('%j may have been %j', (rotated, before) => {
    expect(namesBeforeRotation(rotated)).toContain(before)
  })

  test.each([['app.log'], ['older.log'], ['1.log'], ['.1'], ['-1'], ['~'], [''], ['oldest.txt']])('is not %j', (name) =>
    expect(namesBeforeRotation(name)).toEqual([]),
  )

  test('is not its own, whatever it is, and costs no time to speak of', () => {
    const part = fc.constantFrom('app', '.log', '.1', '-2026', '~', 'old', '.', '-', '_', '.gz', '\n', 'é')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        const name = parts.join('')
        const names = namesBeforeRotation(name)
        expect(names).not.toContain(name)
        expect(names).not.toContain('')
        expect(new Set(names).size).toBe(names.length)
        expect(names.length).toBeLessThanOrEqual(2 * name.length)
      }),
    )
  })
})
