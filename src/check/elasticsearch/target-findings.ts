import { error, ok, warning, type Finding, type Trouble } from '../finding.ts'
import { count } from '../words.ts'
import type { ClusterSettings, Target, Template } from './target.ts'

export interface TargetFacts {
  readonly target: Target
  /** For an alias: where writes go. */
  readonly aliasWrites: { readonly name: string } | 'none' | 'unknown'
  /** Settings that keep documents out; undefined when they may not be seen. */
  readonly blocks: readonly string[] | undefined
  readonly template: Template | 'none' | 'unknown'
  /** Undefined when it may not be seen. */
  readonly cluster: ClusterSettings | undefined
}

/**
 * @param name     the index, alias or data stream of the settings
 * @param isStream the settings ask for a data stream
 */
export function targetFindings(name: string, isStream: boolean, facts: TargetFacts): Finding[] {
  const found = presence(name, isStream, facts)
  const blocked = facts.cluster?.readOnly === true ? [readOnlyCluster] : blockedBy(name, facts.blocks)
  return [found, ...blocked]
}

function presence(name: string, isStream: boolean, facts: TargetFacts): Finding {
  const { target, aliasWrites } = facts
  if (target.kind === 'absent') return creation(name, isStream, facts)
  if (target.kind === 'data stream') return ok(`${name} exists: a data stream`)
  if (target.kind === 'index') {
    if (!target.closed) return ok(`${name} exists: an index`)
    return error(`${name} is a closed index, which takes no documents`, `Open it with POST /${name}/_open`)
  }
  if (target.kind === 'alias') {
    if (aliasWrites !== 'none') {
      return ok(`${name} exists: an alias${aliasWrites === 'unknown' ? '' : `, written to ${aliasWrites.name}`}`)
    }
    return error(
      `${name} is an alias of ${count(target.indices.length, 'index', 'indices')}, and none of them is the one to write to`,
      'Set is_write_index for one of them with POST /_aliases',
    )
  }
  if (target.status === 403) {
    return ok(`whether ${name} exists may not be seen with these credentials (view_index_metadata), and need not be`)
  }
  const why = target.status === 0 ? '' : `: it answers ${target.status}`
  return warning(`whether ${name} exists could not be asked${why}`, 'Check again later')
}

function creation(name: string, isStream: boolean, { template, cluster }: TargetFacts): Finding {
  const absent = `${name} does not exist yet`
  const byTemplate = typeof template === 'object' ? template : undefined
  if (byTemplate?.autoCreate === false || (byTemplate?.autoCreate === undefined && cluster?.autoCreate === false)) {
    const why =
      byTemplate?.autoCreate === false
        ? `the template ${byTemplate.name} forbids it (allow_auto_create)`
        : 'the cluster forbids it (action.auto_create_index)'
    return error(`${absent}, and the first document does not make it: ${why}`, 'Make it, or allow that it is made')
  }
  if (template === 'unknown') {
    return ok(`${absent}: the first document makes it; as what may not be seen with these credentials`)
  }
  if (byTemplate?.dataStream === true) {
    return ok(`${absent}: the first document makes a data stream, from the template ${byTemplate.name}`)
  }
  const made = byTemplate === undefined ? 'no template matches' : `from the template ${byTemplate.name}`
  const text = `${absent}: the first document makes a plain index (${made})`
  if (!isStream) return ok(text)
  return warning(
    `${text}, not a data stream: it is never rolled over`,
    'Add an index template with "data_stream": {} for it, or set REMORA_INDEX if an index is meant',
  )
}

const readOnlyCluster: Trouble = error(
  'the whole cluster is read-only (cluster.blocks)',
  'Set cluster.blocks.read_only and read_only_allow_delete to null with PUT /_cluster/settings',
)

function blockedBy(name: string, blocks: readonly string[] | undefined): Trouble[] {
  if (blocks === undefined || blocks.length === 0) return []
  const wayOut = blocks.includes('index.blocks.read_only_allow_delete')
    ? 'Free some disk on its nodes (flood stage); Elasticsearch lifts the block by itself, or set it to null'
    : `Set it to null with PUT /${name}/_settings`
  return [error(`${name} is blocked for writing: ${blocks.join(', ')}`, wayOut)]
}
