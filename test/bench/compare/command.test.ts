import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareCommand } from '../../../src/bench/compare/command.ts'
import { reportJson } from '../../../src/bench/report/write.ts'
import type { Report } from '../../../src/bench/report/report.ts'
import { bareReport, figure, row } from '../report/example.ts'

function reportOf(ratios: readonly number[], failures: readonly string[] = []): Report {
  const rows = [row('a', [figure('CPU to the copy floor', '×', ratios)], { failures })]
  return bareReport({ scenarios: [{ name: 'saturation', about: '', rows, seconds: 1 }] })
}

let directory = ''
const at = (name: string) => join(directory, `${name}.json`)
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'remora-compare-'))
  writeFileSync(at('good'), reportJson(reportOf([5, 5.1, 5.2])))
  writeFileSync(at('worse'), reportJson(reportOf([6.6, 6.7, 6.8])))
  writeFileSync(at('lossy'), reportJson(reportOf([5, 5.1, 5.2], ['1 of 10 lines lost'])))
  writeFileSync(at('cut'), reportJson(reportOf([5])).slice(0, 200))
})
afterAll(() => rmSync(directory, { recursive: true }))

function compare(...argv: string[]): { code: number; out: string; err: string } {
  let [out, err] = ['', '']
  const place = {
    columns: 100,
    style: (_: string, text: string) => text,
    write: (text: string) => void (out += text),
    complain: (text: string) => void (err += text),
  }
  return { code: compareCommand(argv, place), out, err }
}

describe('remora bench compare', () => {
  test.each([
    ['good', 'good', 0, 'No regression: 0 worse, 0 better, 1 the same'],
    ['good', 'worse', 1, 'REGRESSION: 1 worse'],
    ['worse', 'good', 0, '1 better'],
    ['good', 'lossy', 1, 'FAILED: 0 worse'],
  ])('%s and %s', (before, after, code, text) => {
    const found = compare(at(before), at(after))
    expect([found.code, found.err]).toEqual([code, ''])
    expect(found.out).toContain(text)
  })

  test('what cannot be read ends with 2, and says which', () => {
    const found = compare(at('cut'), at('none'))
    expect([found.code, found.out]).toEqual([2, ''])
    expect(found.err).toMatch(/cut\.json" is cut.*none\.json" cannot be read: ENOENT/s)
  })

  test('a larger least effect finds less', () =>
    expect(compare(at('good'), at('worse'), '--least-effect', '40').code).toBe(0))

  test.each([[[]], [['a']], [['a', 'b', 'c']], [['a', 'b', '--wrong']], [['a', 'b', '--least-effect', 'x']]])(
    '%j',
    (argv) => {
      const found = compare(...argv)
      expect([found.code, found.out]).toEqual([2, ''])
      expect(found.err).toContain('remora bench compare')
    },
  )
})

test('the baseline: made from a good report only, and held against others', () => {
  const script = new URL('../../../bench/check-baseline.ts', import.meta.url).pathname
  const check = (...argv: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [script, ...argv, '--baseline', at('baseline')], {
      encoding: 'utf8',
      timeout: 30_000,
    })
    return [status, stderr]
  }
  expect(check(at('good'))).toEqual([2, expect.stringContaining('there is no baseline yet')])
  expect(check(at('lossy'), '--write')).toEqual([1, expect.stringContaining('lines lost')])
  expect(check(at('worse'), at('good'), '--write')).toEqual([0, ''])
  expect(check(at('good'))[0]).toBe(0)
  expect(check(at('good'), '--write')).toEqual([0, ''])
  expect(check(at('good'))).toEqual([0, ''])
  expect(check(at('worse'))).toEqual([1, ''])
})
