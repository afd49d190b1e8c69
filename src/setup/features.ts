/** What a server can do. Asked for, not assumed: neither its version nor its name tells what it was built with. */
import type { Ask, Reply } from './ask.ts'
import { at, isForLater, textAt } from './read.ts'

export interface Features {
  /** For a person: `Elasticsearch 9.5.3`. */
  readonly server: string
  readonly dataStreams: boolean
  readonly matchOnlyText: boolean
  /** Index lifecycle management. */
  readonly ilm: boolean
  /** Data stream lifecycle. */
  readonly streamLifecycle: boolean
  /** What has the target's name now; `unknown`: nobody tells. */
  readonly target: 'absent' | 'data stream' | 'index' | 'alias' | 'unknown'
}

export type Asked =
  | { readonly kind: 'known'; readonly features: Features }
  | { readonly kind: 'later'; readonly reply: Reply }

/** No index has such a name: a template for it is never kept, and would match nothing. */
const nowhere = 'remora-feature-probe'

/**
 * Nothing is changed by any of these. Sources: Elasticsearch reference, "Simulate index template API" (which checks a template as
 * a PUT would; tried on 9.5), "Get lifecycle policy API", "Get data stream lifecycle", "Resolve index API".
 *
 * @param target  its name, or a pattern for dated indices
 */
export async function askFeatures(ask: Ask, target: string): Promise<Asked> {
  const name = encodeURIComponent(target)
  const simulate = (template: Record<string, unknown>) =>
    ask('POST', '/_index_template/_simulate', { index_patterns: [nowhere], priority: 0, ...template })
  const questions: readonly (() => Promise<Reply>)[] = [
    () => ask('GET', '/'),
    () => simulate({ data_stream: {} }),
    () => simulate({ template: { mappings: { properties: { message: { type: 'match_only_text' } } } } }),
    () => ask('GET', `/_ilm/policy/${nowhere}`),
    () => ask('GET', `/_data_stream/${nowhere}/_lifecycle`),
    () => ask('GET', `/_resolve/index/${name}`),
  ]
  const replies: Reply[] = []
  for (const question of questions) {
    const reply = await question()
    // A server without a part may stumble over its address: that is no reason to wait, unless nothing works.
    if (isForLater(reply) && (reply.kind === 'failed' || reply.status !== 501)) return { kind: 'later', reply }
    replies.push(reply)
  }
  const [root, streams, text, ilm, lifecycle, resolved] = replies
  return {
    kind: 'known',
    features: {
      server: serverOf(root!),
      dataStreams: isTaken(streams!),
      matchOnlyText: isTaken(text!),
      ilm: isRoute(ilm!),
      streamLifecycle: isRoute(lifecycle!),
      target: targetOf(target, resolved!),
    },
  }
}

function serverOf(root: Reply): string {
  const body = root.kind === 'answered' && root.status === 200 ? root.body : undefined
  const number = textAt(body, 'version', 'number').slice(0, 20)
  if (textAt(body, 'version', 'distribution') === 'opensearch') return `OpenSearch ${number}`
  if (textAt(body, 'version', 'build_flavor') === 'serverless') return 'Elasticsearch Serverless'
  return `Elasticsearch ${number}`.trim()
}

const isTaken = (reply: Reply) => reply.kind === 'answered' && reply.status === 200

/**
 * Whether the server knows the address: it answers 404 for the name in it (an error with a type), or 403. One that it does not know
 * is 400 or 405 with an error that is a text, or on serverless 410. Tried on 9.5 without these parts.
 */
function isRoute(reply: Reply): boolean {
  if (reply.kind === 'failed') return false
  const { status, body } = reply
  return status === 200 || ((status === 404 || status === 403) && textAt(body, 'error', 'type') !== '')
}

function targetOf(target: string, reply: Reply): Features['target'] {
  if (reply.kind === 'failed') return 'unknown'
  if (reply.status === 404) return 'absent'
  if (reply.status !== 200) return 'unknown'
  const named = (list: string) => {
    const entries = at(reply.body, list)
    return Array.isArray(entries) && entries.some((entry) => textAt(entry, 'name') === target)
  }
  if (named('data_streams')) return 'data stream'
  if (named('aliases')) return 'alias'
  return named('indices') ? 'index' : 'absent'
}
