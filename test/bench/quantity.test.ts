import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cpusText, limitsText, parseCpus, parseMemory } from '../../src/bench/limits/quantity.ts'

const mib = 2 ** 20

describe('quantities', () => {
  test.each([
    ['200m', 0.2],
    ['1', 1],
    ['1.5', 1.5],
    ['0.25', 0.25],
    ['.5', 0.5],
    ['1.', 1],
    ['1e-1', 0.1],
    ['1E3', 1000],
    ['100000u', 0.1],
    ['+200000000n', 0.2],
    ['0.0105', 0.011],
  ])('%s processors', (text, cpus) => {
    expect(parseCpus(text)).toEqual({ ok: true, value: cpus })
  })

  test.each([
    '',
    '0',
    '-1',
    '.',
    '.m',
    '1e',
    '1e-',
    '1K',
    '1mi',
    '1e3m',
    '1e4',
    '1.2.3',
    '200M',
    '5000',
    '1 ',
    'm',
    '9m',
  ])('%j processors', (text) => {
    expect(parseCpus(text).ok).toBe(false)
  })

  test.each([
    ['128974848000m', 128974848],
    ['64e6', 64e6],
    ['64E6', 64e6],
    ['640000000e-1', 64e6],
    ['.5Gi', 512 * mib],
    ['64.Mi', 64 * mib],
    ['20000000.1', 20000001],
  ])('%s of memory', (text, bytes) => {
    expect(parseMemory(text)).toEqual({ ok: true, value: bytes })
  })

  test.each([
    ['64m', '64M (64000000 bytes) or 64Mi'],
    ['64MB', '64M (64000000 bytes) or 64Mi'],
    ['1e3', '16Mi'],
    ['-64Mi', 'write a quantity'],
    ['9Ei', '64Mi'],
    ['10000000000m', 'write at least 16Mi'],
  ])('%s of memory is refused, with the way out', (text, wayOut) => {
    expect(parseMemory(text)).toMatchObject({ ok: false, wayOut: expect.stringContaining(wayOut) })
  })

  test('however it is spelled, it is as much', () => {
    const places = fc.integer({ min: -9, max: 9 })
    const padding = fc.record({ plus: fc.constantFrom('', '+'), zeros: fc.nat(3).map((length) => '0'.repeat(length)) })
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 1_024_000 }), places, padding, (thousandths, shift, { plus, zeros }) => {
        // As many thousandths, the point somewhere else and an exponent to make up for it.
        const [digits, at] = [
          `${'0'.repeat(10)}${thousandths}${'0'.repeat(10)}`,
          10 + String(thousandths).length + shift,
        ]
        const spelled = `${plus}${zeros}${digits.slice(0, at)}.${digits.slice(at)}e${-3 - shift}`
        const suffixed = [`${thousandths}m`, `${thousandths}000u`, `${thousandths}.000m`, `${thousandths}e-3`]
        for (const text of [spelled, ...suffixed])
          expect([text, parseCpus(text)]).toEqual([text, { ok: true, value: thousandths / 1_000 }])
        const bytes = thousandths * 2 ** 11
        const memory = [`${bytes}000m`, `${bytes}e0`, `${thousandths * 2}Ki`].map((text) => parseMemory(text))
        for (const each of memory) expect(each.ok && each.value).toBe(bytes >= 16 * mib && bytes)
      }),
    )
  })

  test('whatever it is, it is an amount within bounds or a refusal', () => {
    const part = fc.constantFrom('1', '9', '0', '.', '-', '+', 'e', 'E', 'm', 'i', 'K', 'G', 'n', ' ', '99999')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = parts.join('')
        const [cpus, memory] = [parseCpus(text), parseMemory(text)]
        expect(!cpus.ok || (cpus.value >= 0.01 && cpus.value <= 1024)).toBe(true)
        expect(!memory.ok || Number.isSafeInteger(memory.value)).toBe(true)
        // Source: apimachinery, `splitREString`.
        expect((!cpus.ok && !memory.ok) || /^[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*$/.test(text)).toBe(true)
      }),
    )
  })

  test('what is printed is read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 1_024_000 }), (thousandths) => {
        const cpus = thousandths / 1_000
        expect(parseCpus(cpusText(cpus))).toEqual({ ok: true, value: cpus })
      }),
    )
  })

  test.each([
    [undefined, undefined, 'unlimited'],
    [0.2, 64 * mib, '200m CPU, 64Mi'],
    [1, undefined, '1 CPU, no memory limit'],
    [undefined, 48 * mib, 'no CPU limit, 48Mi'],
  ])('%s processors and %s bytes', (cpus, memoryBytes, text) => expect(limitsText({ cpus, memoryBytes })).toBe(text))

  test('memory in which Node does not start is refused', () => {
    expect(parseMemory('8Mi').ok).toBe(false)
    expect(parseMemory('64Mi')).toEqual({ ok: true, value: 64 * mib })
  })
})
