import { afterAll, beforeAll } from 'vitest'
import { sharedElasticsearch, type Elasticsearch } from '../../kit/elasticsearch.ts'
import { Gateway } from './gateway.ts'
import { Space, type PodSecurity } from './space.ts'
import { where } from './where.ts'

/** What there is once the tests of a file begin. */
export interface Stage {
  readonly space: () => Space
  readonly server: () => Elasticsearch
  readonly gateway: () => Gateway
}

/** A namespace, and the way from its Pods to a real Elasticsearch, for the tests of a file. */
export function stage(level?: PodSecurity): Stage {
  let made: { readonly space: Space; readonly server: Elasticsearch; readonly gateway: Gateway } | undefined
  beforeAll(async () => {
    const server = await sharedElasticsearch()
    made = { server, gateway: await Gateway.before(server.port, where.host), space: await Space.make(level) }
  })
  afterAll(async () => {
    await made?.gateway.goAway()
    await made?.space.remove()
  })
  const there = () => {
    if (made === undefined) throw new Error('the tests have not begun')
    return made
  }
  return { space: () => there().space, server: () => there().server, gateway: () => there().gateway }
}

let scenes = 0

/** For objects, lines and a data stream of its own: a name that none before it had. */
export function sceneName(kind: string): string {
  // No `-`, which the parts of a data stream may not have.
  return `${kind}${process.pid}x${++scenes}`
}
