import { beforeAll, describe, expect, inject } from 'vitest'
import { askBroker } from './broker.ts'
import { ElasticsearchClient, type Elasticsearch } from './client.ts'
import { defaultVersion, type ServerVersion } from './distributions.ts'
import { missingFor } from './install.ts'

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

/**
 * A `describe` for tests that need a real server: skipped where it cannot run, but a failure where `CI` is set. Another
 * version than the usual one may lack its JDK there too: not every machine has them all.
 */
export function describeElasticsearch(name: string, define: () => void, version: ServerVersion = defaultVersion): void {
  const missing = missingFor(version)
  const isCi = (process.env['CI'] ?? '') !== ''
  const maySkip = !isCi || (version !== defaultVersion && missing?.what === 'jdk')
  const reason = missing === undefined ? '' : ` (${missing.reason})`
  describe.skipIf(maySkip && missing !== undefined)(`${name}${reason}`, () => {
    beforeAll(() => expect(reason, 'CI is set, so the server must be able to run here').toBe(''))
    define()
  })
}
