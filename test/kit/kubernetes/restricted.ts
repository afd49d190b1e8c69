import type { Manifest } from './manifest.ts'

const volumes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

/**
 * What the Pod Security Standard `restricted` has against a Pod's spec; empty: nothing. A server says it, too, but with a
 * cluster only. Source: Kubernetes documentation, "Pod Security Standards" (Linux).
 */
export function violationsOf(spec: Manifest): string[] {
  const { securityContext: pod = {}, initContainers = [], containers, volumes: used = [] } = spec
  const found: string[] = []
  for (const name of ['hostNetwork', 'hostPID', 'hostIPC']) if (spec[name] === true) found.push(name)
  for (const { name, ...source } of used) {
    const kinds = Object.keys(source)
    if (kinds.length !== 1 || !volumes.has(kinds[0] ?? '')) found.push(`volume ${name}: ${kinds.join(', ')}`)
  }
  for (const name of ['sysctls', 'seLinuxOptions', 'windowsOptions', 'appArmorProfile']) {
    if (pod[name] !== undefined) found.push(name)
  }
  if (pod.runAsUser === 0) found.push('runAsUser 0')
  for (const container of [...initContainers, ...containers]) {
    found.push(...violationsOfContainer(container, pod).map((what) => `container ${container.name}: ${what}`))
  }
  return found
}

function violationsOfContainer(container: Manifest, pod: Manifest): string[] {
  const { securityContext: own = {}, ports = [], livenessProbe, readinessProbe, startupProbe } = container
  const found: string[] = []
  for (const name of ['privileged', 'procMount', 'seLinuxOptions', 'windowsOptions', 'appArmorProfile']) {
    if (own[name] !== undefined && own[name] !== false) found.push(name)
  }
  if (own.allowPrivilegeEscalation !== false) found.push('allowPrivilegeEscalation is not false')
  if ((own.runAsNonRoot ?? pod.runAsNonRoot) !== true) found.push('runAsNonRoot is not true')
  if (own.runAsUser === 0) found.push('runAsUser 0')
  const seccomp = (own.seccompProfile ?? pod.seccompProfile)?.type
  if (seccomp !== 'RuntimeDefault' && seccomp !== 'Localhost') found.push(`seccompProfile ${seccomp}`)
  if (own.capabilities?.drop?.includes('ALL') !== true) found.push('capabilities: ALL is not dropped')
  for (const name of own.capabilities?.add ?? []) if (name !== 'NET_BIND_SERVICE') found.push(`capability ${name}`)
  for (const { hostPort } of ports) if (hostPort !== undefined && hostPort !== 0) found.push(`hostPort ${hostPort}`)
  for (const probe of [livenessProbe, readinessProbe, startupProbe]) {
    if (probe?.httpGet?.host !== undefined || probe?.tcpSocket?.host !== undefined) found.push('a probe of a host')
  }
  return found
}
