/** The patches for OpenShift, as `docs/security.md` shows them. */
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { blocksIn, page } from '../docs/pages.ts'
import { buildOf, describeKustomize } from '../kit/kubernetes/kubectl.ts'
import { containersOf, podOf, theOne, type Manifest } from '../kit/kubernetes/manifest.ts'
import { violationsOf } from '../kit/kubernetes/restricted.ts'

/** Users and groups that a Pod names, which `restricted-v2` refuses outside of the namespace's own range. */
function namedIn(manifest: Manifest): string[] {
  const contexts = [podOf(manifest).spec, ...containersOf(manifest)].map(({ securityContext = {} }) => securityContext)
  return contexts.flatMap((each) => Object.keys(each)).filter((name) => /^(runAsUser|runAsGroup|fsGroup)$/.test(name))
}

const shown = blocksIn(page('docs/security.md')).filter(({ language }) => language === 'yaml')
const [ofComponent, ofBase] = shown.map(({ text }) => text)

const workload = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'app', labels: { 'remora/sidecar': 'enabled' } },
  spec: {
    selector: { matchLabels: { app: 'app' } },
    template: {
      metadata: { labels: { app: 'app' } },
      spec: { containers: [{ name: 'app', image: 'app:1' }], volumes: [{ name: 'logs', emptyDir: {} }] },
    },
  },
}

function builtOf(files: Readonly<Record<string, string>>): Manifest {
  const { status, stderr, manifests } = buildOf(files)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return theOne(manifests, 'Deployment')
}

function withComponent(patches = ''): Manifest {
  const lines = 'resources: [workload.yaml]\ncomponents: [MANIFESTS/components/remora]\n'
  return builtOf({ 'workload.yaml': stringify(workload), 'kustomization.yaml': `${lines}${patches}` })
}

const base = (patches = '') => builtOf({ 'kustomization.yaml': `resources: [MANIFESTS/base]\n${patches}` })

describeKustomize('on OpenShift', () => {
  test('without a patch users are named, with it none', () => {
    expect(namedIn(withComponent()).toSorted()).toEqual(['runAsGroup', 'runAsUser'])
    expect(namedIn(withComponent(ofComponent))).toEqual([])
  })

  test('nor in the base, which passes Pod Security restricted all the same', () => {
    expect(namedIn(base())).toContain('fsGroup')
    const patched = base(ofBase)
    expect(namedIn(patched)).toEqual([])
    expect(violationsOf(podOf(patched).spec)).toEqual([])
  })
})
