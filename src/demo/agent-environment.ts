/** Which of the user's variables the demo's agent gets. Pure: an environment in, an environment out. */
import type { Env } from '../config/load.ts'
import { sortNames } from '../config/names.ts'
import type { Problem } from '../config/problem.ts'

/** The way to the user's own Elasticsearch. The dataset is among them because a key may be good for one only. */
const connection = [
  'ELASTICSEARCH_URL',
  'CLOUD_ID',
  'API_KEY',
  'USERNAME',
  'PASSWORD',
  'BEARER_TOKEN',
  'CA_FILE',
  'CA_FINGERPRINT',
  'CLIENT_CERT_FILE',
  'CLIENT_KEY_FILE',
  'COMPRESSION',
  'COMPRESSION_LEVEL',
  'REQUEST_TIMEOUT',
  'DATASET',
]
/** To see the agent work with less memory. */
const always = ['MEMORY_LIMIT']

/** What of `env` is passed on. */
export interface Passed {
  /** Everything that is no setting of Remora's, and the settings that the demo leaves to the user. */
  readonly environment: Record<string, string>
  /** Settings that the user has given and that the demo does not use: it has its own. */
  readonly unused: readonly string[]
  /** Misspelt and unknown names. */
  readonly problems: readonly Problem[]
  /** An Elasticsearch of the user's own is to be used. */
  readonly ownServer: boolean
}

export function passedOn(env: Env): Passed {
  const given = (name: string) => (env[name] ?? '').trim() !== ''
  const isGiven = (name: string) => given(`REMORA_${name}`) || given(`REMORA_${name}_FILE`)
  const ownServer = isGiven('ELASTICSEARCH_URL') || isGiven('CLOUD_ID')
  // Credentials mean something to one server only; the embedded one has none.
  const wanted = new Set(
    [...always, ...(ownServer ? connection : [])].flatMap((name) => [`REMORA_${name}`, `REMORA_${name}_FILE`]),
  )
  const { injected, problems } = sortNames(env)
  const environment: Record<string, string> = {}
  const unused: string[] = []
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || injected.has(name)) continue
    if (!/^remora_/i.test(name) || wanted.has(name)) environment[name] = value
    else if (given(name)) unused.push(name)
  }
  return { environment, unused, problems, ownServer }
}
