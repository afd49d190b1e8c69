import { rows, type Panel } from './dashboard-panels.ts'

/** What `$pods` stands for in the expressions of panels: the Pods that are chosen above the dashboard. */
const pods = 'namespace=~"$namespace",pod=~"$pod"'

const datasource = { type: 'prometheus', uid: '${datasource}' }
const columns = 24
const heights = { stat: 4, other: 8 } as const

function panelOf(panel: Panel, id: number, x: number, y: number) {
  const { title, unit, about, lines, kind = 'timeseries', width = 8, badFrom, stacked = false } = panel
  const red = badFrom === undefined ? [] : [{ color: 'red', value: badFrom }]
  return {
    id,
    type: kind,
    title,
    description: about,
    datasource,
    gridPos: { x, y, w: width, h: kind === 'stat' ? heights.stat : heights.other },
    targets: lines.map(([expression, legend], at) => ({
      refId: String.fromCharCode(65 + at),
      datasource,
      expr: expression.replaceAll('$pods', pods),
      legendFormat: legend,
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        thresholds: { mode: 'absolute', steps: [{ color: 'green', value: null }, ...red] },
        custom:
          kind === 'timeseries'
            ? {
                fillOpacity: stacked ? 30 : 8,
                showPoints: 'never',
                stacking: { mode: stacked ? 'normal' : 'none' },
                thresholdsStyle: { mode: badFrom === undefined ? 'off' : 'line' },
              }
            : {},
      },
      overrides: [],
    },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: badFrom === undefined ? 'none' : 'value' }
        : { tooltip: { mode: 'multi', sort: 'desc' }, legend: { displayMode: 'list', placement: 'bottom' } },
  }
}

function layout() {
  const panels: object[] = []
  let y = 0
  for (const [title, inRow] of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    })
    y += 1
    let x = 0
    let height = 0
    for (const panel of inRow) {
      const width = panel.width ?? 8
      if (x + width > columns) {
        x = 0
        y += height
      }
      height = panel.kind === 'stat' ? heights.stat : heights.other
      panels.push(panelOf(panel, panels.length + 1, x, y))
      x += width
    }
    y += height
  }
  return panels
}

const choice = (name: string, label: string, query: string) => ({
  name,
  label,
  type: 'query',
  datasource,
  query: { query, refId: name },
  definition: query,
  refresh: 2,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { text: ['All'], value: ['$__all'] },
  sort: 1,
})

/** As Grafana imports it (schema 39, Grafana 10.4 and later). */
export function dashboard(): object {
  return {
    uid: 'remora',
    title: 'Remora',
    description: 'Log shipping by Remora sidecars: throughput, lag, losses, files, memory.',
    tags: ['remora', 'logs'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [
        { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', current: {} },
        choice('namespace', 'Namespace', 'label_values(remora_build_info, namespace)'),
        choice('pod', 'Pod', 'label_values(remora_build_info{namespace=~"$namespace"}, pod)'),
      ],
    },
    annotations: {
      list: [
        {
          name: 'Alerts',
          datasource,
          enable: true,
          iconColor: 'red',
          expr: `ALERTS{alertname=~"Remora.*",alertstate="firing",${pods}}`,
          titleFormat: '{{alertname}}',
          textFormat: '{{namespace}}/{{pod}}',
        },
      ],
    },
    panels: layout(),
  }
}

export function dashboardText(): string {
  return `${JSON.stringify(dashboard(), null, 2)}\n`
}
