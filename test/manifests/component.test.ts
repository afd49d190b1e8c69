import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { buildOf, built, describeKustomize, kubectl, manifestsDirectory } from '../kit/kubernetes/kubectl.ts'
import { podOf, sidecarOf, theOne, type Manifest } from '../kit/kubernetes/manifest.ts'
import { violationsOf } from '../kit/kubernetes/restricted.ts'
import { problemsOf, versions } from '../kit/kubernetes/schema.ts'

const spec = {
  initContainers: [{ name: 'migrate', image: 'app:1' }],
  containers: [{ name: 'app', image: 'app:1', volumeMounts: [{ name: 'logs', mountPath: '/srv/log' }] }],
  volumes: [{ name: 'logs', emptyDir: { sizeLimit: '1Gi' } }],
}
const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'] as const

/** A workload of a kind, with a label or none. */
function workload(kind: string, name: string, labels: Record<string, string>): Manifest {
  const isBatch = kind === 'Job' || kind === 'CronJob'
  const template = {
    metadata: { labels: { app: name } },
    spec: { ...spec, ...(isBatch && { restartPolicy: 'OnFailure' }) },
  }
  const selector = { matchLabels: { app: name } }
  const specs: Record<string, unknown> = {
    Deployment: { selector, template },
    StatefulSet: { selector, serviceName: name, template },
    DaemonSet: { selector, template },
    Job: { template },
    CronJob: { schedule: '* * * * *', jobTemplate: { spec: { template } } },
  }
  return { apiVersion: isBatch ? 'batch/v1' : 'apps/v1', kind, metadata: { name, labels }, spec: specs[kind] }
}

const labelled = { 'remora/sidecar': 'enabled' }

function withComponents(components: readonly string[], workloads: readonly Manifest[]) {
  return buildOf({
    'workloads.yaml': workloads.map((each) => stringify(each)).join('---\n'),
    'kustomization.yaml': stringify({
      resources: ['workloads.yaml'],
      components: components.map((name) => `MANIFESTS/components/${name}`),
      configMapGenerator: [{ name: 'remora-settings', literals: ['REMORA_ELASTICSEARCH_URL=http://es:9200'] }],
      secretGenerator: [{ name: 'remora-credentials', literals: ['REMORA_API_KEY=x'] }],
    }),
  })
}

function succeeds(components: readonly string[], workloads: readonly Manifest[]): readonly Manifest[] {
  const { status, stderr, manifests } = withComponents(components, workloads)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return manifests
}

/** As text, without what Kustomize adds to the names of what it generates. */
function named(sidecar: Manifest): string {
  return JSON.stringify(sidecar).replaceAll(/(remora-\w+)-[0-9a-z]{10}"/g, '$1"')
}

describeKustomize('components/remora', () => {
  test.each(kinds)('adds the sidecar to a %s, and changes nothing else of it', (kind) => {
    const given = workload(kind, 'app', labelled)
    const manifests = succeeds(['remora'], [given])
    const pod = podOf(theOne(manifests, kind)).spec
    const [first, ...others] = pod.initContainers
    expect(first).toMatchObject({ name: 'remora', restartPolicy: 'Always' })
    const state = pod.volumes.find(({ name }: Manifest) => name === 'remora-state')
    expect(state).toEqual({ name: 'remora-state', emptyDir: { sizeLimit: '64Mi' } })
    // All but the two.
    const left = theOne(manifests, kind)
    podOf(left).spec = {
      ...pod,
      initContainers: others,
      volumes: pod.volumes.filter((each: Manifest) => each !== state),
    }
    expect(left).toEqual(given)
  })

  test('is the same for each kind, and the one of the base', () => {
    const manifests = succeeds(
      ['remora'],
      kinds.map((kind) => workload(kind, `a-${kind.toLowerCase()}`, labelled)),
    )
    const sidecars = manifests.filter(({ kind }) => kinds.includes(kind)).map((each) => named(sidecarOf(each)))
    expect(sidecars).toHaveLength(kinds.length)
    expect(new Set([...sidecars, named(sidecarOf(theOne(built('base'), 'Deployment')))]).size).toBe(1)
  })

  test('finds settings and credentials under the names that Kustomize gives them', () => {
    const manifests = succeeds(['remora'], [workload('CronJob', 'app', labelled)])
    expect(sidecarOf(theOne(manifests, 'CronJob')).envFrom).toEqual([
      { configMapRef: { name: theOne(manifests, 'ConfigMap').metadata.name, optional: true } },
      { secretRef: { name: theOne(manifests, 'Secret').metadata.name, optional: true } },
    ])
    expect(theOne(manifests, 'ConfigMap').metadata.name).toMatch(/^remora-settings-\w+$/)
  })

  test('leaves alone what has no label, or another value of it', () => {
    const given = kinds.flatMap((kind) => [
      workload(kind, `a-${kind.toLowerCase()}`, { app: 'a' }),
      workload(kind, `b-${kind.toLowerCase()}`, { 'remora/sidecar': 'disabled' }),
    ])
    const manifests = succeeds(['remora'], given).filter(({ kind }) => kinds.includes(kind))
    expect(manifests).toHaveLength(given.length)
    for (const each of manifests) expect(given).toContainEqual(each)
  })

  test('twice is once', () => {
    const once = succeeds(['remora'], [workload('Job', 'app', labelled)])
    expect(succeeds(['remora', 'remora'], [workload('Job', 'app', labelled)])).toEqual(once)
  })

  test('makes a Pod that passes restricted where the application does', () => {
    const container = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
    const given = workload('StatefulSet', 'app', labelled)
    const pod = podOf(given).spec
    pod.securityContext = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
    pod.containers = [{ ...pod.containers[0], securityContext: container }]
    pod.initContainers = []
    expect(violationsOf(podOf(theOne(succeeds(['remora'], [given]), 'StatefulSet')).spec)).toEqual([])
  })

  /** A container that may not run as the Pod says is not started, and then the application is not, either. */
  test('starts beside a root application: what it runs as is its own', () => {
    const given = workload('Deployment', 'app', labelled)
    podOf(given).spec.securityContext = { runAsUser: 0 }
    const { securityContext } = sidecarOf(theOne(succeeds(['remora'], [given]), 'Deployment'))
    expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65532 })
  })
})

describeKustomize('components/pre-1.29', () => {
  test('makes it an ordinary container, the last one, that waits for quiet', () => {
    const [native, classic] = [['remora'], ['remora', 'pre-1.29']].map((components) =>
      theOne(succeeds(components, [workload('StatefulSet', 'app', labelled)]), 'StatefulSet'),
    )
    const { containers, initContainers } = podOf(classic).spec
    expect(initContainers.map(({ name }: Manifest) => name)).toEqual(['migrate'])
    expect(containers.map(({ name }: Manifest) => name)).toEqual(['app', 'remora'])
    const { restartPolicy: _, env, ...rest } = sidecarOf(native)
    expect(containers.at(-1)).toEqual({ ...rest, env: [...env, { name: 'REMORA_DRAIN_QUIET', value: '2s' }] })
    expect(versions.flatMap((each) => problemsOf(classic, each))).toEqual([])
  })

  test.each(['Job', 'CronJob'])('refuses a %s, and says why', (kind) => {
    const { status, stderr } = withComponents(['remora', 'pre-1.29'], [workload(kind, 'app', labelled)])
    expect(status).not.toBe(0)
    expect(stderr).toContain('never completes; it needs Kubernetes 1.29')
  })

  test('a Job without the label is none of its business', () => {
    const manifests = succeeds(
      ['remora', 'pre-1.29'],
      [workload('Job', 'a', {}), workload('Deployment', 'b', labelled)],
    )
    expect(sidecarOf(theOne(manifests, 'Job'))).toBeUndefined()
  })

  test('alone it is refused, and so is what must come before it', () => {
    for (const components of [['pre-1.29'], ['remora', 'pre-1.29', 'volume-guard']]) {
      expect(withComponents(components, [workload('Deployment', 'app', labelled)]).status).not.toBe(0)
    }
  })
})

describe.each([
  ['volume-guard', { env: 1 }],
  ['credentials-files', { volumeMounts: 1 }],
  ['startup-probe', {}],
] as const)('components/%s', (name, more) => {
  describeKustomize('changes the sidecar', () => {
    test.each(kinds)('of a %s', (kind) => {
      const [before, after] = [['remora'], ['remora', name]].map((components) =>
        theOne(succeeds(components, [workload(kind, 'app', labelled)]), kind),
      )
      expect(sidecarOf(after)).not.toEqual(sidecarOf(before))
      for (const [list, by] of Object.entries(more)) {
        expect(sidecarOf(after)[list]).toHaveLength(sidecarOf(before)[list].length + by)
      }
      expect(podOf(after).spec.containers).toEqual(podOf(before).spec.containers)
      expect(problemsOf(after, '1.29')).toEqual([])
    })

    test('and none that is not there', () => {
      const { status } = withComponents([name], [workload('Deployment', 'app', labelled)])
      expect(status).not.toBe(0)
    })
  })
})

describeKustomize('components/volume-guard', () => {
  test('lets Remora write to the log volume, and tells it to', () => {
    const sidecar = sidecarOf(theOne(succeeds(['remora', 'volume-guard'], [workload('Job', 'app', labelled)]), 'Job'))
    expect(sidecar.volumeMounts).toContainEqual({ name: 'logs', mountPath: '/var/log/app' })
    expect(sidecar.env).toContainEqual({ name: 'REMORA_VOLUME_POLICY', value: 'delete-shipped' })
  })
})

describeKustomize('components/credentials-files', () => {
  test('mounts the Secret, optional, and takes no variables from it', () => {
    const manifests = succeeds(['remora', 'credentials-files'], [workload('Job', 'app', labelled)])
    const job = theOne(manifests, 'Job')
    const secretName = theOne(manifests, 'Secret').metadata.name
    expect(podOf(job).spec.volumes).toContainEqual({
      name: 'remora-credentials',
      secret: { secretName, optional: true },
    })
    expect(JSON.stringify(sidecarOf(job).envFrom)).not.toContain('secretRef')
  })
})

describeKustomize('examples/by-name', () => {
  test('has the sidecar in those that are named, with their own log volume', () => {
    const manifests = built('examples/by-name')
    const shop = theOne(manifests, 'Deployment')
    expect(sidecarOf(shop).volumeMounts[0]).toEqual({ name: 'shop-logs', mountPath: '/var/log/app', readOnly: true })
    expect(podOf(shop).spec.initContainers.map(({ name }: Manifest) => name)).toEqual(['remora', 'migrate'])
    expect(sidecarOf(theOne(manifests, 'CronJob')).volumeMounts[0].name).toBe('logs')
    expect(sidecarOf(theOne(manifests, 'StatefulSet'))).toBeUndefined()
    expect(sidecarOf(shop).image).toMatch(/^registry\.example\/logging\/remora:/)
  })
})

describe.each(['README.md', 'components/remora/kustomization.yaml', '../README.md'])('what %s shows', (name) => {
  describeKustomize('for a kustomization of your own', () => {
    test('can be built as it stands, and ships what the label says', () => {
      const text = readFileSync(join(manifestsDirectory, name), 'utf8')
      const lines = text.split('\n').map((line) => line.replace(/^# {3}/, ''))
      const from = lines.findIndex((line) => line.startsWith('resources: [deployment.yaml]'))
      const kustomization = lines.slice(from, lines.findIndex((line) => line.startsWith('images:')) + 1).join('\n')
      const { status, stderr, manifests } = buildOf({
        'deployment.yaml': stringify(workload('Deployment', 'app', labelled)),
        'kustomization.yaml': kustomization.replaceAll('path/to/manifests', 'MANIFESTS'),
      })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(sidecarOf(theOne(manifests, 'Deployment')).image).toMatch(/^registry\.example\/remora:/)
      expect(theOne(manifests, 'ConfigMap').data).toHaveProperty('REMORA_ELASTICSEARCH_URL')
    })
  })
})

describeKustomize('another admin port', () => {
  test('as README.md shows it, is the one of the settings and the one of the probes', () => {
    const text = readFileSync(join(manifestsDirectory, 'README.md'), 'utf8')
    const shown = [...text.matchAll(/```yaml\n([^`]*REMORA_ADMIN_PORT[^`]*)```/g)].map(([, found]) => found)
    expect(shown).toHaveLength(1)
    const { status, stderr, manifests } = buildOf({
      'kustomization.yaml': `resources: [MANIFESTS/base]\n${shown[0]}`,
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const { ports, livenessProbe } = sidecarOf(theOne(manifests, 'Deployment'))
    expect(ports).toEqual([
      {
        name: livenessProbe.httpGet.port,
        containerPort: Number(theOne(manifests, 'ConfigMap').data.REMORA_ADMIN_PORT),
      },
    ])
    expect(ports[0].containerPort).not.toBe(sidecarOf(theOne(built('base'), 'Deployment')).ports[0].containerPort)
  })
})

test('a kustomization that cannot be built is one that fails here', ({ skip }) => {
  skip(kubectl === undefined)
  expect(buildOf({ 'kustomization.yaml': 'resources: [none.yaml]\n' }).status).not.toBe(0)
})
