import { beforeAll, describe, expect, inject } from 'vitest'
import { askBroker } from './broker.ts'
import { ElasticsearchClient, type Elasticsearch } from './client.ts'
import { elasticsearchAvailable } from './install.ts'

let shared: Promise<Elasticsearch> | undefined

/**
 * The one server of the whole test run, without security, started by the first test that asks for it. Others use it at
 * the same time: take index names of your own, and a server of your own (`startElasticsearch`) to stop it or change its
 * settings.
 */
export function sharedElasticsearch(): Promise<Elasticsearch> {
  shared ??= connect()
  return shared
}

async function connect(): Promise<Elasticsearch> {
  const broker = inject('elasticsearchBroker')
  if (broker === undefined) throw new Error('test/kit/elasticsearch/global-setup.ts is missing in vitest.config.ts')
  const { port, directory } = await askBroker(broker)
  return new ElasticsearchClient(port, directory, undefined)
}

/** A `describe` for tests that need Elasticsearch: skipped where it cannot run, but a failure where `CI` is set. */
export function describeElasticsearch(name: string, define: () => void): void {
  const answer = elasticsearchAvailable()
  const reason = answer.available ? '' : ` (${answer.reason})`
  const maySkip = (process.env['CI'] ?? '') === ''
  describe.skipIf(maySkip && !answer.available)(`${name}${reason}`, () => {
    beforeAll(() => expect(reason, 'CI is set, so Elasticsearch must be able to run here').toBe(''))
    define()
  })
}
