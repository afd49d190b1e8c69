import { findJdk } from './java.ts'

interface Distribution {
  readonly product: 'elasticsearch' | 'opensearch'
  /** As Maven Central has it. */
  readonly number: string
  /** Folders of `java/` that are compiled against the server. */
  readonly sources: readonly string[]
  readonly jdkMajorMin: number
  readonly jdkMajorMax: number
  /** Whether the fixture can start it with users. */
  readonly security: boolean
}

const any = Infinity

/**
 * The servers that the fixture can install. Another version is another row.
 *
 * Elasticsearch 7 does not start on JDK 25: it needs Java's security manager, which is gone from 24 on. OpenSearch 2.19.7
 * has no `transport-netty4-client` on Maven Central, without which there is no HTTP.
 */
const distributions = {
  '9.5.3': {
    product: 'elasticsearch',
    number: '9.5.3',
    sources: ['elasticsearch', 'elasticsearch-9'],
    jdkMajorMin: 21,
    jdkMajorMax: any,
    security: true,
  },
  '8.19.21': {
    product: 'elasticsearch',
    number: '8.19.21',
    sources: ['elasticsearch', 'elasticsearch-8'],
    jdkMajorMin: 17,
    jdkMajorMax: any,
    security: true,
  },
  // Answers GET / by itself.
  '7.17.29': {
    product: 'elasticsearch',
    number: '7.17.29',
    sources: [],
    jdkMajorMin: 11,
    jdkMajorMax: 23,
    security: false,
  },
  'opensearch-3.9.0': {
    product: 'opensearch',
    number: '3.9.0',
    sources: ['opensearch', 'opensearch-3'],
    jdkMajorMin: 21,
    jdkMajorMax: any,
    security: false,
  },
  'opensearch-2.19.6': {
    product: 'opensearch',
    number: '2.19.6',
    sources: ['opensearch', 'opensearch-2'],
    jdkMajorMin: 11,
    jdkMajorMax: any,
    security: false,
  },
} as const satisfies Record<string, Distribution>

export type ServerVersion = keyof typeof distributions
export const defaultVersion: ServerVersion = '9.5.3'

export function distributionOf(version: ServerVersion): Distribution {
  return distributions[version]
}

/** The home of the JDK that the server is to run on, or what is missing. */
export function jdkFor(version: ServerVersion): { javaHome: string } | { reason: string } {
  const { jdkMajorMin, jdkMajorMax } = distributions[version]
  const javaHome = findJdk(jdkMajorMin, jdkMajorMax)
  if (javaHome !== undefined) return { javaHome }
  const range = jdkMajorMax === any ? `JDK ${jdkMajorMin} or later` : `JDK from ${jdkMajorMin} to ${jdkMajorMax}`
  return { reason: `no ${range} with javac found: install one or set ES_JAVA_HOME` }
}
