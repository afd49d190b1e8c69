/** What these credentials may do with the target, as far as the server tells. */
import type { Discretion } from '../discretion.ts'
import { error, ok, warning, type Finding } from '../finding.ts'
import type { Answered, Ask, Asked } from './ask.ts'
import type { Credentials, Product } from './identity.ts'
import { at, parseJson, textAt } from './json.ts'

/**
 * What a `create` of the bulk API needs, and what grants it: `create_doc` itself; to make the target `auto_configure` or
 * `create_index`; for fields that are new to the mapping `auto_configure` or `write` (tried on 9.5: without it such a
 * document is refused with 403). Larger privileges answer as if they were these. Source: Elasticsearch reference, "Security privileges".
 */
const asked = ['create_doc', 'auto_configure', 'create_index', 'write'] as const

const privilegesPath = '/_security/user/_has_privileges'
/** OpenSearch tells who somebody is, not what he may do. Source: its documentation, "Authentication information API". */
const authinfoPath = '/_plugins/_security/authinfo'

export async function askPrivileges(
  product: Product,
  target: string,
  ask: Ask,
  discretion: Discretion,
): Promise<Privileges> {
  if (product !== 'opensearch') {
    const body = { index: [{ names: [target], privileges: asked }] }
    const told = privilegesFrom(target, await ask('POST', privilegesPath, body), discretion)
    if (product !== 'unknown' || told.kind !== 'security-off') return told
  }
  const told = authinfoFrom(await ask('GET', authinfoPath), discretion)
  // Somebody has refused to show the version.
  if (product === 'unknown' && told.kind === 'security-off') return { kind: 'unknown', why: 'it has no such address' }
  return told
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
  /** Let in, and that is all that can be asked. */
  | { readonly kind: 'let-in'; readonly username: string }
  | { readonly kind: 'unknown'; readonly why: string }

export function privilegesFrom(target: string, answer: Asked, discretion: Discretion): Privileges {
  if (answer.kind === 'failed') return { kind: 'unknown', why: discretion.quote(answer.message) }
  const body = parseJson(answer.body)
  if (isNoAddress(answer)) return { kind: 'security-off' }
  const privileges = at(body, 'index', target)
  if (answer.status !== 200 || privileges === undefined) return untold(answer, discretion)
  const has = (name: (typeof asked)[number]) => at(privileges, name) === true
  return {
    kind: 'known',
    username: discretion.quote(textAt(body, 'username'), 60),
    createDoc: has('create_doc'),
    autoCreate: has('auto_configure') || has('create_index'),
    autoPut: has('auto_configure') || has('write'),
  }
}

export function authinfoFrom(answer: Asked, discretion: Discretion): Privileges {
  if (answer.kind === 'failed') return { kind: 'unknown', why: discretion.quote(answer.message) }
  if (isNoAddress(answer)) return { kind: 'security-off' }
  const username = textAt(parseJson(answer.body), 'user_name')
  if (answer.status !== 200 || username === '') return untold(answer, discretion)
  return { kind: 'let-in', username: discretion.quote(username, 60) }
}

/** Without its security part the server has no such address; version 7 takes it for a document of an index. */
function isNoAddress({ status, body }: Answered): boolean {
  if (status === 405) return true
  if (status !== 400) return false
  return (
    body.includes('no handler found') || textAt(parseJson(body), 'error', 'type') === 'invalid_index_name_exception'
  )
}

function untold({ status, body }: Answered, discretion: Discretion): Privileges {
  const reason = textAt(parseJson(body), 'error', 'type')
  return { kind: 'unknown', why: `it answers ${status}${reason === '' ? '' : ` ${discretion.quote(reason, 60)}`}` }
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
        `Check again later; a proxy in between must let POST ${privilegesPath} through (OpenSearch: GET ${authinfoPath})`,
      ),
    ]
  }
  if (privileges.kind === 'let-in') {
    const text = `user ${privileges.username} is let in; whether it may write to ${target} cannot be asked of OpenSearch`
    return [ok(text)]
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
