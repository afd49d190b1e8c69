import type { Settings } from './types.ts'

type Facts = Pick<Settings, 'podNamespace' | 'podName' | 'podUid' | 'nodeName' | 'serviceName'>

/** The fields that have a setting of their own, in the order in which documents carry them. */
const facts: readonly (readonly [field: string, key: keyof Facts])[] = [
  ['kubernetes.namespace', 'podNamespace'],
  ['kubernetes.pod.name', 'podName'],
  ['kubernetes.pod.uid', 'podUid'],
  ['kubernetes.node.name', 'nodeName'],
  ['service.name', 'serviceName'],
]

/** Field name to the key of its setting. */
export const factKeys: ReadonlyMap<string, keyof Facts> = new Map(facts)

/** What every document carries, by field name. */
export function staticFields(
  settings: Partial<Facts> & { readonly fields?: ReadonlyMap<string, string> | undefined },
): ReadonlyMap<string, string> {
  const given = facts.map(([field, key]): [string, string | undefined] => [field, settings[key]])
  return new Map([
    ...given.filter((fact): fact is [string, string] => fact[1] !== undefined),
    ...(settings.fields ?? []),
  ])
}
