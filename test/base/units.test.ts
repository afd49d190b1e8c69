import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatBytes, formatDurationMs, parseBytes, parseDurationMs, quoted } from '../../src/base/units.ts'

const naturals = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(100_000),
  fc.nat(2000).map((count) => count * 1024 * 1024),
)

describe('bytes', () => {
  test.each([
    ['0', 0],
    ['100', 100],
    ['+100', 100],
    ['64Mi', 67_108_864],
    ['1500k', 1_500_000],
    ['1.5Gi', 1_610_612_736],
    ['.5Ki', 512],
    ['5.Ki', 5120],
    ['1e3', 1000],
    ['1E3', 1000],
    ['1e+3', 1000],
    ['2.5e1', 25],
    ['1M', 1_000_000],
    ['1Ti', 1_099_511_627_776],
    ['0.0000001E', 100_000_000_000],
    // Rounded up to whole bytes, as Kubernetes does.
    ['1.1Ki', 1127],
    ['0.1', 1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s is %i', (text, bytes) => expect(parseBytes(text)).toEqual({ ok: true, value: bytes }))

  test.each([
    ['64MB', '64M (64000000 bytes) or 64Mi (67108864 bytes)'],
    ['64mb', '64M (64000000 bytes) or 64Mi (67108864 bytes)'],
    ['64m', '64M (64000000 bytes) or 64Mi (67108864 bytes)'],
    ['64MiB', 'write 64Mi (67108864 bytes)'],
    ['64mi', 'write 64Mi (67108864 bytes)'],
    ['64 Mi', 'write 64Mi (67108864 bytes)'],
    ['64K', '64k (64000 bytes) or 64Ki (65536 bytes)'],
    ['1g', '1G (1000000000 bytes) or 1Gi (1073741824 bytes)'],
    ['100b', 'write 100'],
    ['100 bytes', 'write 100'],
    ['-1', 'as in Kubernetes'],
    ['-64Mi', 'as in Kubernetes'],
    ['', 'as in Kubernetes'],
    ['lots', 'as in Kubernetes'],
    ['1,000', 'as in Kubernetes'],
    ['0x10', 'as in Kubernetes'],
    ['1e-3', 'as in Kubernetes'],
    ['1e99', 'as in Kubernetes'],
    ['Infinity', 'as in Kubernetes'],
    ['8Ei', 'as in Kubernetes'],
    ['9007199254740992', 'as in Kubernetes'],
    ['1'.repeat(50), 'as in Kubernetes'],
  ])('%s is refused with a way out', (text, wayOut) => {
    const parsed = parseBytes(text)
    expect(parsed).toEqual({ ok: false, message: expect.any(String), wayOut: expect.stringContaining(wayOut) })
  })

  test('thousandths of a byte are named as what they are', () => {
    expect(parseBytes('64m')).toMatchObject({ message: '"64m" means thousandths of a byte in Kubernetes' })
  })

  test.each([
    [0, '0'],
    [1000, '1k'],
    [1024, '1Ki'],
    [1500, '1500'],
    [65536, '64Ki'],
    [1_500_000, '1500k'],
    [1024 * 1000, '1000Ki'],
  ])('%i is written %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  test('what is formatted is read back exactly', () => {
    fc.assert(
      fc.property(naturals, (bytes) => {
        expect(parseBytes(formatBytes(bytes))).toEqual({ ok: true, value: bytes })
      }),
    )
  })

  test('every amount in every unit is the product, rounded up', () => {
    const units = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, k: 1e3, M: 1e6, G: 1e9 }
    const quarters = fc.nat(4000)
    fc.assert(
      fc.property(quarters, fc.constantFrom(...Object.entries(units)), (count, [name, size]) => {
        expect(parseBytes(`${count / 4}${name}`)).toEqual({ ok: true, value: Math.ceil((count / 4) * size) })
      }),
    )
  })

  test('no text throws, and what is refused says why', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[-+.\deEkKmMgiIbB ]{0,12}$/)), (text) => {
        const parsed = parseBytes(text)
        const answer = parsed.ok ? formatBytes(parsed.value) : parsed.message && parsed.wayOut
        expect(answer).not.toBe('')
      }),
    )
  })

  test('only a number of bytes is formatted', () => {
    for (const wrong of [-1, 0.5, NaN, Infinity]) expect(() => formatBytes(wrong)).toThrow('not a number of bytes')
  })
})

describe('durations', () => {
  test.each([
    ['0ms', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['1.5s', 1500],
    ['0.5h', 1_800_000],
    ['1m500ms', 60_500],
    ['1d2h3m4s5ms', 93_784_005],
    ['90m', 5_400_000],
  ])('%s is %i ms', (text, durationMs) => expect(parseDurationMs(text)).toEqual({ ok: true, value: durationMs }))

  test.each([
    ['30', 'has no unit', 'write 30ms, 30s or 30m'],
    ['0', 'has no unit', '0ms'],
    ['1.5', 'has no unit', '1.5s'],
    ['-30s', 'is negative', 'longest first'],
    ['-30', 'is negative', 'longest first'],
    ['30S', 'is not a duration', 'write 30s'],
    ['30 s', 'is not a duration', 'write 30s'],
    ['30sec', 'is not a duration', 'write 30s'],
    ['5 minutes', 'is not a duration', 'write 5m'],
    ['5min', 'is not a duration', 'write 5m'],
    ['100us', 'is not a duration', 'longest first'],
    ['30m1h', 'does not go from the longest', 'longest first'],
    ['1s1s', 'does not go from the longest', 'longest first'],
    ['0.5ms', 'is not a whole number of milliseconds', 'longest first'],
    ['', 'is not a duration', 'longest first'],
    ['soon', 'is not a duration', 'longest first'],
    ['1h 30m', 'is not a duration', 'longest first'],
    ['9007199254740992ms', 'is more than 2^53', 'longest first'],
    [`${'9'.repeat(50)}s`, 'is not a duration', 'longest first'],
  ])('%s %s', (text, message, wayOut) => {
    const expected = { ok: false, message: expect.stringContaining(message), wayOut: expect.stringContaining(wayOut) }
    expect(parseDurationMs(text)).toEqual(expected)
  })

  test.each([
    [0, '0ms'],
    [200, '200ms'],
    [60_000, '1m'],
    [90_000, '1m30s'],
    [86_400_001, '1d1ms'],
  ])('%i is written %s', (durationMs, text) => expect(formatDurationMs(durationMs)).toBe(text))

  test('what is formatted is read back exactly', () => {
    fc.assert(
      fc.property(naturals, (durationMs) => {
        expect(parseDurationMs(formatDurationMs(durationMs))).toEqual({ ok: true, value: durationMs })
      }),
    )
  })

  test('no text throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[-.\ddhms ]{0,12}$/)), (text) => {
        const parsed = parseDurationMs(text)
        const answer = parsed.ok ? formatBytes(parsed.value) : parsed.message && parsed.wayOut
        expect(answer).not.toBe('')
      }),
    )
  })

  test('only a number of milliseconds is formatted', () => {
    for (const wrong of [-1, 0.5, NaN]) expect(() => formatDurationMs(wrong)).toThrow('not a number of milliseconds')
  })
})

test('quoted text stays on one line and is cut', () => {
  expect(quoted('a\nb')).toBe(String.raw`"a\nb"`)
  expect(quoted('x'.repeat(100), 3)).toBe('"xxx…"')
})
