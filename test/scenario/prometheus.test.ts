import { afterEach, expect, test } from 'vitest'
import { readAlertGroups } from '../../build/alerts.ts'
import { startBulkServer } from '../../src/demo/bulk-server.ts'
import { startAgent } from '../kit/agent-process.ts'
import { temporaryTree } from '../kit/agent-tree.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'
import { describePrograms } from '../kit/logrotate.ts'
import { Prometheus } from '../kit/prometheus.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** The rules as they are, but for how long a thing must be so: a test does not wait for minutes. */
const groups = readAlertGroups().map(({ name, rules }) => ({
  name,
  rules: rules.map((rule) => (rule.for === undefined ? rule : { ...rule, for: '1s' })),
}))

describePrograms(['prometheus'], 'a real Prometheus that scrapes the real agent', () => {
  test('takes all of it as OpenMetrics, hostile names of files too, and sees it come and go', async () => {
    const tree = temporaryTree()
    tree.directory('logs')
    let status = 0
    const server = await startBulkServer({
      documentsPath: tree.at('documents.ndjson'),
      faults: { onBulk: () => (status === 0 ? undefined : { status }) },
    })
    ends.push(() => server.close())
    const names = ['app.log', 'a"b\\c.log', 'a\nb.log', 'a\u202eb.log', '<b>.log', `${'x'.repeat(240)}.log`, '😀.log']
    for (const name of names) tree.write(`logs/${name}`, 'one\ntwo\n')
    const port = await findFreePort()
    const agent = startAgent({
      REMORA_PATHS: tree.at('logs/*.log'),
      REMORA_STATE_DIR: tree.at('state'),
      REMORA_ELASTICSEARCH_URL: server.url,
      REMORA_ADMIN_PORT: String(port),
    })
    ends.push(() => agent.end('SIGKILL'))
    const prometheus = await Prometheus.start(port, groups)
    ends.push(() => prometheus.stop())

    await prometheus.until(async () => (await prometheus.value('remora_acknowledged_lines_total')) === 2 * names.length)
    expect(await prometheus.targets()).toEqual([expect.objectContaining({ health: 'up', lastError: '' })])
    expect(await prometheus.value('sum(remora_file_lines_total{account="acknowledged"})')).toBe(2 * names.length)
    expect(await prometheus.value('remora_delivery_seconds_bucket{le="+Inf"}')).toBeGreaterThan(0)
    expect(await prometheus.families(), 'OpenMetrics').toContain('remora_read_lines')
    expect(await prometheus.labels('path')).toContain(tree.at('logs/a"b\\c.log'))
    // Others may fire on a busy machine: for a scrape that came too late, say.
    expect(await prometheus.firing()).not.toContain('RemoraHolding')

    status = 401
    tree.append('logs/app.log', 'three\n')
    await prometheus.until(async () => (await prometheus.firing()).includes('RemoraHolding'))

    await agent.end('SIGKILL')
    await prometheus.until(async () => (await prometheus.firing()).includes('RemoraDown'))
    await prometheus.until(async () => !(await prometheus.firing()).includes('RemoraHolding'))
  })
})
