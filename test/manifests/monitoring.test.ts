/** What `kubectl apply -k manifests/monitoring` brings, for Grafana and for the Prometheus operator. */
import { expect, test } from 'vitest'
import { readAlertGroups } from '../../build/alerts.ts'
import { dashboardText } from '../../build/dashboard.ts'
import { built, buildOf, describeKustomize } from '../kit/kubernetes/kubectl.ts'
import { theOne } from '../kit/kubernetes/manifest.ts'

/** What an annotation of `kubectl apply` may hold, which repeats the object. Source: Kubernetes, `TotalAnnotationSizeLimitB`. */
const annotationsBytesMax = 256 * 1024

const downOf = () => {
  const rule = readAlertGroups()
    .flatMap(({ rules }) => rules)
    .find(({ alert }) => alert === 'RemoraDown')
  const [, pattern] = /^up\{job=~"([^"]+)"\} == 0$/.exec(rule?.expr ?? '') ?? []
  // Prometheus matches the whole value. Source: Prometheus documentation, "Querying basics".
  return new RegExp(`^(?:${pattern})$`)
}

describeKustomize('monitoring', () => {
  test('the dashboard is a ConfigMap that Grafana finds, under one name in every version, small enough to be applied', () => {
    const map = theOne(built('monitoring'), 'ConfigMap')
    expect(map.metadata).toMatchObject({ name: 'remora-dashboard', labels: { grafana_dashboard: '1' } })
    expect(map.data).toEqual({ 'remora.json': dashboardText() })
    expect(Buffer.byteLength(JSON.stringify(map))).toBeLessThan(annotationsBytesMax)
  })

  test('and so in the kustomization of somebody who puts it into another namespace', () => {
    const text = 'namespace: watch\nresources: [MANIFESTS/monitoring]\n'
    const { manifests, stderr } = buildOf({ 'kustomization.yaml': text })
    expect(stderr).toBe('')
    const { name, namespace } = theOne(manifests, 'ConfigMap').metadata
    expect({ name, namespace }).toEqual({ name: 'remora-dashboard', namespace: 'watch' })
  })

  // Source: Prometheus Operator, `generatePodMonitorConfig`: without a jobLabel the job is NAMESPACE/NAME of the PodMonitor.
  test('RemoraDown looks at the job that the PodMonitor makes, in any namespace, and at nobody else', () => {
    const { metadata, spec } = theOne(built('monitoring'), 'PodMonitor')
    expect(spec.jobLabel).toBeUndefined()
    for (const namespace of ['shop', 'remora', 'team-a']) expect(`${namespace}/${metadata.name}`).toMatch(downOf())
    for (const job of ['remora', 'my-remora-sidecars']) expect(job).toMatch(downOf())
    for (const job of ['shop/postgres', 'remora/postgres', 'remora-tests/kafka', 'prometheus'])
      expect(job).not.toMatch(downOf())
  })
})
