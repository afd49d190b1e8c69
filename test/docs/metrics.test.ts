import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { metricsBegin, metricsByGroup, metricsEnd, metricsReference } from '../../src/admin/metrics/reference.ts'
import { makeMetrics } from '../../src/admin/metrics.ts'
import { parseExposition } from '../admin/exposition.ts'
import { fileFigures, figures } from '../admin/figures.ts'

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
const lines = metricsByGroup().flatMap(([, inGroup]) => inGroup)

test('the table of metrics is what the code knows', () => {
  const table = page.slice(page.indexOf(metricsBegin) + metricsBegin.length, page.indexOf(metricsEnd))
  expect(table, '`npm run docs` writes the new one').toBe(metricsReference())
})

test('the reference has all that is shown, with its type and labels, and nothing else', async () => {
  const metrics = makeMetrics('1', () => ({ ...figures, byFile: [fileFigures('/a.log')] }))
  metrics.request('ok', 1, 1)
  const { samples, types } = parseExposition((await metrics.text()).text)
  expect(new Map(lines.map(({ name, kind }) => [name, kind]))).toEqual(types)
  for (const { name, labels } of samples) {
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')
    const known = lines.find((line) => line.name === family)!
    const own = Object.keys(labels).filter((label) => label !== 'le')
    expect(own.toSorted(), name).toEqual(Object.keys(known.labels).toSorted())
  }
})

// Source: Prometheus documentation, "Metric and label naming".
test.each(lines)('$name is named by the rules', ({ name, kind, labels, help }) => {
  expect(name).toMatch(/^(remora|process|nodejs)_[a-z]+(_[a-z]+)*$/)
  expect(name.endsWith('_total')).toBe(kind === 'counter')
  // Base units, and the unit last.
  expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|kib|mib|percent)(_|$)/)
  expect(name).not.toMatch(/_(seconds|bytes)_(?!total$)/)
  expect(Object.keys(labels).join('')).toMatch(/^[a-z_]*$/)
  expect(help).toMatch(/^[A-Z1].*[^.]\.$/)
  // Neither format would have to escape it.
  expect(help).not.toMatch(/["\\\n]/)
})
