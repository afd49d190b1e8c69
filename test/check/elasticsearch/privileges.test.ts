import { describe, expect, test } from 'vitest'
import { Discretion } from '../../../src/check/discretion.ts'
import type { Asked } from '../../../src/check/elasticsearch/ask.ts'
import {
  askPrivileges,
  authinfoFrom,
  privilegesFindings,
  privilegesFrom,
  type Privileges,
} from '../../../src/check/elasticsearch/privileges.ts'

const discretion = new Discretion({ apiKey: undefined, username: undefined, password: undefined })
const user = { username: 'me', apiKey: false }
const answered = (status: number, body: unknown): Asked => ({
  kind: 'answered',
  status,
  headers: {},
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const has = (...privileges: string[]) => ({
  username: 'me',
  index: { x: Object.fromEntries(privileges.map((name) => [name, true])) },
})

const known = (createDoc: boolean, autoCreate: boolean, autoPut: boolean): Privileges => ({
  kind: 'known',
  username: 'me',
  createDoc,
  autoCreate,
  autoPut,
})

describe('from the answer', () => {
  test.each([
    [
      answered(200, has('create_doc')),
      { kind: 'known', username: 'me', createDoc: true, autoCreate: false, autoPut: false },
    ],
    [answered(200, has('auto_configure')), { createDoc: false, autoCreate: true, autoPut: true }],
    [answered(200, has('create_doc', 'create_index')), { createDoc: true, autoCreate: true, autoPut: false }],
    [answered(200, has('create_doc', 'write')), { createDoc: true, autoCreate: false, autoPut: true }],
    [answered(200, { username: 'me', index: { x: { create_doc: 'yes' } } }), { kind: 'known', createDoc: false }],
    [
      answered(400, { error: 'no handler found for uri [/_security/user/_has_privileges] and method [POST]' }),
      { kind: 'security-off' },
    ],
    [answered(405, {}), { kind: 'security-off' }],
    // Elasticsearch 7.
    [answered(400, { error: { type: 'invalid_index_name_exception' } }), { kind: 'security-off' }],
    [
      answered(400, { error: { type: 'parsing_exception' } }),
      { kind: 'unknown', why: 'it answers 400 parsing_exception' },
    ],
    [
      answered(403, { error: { type: 'security_exception' } }),
      { kind: 'unknown', why: 'it answers 403 security_exception' },
    ],
    [answered(502, '<html>'), { kind: 'unknown', why: 'it answers 502' }],
    [answered(200, {}), { kind: 'unknown', why: 'it answers 200' }],
    [
      { kind: 'failed', code: 'TIMEOUT', message: 'aborted', connected: true } as const,
      { kind: 'unknown', why: 'aborted' },
    ],
  ])('%#', (asked, privileges) => expect(privilegesFrom('x', asked, discretion)).toMatchObject(privileges))
})

/** The example of its documentation, "Authentication information API". */
const authinfo = {
  user: 'User [name=admin, backend_roles=[admin], requestedTenant=null]',
  user_name: 'admin',
  backend_roles: ['admin'],
  roles: ['all_access'],
}

describe('from the answer of OpenSearch', () => {
  test.each([
    [answered(200, authinfo), { kind: 'let-in', username: 'admin' }],
    [answered(400, { error: 'no handler found for uri [/_plugins/_security/authinfo]' }), { kind: 'security-off' }],
    [answered(403, { error: { type: 'security_exception' } }), { kind: 'unknown' }],
    [answered(200, {}), { kind: 'unknown', why: 'it answers 200' }],
    [answered(502, '<html>'), { kind: 'unknown', why: 'it answers 502' }],
  ])('%#', (asked, privileges) => expect(authinfoFrom(asked, discretion)).toMatchObject(privileges))
})

test.each([
  ['Elasticsearch', [answered(200, has('create_doc'))], 'known', 1],
  ['OpenSearch', [answered(400, { error: 'no handler found' }), answered(200, authinfo)], 'let-in', 2],
  ['somebody else', [answered(405, {}), answered(405, {})], 'unknown', 2],
] as const)('behind an answer that hides who it is: %s', async (_name, answers, kind, questions) => {
  let asked = 0
  const told = await askPrivileges('unknown', 'x', async () => answers[asked++]!, discretion)
  expect([told.kind, asked]).toEqual([kind, questions])
})

describe('to findings', () => {
  test.each([
    [known(true, true, true), true, 'ok: user me may write to x'],
    [known(true, true, true), false, 'ok: user me may write to x and make it'],
    [known(true, false, true), true, 'ok: user me may write to x'],
    [known(true, true, true), undefined, 'ok: user me may write to x'],
    [known(false, true, true), true, 'error: user me may not write to x: no create_doc'],
    [known(true, false, true), false, 'error: user me may not write to x: no auto_configure, and x does not exist yet'],
    [known(false, false, false), false, 'error: user me may not write to x: no create_doc and no auto_configure'],
    [
      known(true, false, false),
      undefined,
      'warning: user me may write to x, but not make it: no auto_configure, and whether it exists cannot be seen',
    ],
    [
      known(true, true, false),
      true,
      'warning: user me may write to x, but not a document with a field that is new to it: no auto_configure',
    ],
    [
      { kind: 'security-off' },
      true,
      'ok: security is off there: anybody may write, and the credentials are not looked at',
    ],
    [
      { kind: 'let-in', username: 'me' },
      true,
      'ok: user me is let in; whether it may write to x cannot be asked of OpenSearch',
    ],
    [
      { kind: 'unknown', why: 'it answers 502' },
      true,
      'warning: it cannot be told whether these credentials may write to x: it answers 502',
    ],
  ] as const)('%#', (privileges, exists, text) => {
    const [finding, ...more] = privilegesFindings('x', privileges, exists, user)
    expect([`${finding?.level}: ${finding?.text}`, more]).toEqual([text, []])
  })
  test('an API key is called one', () => {
    const [finding] = privilegesFindings('x', known(true, true, true), true, { username: undefined, apiKey: true })
    expect(finding?.text).toBe('the API key (of user me) may write to x')
  })
  test('what is to be granted can be copied', () => {
    const [finding] = privilegesFindings('x', known(false, true, true), true, user)
    expect(finding?.lines).toEqual(['{"names":["x"],"privileges":["create_doc","auto_configure"]}'])
  })
})
