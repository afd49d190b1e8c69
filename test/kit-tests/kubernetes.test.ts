import { describe, expect, test } from 'vitest'
import type { Manifest } from '../kit/kubernetes/manifest.ts'
import { violationsOf } from '../kit/kubernetes/restricted.ts'
import { problemsOf, schemas, versions, type Schemas } from '../kit/kubernetes/schema.ts'

const good = () => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a' },
  spec: {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    volumes: [{ name: 'logs', emptyDir: { sizeLimit: '1Gi' } }],
    containers: [
      {
        name: 'a',
        image: 'a:1',
        ports: [{ containerPort: 80 }],
        livenessProbe: { httpGet: { path: '/', port: 80 } },
        resources: { limits: { memory: '64Mi', cpu: 1 } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        env: [{ name: 'A', value: 'b' }],
      },
    ],
  },
})
type Pod = ReturnType<typeof good>

function changed(change: (pod: Manifest) => void): Pod {
  const pod = good()
  change(pod)
  return pod
}

const first = (spec: Manifest) => spec.containers[0]

describe('the schemas of Kubernetes', () => {
  test('are of several versions, each with all that is deployed', () => {
    expect(versions.length).toBeGreaterThan(4)
    for (const { kinds } of Object.values(schemas.versions)) {
      expect(Object.keys(kinds)).toEqual(
        expect.arrayContaining(['apps/v1 Deployment', 'batch/v1 CronJob', 'v1 Secret']),
      )
    }
  })

  test.each(versions)('%s takes a good Pod', (version) => {
    expect(problemsOf(good(), version)).toEqual([])
  })

  test.each<[string, (pod: Manifest) => void, RegExp]>([
    [
      'an unknown field',
      (pod) => (first(pod.spec).restartPolice = 'Always'),
      /containers\[0\]\.restartPolice: unknown/,
    ],
    ['a missing one', (pod) => delete first(pod.spec).name, /containers\[0\]\.name: missing/],
    ['a bad quantity', (pod) => (pod.spec.volumes[0].emptyDir.sizeLimit = '1Go'), /sizeLimit: no quantity/],
    ['a string for a number', (pod) => (first(pod.spec).ports[0].containerPort = '80'), /containerPort: no integer/],
    ['a list for a map', (pod) => (pod.spec.securityContext = []), /securityContext: no object/],
    ['a number in a map of strings', (pod) => (pod.metadata.labels = { a: 1 }), /labels\.a: no string/],
    ['neither a port nor its name', (pod) => (first(pod.spec).livenessProbe.httpGet.port = 1.5), /port: neither/],
    ['two of a name', (pod) => pod.spec.volumes.push({ name: 'logs', emptyDir: {} }), /volumes\[1\]: a second one/],
  ])('each refuses %s', (_, change, message) => {
    for (const version of versions) {
      expect(problemsOf(changed(change), version)).toEqual([expect.stringMatching(message)])
    }
  })

  test('a kind that a version has not is refused, and a version that is not there is an error', () => {
    const none: Schemas = { contents: [], versions: { '1.0': { definitions: {}, kinds: {} } } }
    expect(problemsOf(good(), '1.0', none)).toEqual(['Kubernetes 1.0 has no v1 Pod'])
    expect(() => problemsOf(good(), '0.9')).toThrow(/there are schemas of 1\./)
  })
})

describe('Pod Security restricted', () => {
  test('has nothing against a good Pod', () => {
    expect(violationsOf(good().spec)).toEqual([])
  })

  test.each<[string, (spec: Manifest) => void, string]>([
    ['the network of the host', (spec) => (spec.hostNetwork = true), 'hostNetwork'],
    ['a directory of the host', (spec) => (spec.volumes[0] = { name: 'v', hostPath: {} }), 'volume v: hostPath'],
    ['root, by the Pod', (spec) => (spec.securityContext.runAsUser = 0), 'runAsUser 0'],
    ['root, by a container', (spec) => (first(spec).securityContext.runAsUser = 0), 'container a: runAsUser 0'],
    ['maybe root', (spec) => delete spec.securityContext.runAsNonRoot, 'container a: runAsNonRoot is not true'],
    [
      'root for one',
      (spec) => (first(spec).securityContext.runAsNonRoot = false),
      'container a: runAsNonRoot is not true',
    ],
    ['all calls', (spec) => delete spec.securityContext.seccompProfile, 'container a: seccompProfile undefined'],
    [
      'a capability',
      (spec) => (first(spec).securityContext.capabilities.add = ['SYS_ADMIN']),
      'container a: capability SYS_ADMIN',
    ],
    [
      'those it has by default',
      (spec) => (first(spec).securityContext.capabilities.drop = ['CHOWN']),
      'container a: capabilities: ALL is not dropped',
    ],
    [
      'more privileges',
      (spec) => delete first(spec).securityContext.allowPrivilegeEscalation,
      'container a: allowPrivilegeEscalation is not false',
    ],
    ['all privileges', (spec) => (first(spec).securityContext.privileged = true), 'container a: privileged'],
    ['a port of the host', (spec) => (first(spec).ports[0].hostPort = 80), 'container a: hostPort 80'],
    ['a probe elsewhere', (spec) => (first(spec).livenessProbe.httpGet.host = 'x'), 'container a: a probe of a host'],
    [
      'an init container without anything',
      (spec) => (spec.initContainers = [{ name: 'i', image: 'i:1' }]),
      'container i: allowPrivilegeEscalation is not false',
    ],
  ])('refuses %s', (_, change, message) => {
    expect(violationsOf(changed((pod) => change(pod.spec)).spec)).toContain(message)
  })
})
