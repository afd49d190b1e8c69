/** What the manifests say of each other, and of the program. */
import { expect, test } from 'vitest'
import { parseBenchOptions } from '../../src/bench/options.ts'
import { defaultVersion } from '../kit/elasticsearch/distributions.ts'
import { built, describeKustomize } from '../kit/kubernetes/kubectl.ts'
import { containersOf, podOf, sidecarOf, theOne, type Manifest } from '../kit/kubernetes/manifest.ts'

const sidecar = () => sidecarOf(theOne(built('base'), 'Deployment'))
const mounted = (container: Manifest) => container.volumeMounts.map(({ mountPath }: Manifest) => mountPath)

describeKustomize('the manifests agree', () => {
  test('monitoring looks for the port that the sidecar has', () => {
    const { podMetricsEndpoints } = theOne(built('monitoring'), 'PodMonitor').spec
    expect(podMetricsEndpoints).toEqual([expect.objectContaining({ port: sidecar().ports[0].name, path: '/metrics' })])
  })

  test('a policy lets metrics out of the admin port, and Remora to the Elasticsearch that is there', () => {
    const policies = built('network-policy')
    const metrics = theOne(policies, 'NetworkPolicy', /metrics/).spec
    expect(metrics.ingress[0].ports).toEqual([{ port: sidecar().ports[0].containerPort }])
    const [way] = theOne(policies, 'NetworkPolicy', /elasticsearch/).spec.egress
    const elasticsearch = theOne(built('elasticsearch'), 'Deployment')
    expect(podOf(elasticsearch).metadata.labels).toMatchObject(way.to[0].podSelector.matchLabels)
    expect(containersOf(elasticsearch)[0].ports[0].containerPort).toBe(way.ports[0].port)
    const examples = built('examples/by-name')
    const selected = [theOne(built('base'), 'Deployment'), theOne(examples, 'Deployment'), theOne(examples, 'CronJob')]
    for (const { spec } of policies) {
      for (const workload of selected)
        expect(podOf(workload).metadata.labels).toMatchObject(spec.podSelector.matchLabels)
      // One direction each: the other stays as the namespace has it.
      expect(spec.policyTypes).toHaveLength(1)
    }
  })

  test('the base ships to the Elasticsearch of the development overlay', () => {
    const manifests = built('development')
    const { REMORA_ELASTICSEARCH_URL: address } = theOne(manifests, 'ConfigMap').data
    const { metadata, spec } = theOne(manifests, 'Service')
    expect(address).toBe(`http://${metadata.name}:${spec.ports[0].port}`)
    const selected = podOf(theOne(manifests, 'Deployment', /^elasticsearch$/)).metadata.labels
    expect(selected).toMatchObject(spec.selector)
    const { image } = containersOf(theOne(manifests, 'Deployment', /^elasticsearch$/))[0]
    expect(image.split(':')[1]).toBe(defaultVersion)
  })

  test('the bench is asked in words that it knows, and its report is where it is read', () => {
    const job = theOne(built('bench'), 'Job')
    const [bench, ...readers] = containersOf(job)
    const [command, ...options] = bench.args
    expect(command).toBe('bench')
    const asked = parseBenchOptions(options)
    expect(asked).toMatchObject({ form: 'short', out: '/report' })
    for (const { command: words } of readers) {
      expect(words.at(-1)).toMatch(/readFileSync\("\/report\/report\.(?:html|json)"\)/)
    }
    expect(readers.every((each) => mounted(each).includes('/report'))).toBe(true)
  })
})
