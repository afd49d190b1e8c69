import { error, misconfigured, type Finding } from '../finding.ts'
import type { ServerFacts } from './facts.ts'
import type { Credentials } from './identity.ts'
import { privilegesFindings } from './privileges.ts'
import { targetFindings } from './target-findings.ts'

export interface Wanted {
  /** Index, alias or data stream. */
  readonly target: string
  /** The settings ask for a data stream, not for an index by name. */
  readonly isStream: boolean
  readonly credentials: Credentials
}

/** One line for each address; what they would all say the same of is told once for each cluster. */
export function elasticsearchFindings(servers: readonly ServerFacts[], wanted: Wanted): Finding[] {
  if (servers.length === 0) {
    return [
      misconfigured(
        'REMORA_ELASTICSEARCH_URL is not set, so there is nowhere to ship to',
        'Set it to the address of the cluster, e.g. https://elasticsearch:9200, or try `remora demo`',
      ),
    ]
  }
  const findings: Finding[] = servers.map(({ finding }) => finding)
  const clusters = Map.groupBy(
    servers.filter(({ details }) => details !== undefined),
    ({ clusterUuid }) => clusterUuid,
  )
  const named = [...clusters.keys()].filter((uuid) => uuid !== '')
  if (named.length > 1) {
    findings.push(
      error(
        `these addresses belong to ${named.length} clusters: each line would go to one of them, by chance`,
        'Name the nodes of one cluster in REMORA_ELASTICSEARCH_URL',
      ),
    )
  }
  for (const [server] of clusters.values()) {
    if (server?.details === undefined) continue
    const { privileges, target } = server.details
    const { kind } = target.target
    const exists = kind === 'unknown' ? undefined : kind !== 'absent'
    findings.push(...privilegesFindings(wanted.target, privileges, exists, wanted.credentials))
    findings.push(...targetFindings(wanted.target, wanted.isStream, target))
  }
  return findings
}
