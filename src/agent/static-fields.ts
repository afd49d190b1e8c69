import type { Settings } from '../config/types.ts'

/** What every document carries, by field name. */
export function staticFields(settings: Settings): ReadonlyMap<string, string> {
  const facts: [string, string | undefined][] = [
    ['kubernetes.namespace', settings.podNamespace],
    ['kubernetes.pod.name', settings.podName],
    ['kubernetes.pod.uid', settings.podUid],
    ['kubernetes.node.name', settings.nodeName],
    ['service.name', settings.serviceName],
  ]
  return new Map([...facts.filter((fact): fact is [string, string] => fact[1] !== undefined), ...settings.fields])
}
