/** What these credentials may do with the target, as `POST /_security/user/_has_privileges` tells. */
import type { Discretion } from '../discretion.ts'
import { error, ok, warning, type Finding } from '../finding.ts'
import type { Asked } from './ask.ts'
import type { Credentials } from './identity.ts'
import { at, parseJson, textAt } from './json.ts'

/**
 * What a `create` of the bulk API needs, and what grants it: `create_doc` itself; to make the target `auto_configure` or
 * `create_index`; for fields that are new to the mapping `auto_configure` or `write` (tried on 9.5: without it such a
 * document is refused with 403). Larger privileges answer as if they were these. Source: Elasticsearch reference, "Security privileges".
 */
const asked = ['create_doc', 'auto_configure', 'create_index', 'write'] as const

export const privilegesPath = '/_security/user/_has_privileges'

export function privilegesBody(target: string): unknown {
  return { index: [{ names: [target], privileges: asked }] }
}

export type Privileges =
  | { readonly kind: 'security-off' }
  | {
      readonly kind: 'known'
      readonly username: string
      readonly createDoc: boolean
      readonly autoCreate: boolean
      readonly autoPut: boolean
    }
  | { readonly kind: 'unknown'; readonly why: string }

export function privilegesFrom(target: string, answer: Asked, discretion: Discretion): Privileges {
  if (answer.kind === 'failed') return { kind: 'unknown', why: discretion.quote(answer.message) }
  const body = parseJson(answer.body)
  // Without its security part the server has no such address.
  if (answer.status === 400 && answer.body.includes('no handler found')) return { kind: 'security-off' }
  if (answer.status === 405) return { kind: 'security-off' }
  const privileges = at(body, 'index', target)
  if (answer.status !== 200 || privileges === undefined) {
    const reason = textAt(body, 'error', 'type')
    return {
      kind: 'unknown',
      why: `it answers ${answer.status}${reason === '' ? '' : ` ${discretion.quote(reason, 60)}`}`,
    }
  }
  const has = (name: (typeof asked)[number]) => at(privileges, name) === true
  return {
    kind: 'known',
    username: discretion.quote(textAt(body, 'username'), 60),
    createDoc: has('create_doc'),
    autoCreate: has('auto_configure') || has('create_index'),
    autoPut: has('auto_configure') || has('write'),
  }
}

/** @param exists undefined when nobody could tell */
export function privilegesFindings(
  target: string,
  privileges: Privileges,
  exists: boolean | undefined,
  credentials: Credentials,
): Finding[] {
  if (privileges.kind === 'security-off') {
    const given = credentials.apiKey || credentials.bearerToken === true || credentials.username !== undefined
    return [ok(`security is off there: anybody may write${given ? ', and the credentials are not looked at' : ''}`)]
  }
  if (privileges.kind === 'unknown') {
    return [
      warning(
        `it cannot be told whether these credentials may write to ${target}: ${privileges.why}`,
        'Check again later; a proxy in between must let POST /_security/user/_has_privileges through',
      ),
    ]
  }
  const { username, autoPut } = privileges
  const who = credentials.apiKey ? `the API key (of user ${username})` : `user ${username}`
  const missing: string[] = privileges.createDoc ? [] : ['create_doc']
  if (!privileges.autoCreate && exists === false) missing.push('auto_configure')
  if (missing.length > 0) {
    const because = missing.length === 1 && privileges.createDoc ? `, and ${target} does not exist yet` : ''
    return [
      error(`${who} may not write to ${target}: no ${missing.join(' and no ')}${because}`, grant, roleLines(target)),
    ]
  }
  if (!privileges.autoCreate && exists === undefined) {
    const text = `${who} may write to ${target}, but not make it: no auto_configure, and whether it exists cannot be seen`
    return [warning(text, grant, roleLines(target))]
  }
  if (!autoPut) {
    const text = `${who} may write to ${target}, but not a document with a field that is new to it: no auto_configure`
    return [warning(text, grant, roleLines(target))]
  }
  return [ok(`${who} may write to ${target}${exists === false ? ' and make it' : ''}`)]
}

const grant = 'Give the role, or the API key, these index privileges'

const roleLines = (target: string) => [
  JSON.stringify({ names: [target], privileges: ['create_doc', 'auto_configure'] }),
]
