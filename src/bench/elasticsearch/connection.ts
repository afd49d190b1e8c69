import { randomBytes } from 'node:crypto'
import { assert, RemoraError } from '../../base/errors.ts'
import { type Env, loadSettings } from '../../config/load.ts'
import { explainProblems } from '../../config/problem.ts'
import { readSettingFile } from '../../config/read-file.ts'
import { passedOn } from '../../demo/agent-environment.ts'
import { Remote } from '../../demo/remote.ts'

/** A page of many long lines takes its time. */
const answerMs = 60_000
/** What has to do with how documents are sent, or where to: the bench's own. */
const notPassed =
  /^REMORA_(CLOUD_ID|ELASTICSEARCH_URL|DATASET|COMPRESSION|COMPRESSION_LEVEL|REQUEST_TIMEOUT|MEMORY_LIMIT)(_FILE)?$/

/** What of the rest of the environment leads to a server. */
const wayThere = /^((https?|all|no)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR))$/i

/** What the names of this bench's indices have in common. */
export const indexPrefix = `remora-bench-${randomBytes(4).toString('hex')}`

/** A name that nobody has: the bench makes, fills and deletes this one index, and touches no other. */
export function throwAwayName(): string {
  return `${indexPrefix}${randomBytes(4).toString('hex')}`
}

export function assertThrowAway(name: string): void {
  assert(/^remora-bench-[0-9a-f]{16}$/.test(name), 'the bench deletes nothing but what it has made')
}

/**
 * The settings that lead an agent to an index on the user's server: credentials, authorities and the rest out of the
 * user's environment.
 *
 * @throws RemoraError when they are bad
 */
export function settingsFor(env: Env, url: string, index: string): Record<string, string> {
  const { environment, problems } = passedOn({ ...env, REMORA_ELASTICSEARCH_URL: url })
  if (problems.length > 0) throw badSettings(explainProblems(problems))
  const kept = Object.entries(environment).filter(
    ([name]) => wayThere.test(name) || (name.startsWith('REMORA_') && !notPassed.test(name)),
  )
  return { ...Object.fromEntries(kept), REMORA_ELASTICSEARCH_URL: url, REMORA_INDEX: index }
}

/** @param given  as `settingsFor` makes it  @throws RemoraError when it is bad */
export function remoteOf(given: Env): Remote {
  const { settings, problems } = loadSettings(given, readSettingFile)
  if (settings === undefined) throw badSettings(explainProblems(problems))
  const wayOut = 'Check the URL, the network, and whether the server speaks TLS; `remora check` tells more.'
  return new Remote(settings, answerMs, 'the bench', wayOut)
}

function badSettings(text: string): RemoraError {
  return new RemoraError(
    'BAD_SETTINGS',
    text.trim(),
    'The bench takes the credentials of the agent from the environment.',
  )
}
