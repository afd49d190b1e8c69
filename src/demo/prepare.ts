import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { type Env, loadSettings } from '../config/load.ts'
import { explainProblems } from '../config/problem.ts'
import { readSettingFile } from '../config/read-file.ts'
import { passedOn } from './agent-environment.ts'
import { freePort } from './agent-process.ts'
import type { BulkServerOptions } from './bulk-server.ts'
import { type Destination, embedded } from './destination.ts'
import { ownElasticsearch } from './destination-elasticsearch.ts'
import { logsGlob, type Workspace } from './workspace.ts'

export interface Prepared {
  readonly destination: Destination
  /** Of the agent's metrics. */
  readonly port: number
  /** Of the agent, in full. */
  readonly environment: Readonly<Record<string, string>>
  /** Settings of the user's that the demo does not use. */
  readonly unused: readonly string[]
}

/**
 * Everything that may fail before anything has begun.
 *
 * @returns a text for the person whose settings are bad
 * @throws RemoraError when there is no port, or nobody answers at the user's Elasticsearch
 */
export async function prepare(
  env: Env,
  workspace: Workspace,
  faults: BulkServerOptions['faults'],
  clock: Clock,
): Promise<Prepared | string> {
  const { environment, unused, problems, ownServer } = passedOn(env)
  if (problems.length > 0) return explainProblems(problems)
  const port = await freePort()
  const own = {
    ...environment,
    REMORA_PATHS: logsGlob(workspace.logs),
    REMORA_STATE_DIR: workspace.state,
    REMORA_ADMIN_PORT: String(port),
  }
  if (!ownServer) {
    const refusal = refusalOf(own)
    if (refusal !== undefined) return refusal
    const destination = await embedded(workspace.documents, faults)
    return { destination, port, unused, environment: { ...own, REMORA_ELASTICSEARCH_URL: destination.url } }
  }
  const streamed = {
    REMORA_DATASET: 'remora.demo',
    ...own,
    REMORA_DATA_STREAM_NAMESPACE: randomBytes(4).toString('hex'),
  }
  const { settings, problems: wrong } = loadSettings(streamed, readSettingFile)
  if (settings === undefined) return explainProblems(wrong)
  return { destination: await ownElasticsearch(settings, clock), port, unused, environment: streamed }
}

function refusalOf(env: Env): string | undefined {
  const { problems } = loadSettings(env, readSettingFile)
  return problems.length > 0 ? explainProblems(problems) : undefined
}
