/** Objects as manifests have them, and the ways into them. */
// oxlint-disable-next-line typescript/no-explicit-any -- of many kinds: tests read what they expect to be there
export type Manifest = any

/** Where the template of a kind's Pods stands. Source: Kubernetes API reference, "Workload Resources". */
export function podOf(manifest: Manifest): Manifest {
  if (manifest.kind === 'Pod') return manifest
  return manifest.kind === 'CronJob' ? manifest.spec.jobTemplate.spec.template : manifest.spec.template
}

export function hasPods(manifest: Manifest): boolean {
  return ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'].includes(manifest.kind)
}

/** Of its Pods, native sidecars and ordinary ones alike. */
export function containersOf(manifest: Manifest): readonly Manifest[] {
  const { initContainers = [], containers } = podOf(manifest).spec
  return [...initContainers, ...containers]
}

export function sidecarOf(manifest: Manifest): Manifest {
  return containersOf(manifest).find(({ name }) => name === 'remora')
}

/** `Deployment/legacy` */
export function nameOf(manifest: Manifest): string {
  return `${manifest.kind}/${manifest.metadata?.name}`
}

export function theOne(manifests: readonly Manifest[], kind: string, name?: RegExp): Manifest {
  const found = manifests.filter((each) => each.kind === kind && (name?.test(each.metadata.name) ?? true))
  if (found.length !== 1)
    throw new Error(`${found.length} objects ${kind} ${name ?? ''}: ${manifests.map(nameOf).join(', ')}`)
  return found[0]
}

/**
 * The environment that a container gets, as far as manifests know it: plain values over those of the ConfigMaps that are
 * there; what the Downward API gives is made up.
 */
export function environmentOf(container: Manifest, manifests: readonly Manifest[]): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const { configMapRef } of container.envFrom ?? []) {
    if (configMapRef === undefined) continue
    const map = manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name)
    Object.assign(environment, map?.data)
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    environment[name] = value ?? madeUp[valueFrom?.fieldRef?.fieldPath] ?? ''
  }
  return environment
}

const madeUp: Readonly<Record<string, string>> = {
  'metadata.name': 'legacy-7d4b9c5f6-x2x9z',
  'metadata.namespace': 'shop',
  'metadata.uid': '0a1b2c3d-0000-4000-8000-123456789abc',
  'spec.nodeName': 'node-1',
  "metadata.labels['app.kubernetes.io/name']": 'legacy',
}
