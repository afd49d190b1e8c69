import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { readAlertGroups } from '../../build/alerts.ts'
import { rows } from '../../build/dashboard-panels.ts'
import { dashboardText } from '../../build/dashboard.ts'
import { metricsByGroup } from '../../src/admin/metrics/reference.ts'
import { temporaryTree } from '../kit/agent-tree.ts'
import { describePrograms } from '../kit/logrotate.ts'

const run = promisify(execFile)
const alerts = readAlertGroups().flatMap(({ rules }) => rules)
const lines = metricsByGroup().flatMap(([, inGroup]) => inGroup)

interface Query {
  readonly from: string
  readonly expression: string
}

const queries: readonly Query[] = [
  ...alerts.map(({ alert, expr }) => ({ from: alert, expression: expr })),
  ...rows.flatMap(([, panels]) =>
    panels.flatMap(({ title, lines: inPanel }) =>
      inPanel.map(([expression]) => ({ from: title, expression: expression.replaceAll('$pods', 'pod=~"$pod"') })),
    ),
  ),
]

/** What Prometheus and the Prometheus Operator add to each series. */
const targetLabels = ['job', 'instance', 'namespace', 'pod', 'container', 'le']

/** The metrics that an expression reads, each with the labels that it is asked for. */
function metricsIn(expression: string): { readonly name: string; readonly labels: readonly string[] }[] {
  return [...expression.matchAll(/\b((?:remora|process|nodejs)_[a-z_]+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', matchers = '']) => ({
      name,
      labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!),
    }),
  )
}

describe('alerts and dashboard ask for what there is', () => {
  test.each(queries)('$from: $expression', ({ expression }) => {
    const asked = metricsIn(expression)
    const known = asked.map(({ name }) =>
      lines.find(
        (line) =>
          line.name === name || (line.kind === 'histogram' && name.replace(/_(bucket|sum|count)$/, '') === line.name),
      ),
    )
    for (const [at, { name, labels }] of asked.entries()) {
      expect(known[at], `${name} is a metric`).toBeDefined()
      const own = [...Object.keys(known[at]!.labels), ...targetLabels]
      expect(
        labels.filter((label) => !own.includes(label)),
        `labels of ${name}`,
      ).toEqual([])
    }
    // What is grouped by is a label of one of them.
    const labels = [...known.flatMap((line) => Object.keys(line?.labels ?? {})), ...targetLabels]
    const grouped = [...expression.matchAll(/\b(?:by|without|on|ignoring) \(([^)]*)\)/g)].flatMap(([, list]) =>
      list!.split(', '),
    )
    expect(grouped.filter((label) => !labels.includes(label))).toEqual([])
    expect(asked.length > 0 || expression.startsWith('up{')).toBe(true)
  })

  test('values of labels are such as there are', () => {
    for (const { from, expression } of queries)
      for (const [, label = '', value = ''] of expression.matchAll(/(state|cause)(?:=~?|!=)"([^"$]+)"/g)) {
        const known = lines.flatMap(({ labels }) => labels[label]?.split(', ') ?? [])
        for (const one of value.split('|')) expect(known, from).toContain(one)
      }
  })

  test('every counter is asked for its rise only, and nothing else is', () => {
    for (const { from, expression } of queries) {
      for (const [, , name = ''] of expression.matchAll(/\b(rate|increase)\((\w+?)(?:_bucket|_sum|_count)?[{[]/g)) {
        const line = lines.find((one) => one.name === name)
        expect(line?.kind, `${from}: ${name}`).toMatch(/^(counter|histogram)$/)
      }
    }
  })
})

describe('alerts', () => {
  test('each says who, what and where to read on', () => {
    for (const { alert, annotations, labels } of alerts) {
      expect(alert).toMatch(/^Remora[A-Z]\w+$/)
      expect(['critical', 'warning', 'info']).toContain(labels.severity)
      expect(annotations.summary).toMatch(/^[A-Z].*[^.]$/)
      expect(annotations.description).toMatch(/^\{\{ \$labels\.namespace \}\}\/\{\{ \$labels\.pod \}\}: /)
      expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`)
    }
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length)
  })
})

describe('the dashboard', () => {
  const text = fs.readFileSync(new URL('../../manifests/monitoring/dashboard.json', import.meta.url), 'utf8')

  test('is what build/dashboard.ts makes', () => expect(text, '`npm run docs` writes it').toBe(dashboardText()))

  test('its panels neither overlap nor stand beside the page', () => {
    const { panels } = JSON.parse(text) as {
      panels: { id: number; title: string; gridPos: { x: number; y: number; w: number; h: number } }[]
    }
    const taken = new Map<string, string>()
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x} ${y}`), title).toBeUndefined()
          taken.set(`${x} ${y}`, title)
        }
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })
})

describePrograms(['promtool'], 'as Prometheus reads it', () => {
  test('every rule, and every query of the dashboard, is valid', async () => {
    const tree = temporaryTree()
    const at = path.join(tree.directory('rules'), 'rules.yaml')
    const recorded = queries.map(({ expression }, n) => ({
      record: `query:${n}`,
      expr: expression.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h').replaceAll('$pod', '.*'),
    }))
    const groups = [...readAlertGroups(), { name: 'queries', rules: recorded }]
    fs.writeFileSync(at, stringify({ groups }, { lineWidth: 0 }))
    const { stdout } = await run('promtool', ['check', 'rules', at])
    expect(stdout).toContain(`${recorded.length + alerts.length} rules found`)
  })
})
