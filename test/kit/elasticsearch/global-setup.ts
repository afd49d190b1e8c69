import type { TestProject } from 'vitest/node'
import { startBroker } from './broker.ts'
import { elasticsearchAvailable } from './install.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Undefined when this global setup is not in the configuration. */
    elasticsearchBroker: string | undefined
  }
}

/** Once per run, in vitest's own process: costs nothing until a test asks for the server. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const answer = elasticsearchAvailable()
  if (!answer.available) console.warn(`Tests that need Elasticsearch do not run: ${answer.reason}`)
  const broker = await startBroker()
  project.provide('elasticsearchBroker', broker.url)
  return () => broker.close()
}
