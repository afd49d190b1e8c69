import { describe, expect, test } from 'vitest'
import { literalAfter, valueOfCel } from '../kit/kubernetes/cel.ts'
import { buildOf, built, describeKustomize } from '../kit/kubernetes/kubectl.ts'
import { podOf, sidecarOf, theOne, type Manifest } from '../kit/kubernetes/manifest.ts'

const image = 'remora:0.1.0'

describeKustomize('injection', () => {
  test('adds the container and the volume that the component adds', () => {
    const { mutations, variables } = theOne(built('injection'), 'MutatingAdmissionPolicy').spec
    expect(variables).toEqual([{ name: 'image', expression: JSON.stringify(image) }])
    expect(mutations).toHaveLength(1)
    const { expression } = mutations[0].jsonPatch
    const valueAfter = (begin: string) => valueOfCel(literalAfter(expression, begin), { 'variables.image': image })
    const deployment = theOne(withComponent().manifests, 'Deployment')
    expect(valueAfter('value: Object.spec.initContainers{')).toEqual(sidecarOf(deployment))
    const volumes: readonly Manifest[] = podOf(deployment).spec.volumes
    expect(valueAfter('value: Object.spec.volumes{')).toEqual(volumes.find(({ name }) => name === 'remora-state'))
  })

  test('is bound to namespaces that ask for it, and keeps no Pod from starting', () => {
    const policy = theOne(built('injection'), 'MutatingAdmissionPolicy')
    const binding = theOne(built('injection'), 'MutatingAdmissionPolicyBinding')
    expect(binding.spec.policyName).toBe(policy.metadata.name)
    expect(binding.spec.matchResources.namespaceSelector).toEqual({ matchLabels: { 'remora/injection': 'enabled' } })
    expect(policy.spec.failurePolicy).toBe('Ignore')
    const conditions = policy.spec.matchConditions.map(({ expression }: Manifest) => expression).join('\n')
    for (const word of ['"remora"', '"remora-state"', '"logs"', 'hostNetwork', 'os.name'])
      expect(conditions).toContain(word)
  })

  test('is the same before 1.36, in the version of the API that is there', () => {
    const [now, before] = [built('injection'), built('injection-before-1.36')]
    const beta = now.map((each) => ({ ...each, apiVersion: 'admissionregistration.k8s.io/v1beta1' }))
    expect(before).toEqual(beta)
  })
})

/** Without settings: the names are those that a namespace has, not those that Kustomize gives them. */
function withComponent() {
  return buildOf({
    'deployment.yaml': `
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, labels: {remora/sidecar: enabled}}
spec: {selector: {}, template: {spec: {containers: [{name: app, image: app:1}]}}}
`,
    'kustomization.yaml': 'resources: [deployment.yaml]\ncomponents: [MANIFESTS/components/remora]\n',
  })
}

describe('literals of CEL', () => {
  test.each([
    ['Object.a{b: "c", d: [1, true]}', { b: 'c', d: [1, true] }],
    ['Object.a.b{c: Object.a.b.c{d: "{x: }"}, e: image}', { c: { d: '{x: }' }, e: 'i:1' }],
    ['{"cpu": "20m"}', { cpu: '20m' }],
    [String.raw`"a \"b\""`, 'a "b"'],
  ])('%s', (text, value) => {
    expect(valueOfCel(text, { image: 'i:1' })).toEqual(value)
  })

  test.each(['a + "b"', 'size(x)', 'Object.a{b: c}'])('%s is none', (text) => {
    expect(() => valueOfCel(text)).toThrow(/unknown|neither a literal|JSON/)
  })

  test('end where they are closed', () => {
    expect(literalAfter('[X{a: "}", b: Y{c: 1}}, X{}]', 'X{')).toBe('{a: "}", b: Y{c: 1}}')
    expect(() => literalAfter('X{a: 1', 'X{')).toThrow(/never closed/)
  })
})
