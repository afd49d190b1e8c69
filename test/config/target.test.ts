import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { indexName } from '../../src/config/target.ts'
import { runs } from '../base/runs.ts'
import { complaints, load } from './kit.ts'

const pod = {
  REMORA_SERVICE_NAME: 'Web Shop',
  REMORA_POD_NAME: 'web-0',
  REMORA_POD_NAMESPACE: 'my-shop',
  REMORA_FIELDS: 'labels.team=Pay/ments,tier=1',
}
const targetOf = (env: Record<string, string>) => load({ ...pod, ...env }).settings?.target

const noticesOf = (env: Record<string, string>) => load(env).notices

describe('names that fields make', () => {
  test.each([
    ['app-{service.name}', 'app-web_shop'],
    ['{kubernetes.namespace}-{kubernetes.pod.name}', 'my-shop-web-0'],
    ['app-{labels.team}-{tier}', 'app-pay_ments-1'],
    ['app-{service.name}-{+yyyy.MM.dd}', 'app-web_shop-{+yyyy.MM.dd}'],
  ])('%s is %s', (REMORA_INDEX, target) => expect(targetOf({ REMORA_INDEX })).toBe(target))

  test('in a data stream’s name a - becomes _', () => {
    expect(targetOf({ REMORA_DATA_STREAM_NAMESPACE: '{kubernetes.namespace}' })).toBe('logs-generic-my_shop')
    expect(targetOf({ REMORA_DATASET: '{service.name}.{tier}' })).toBe('logs-web_shop.1-default')
  })

  test('routing takes a value as it is', () => {
    expect(load({ ...pod, REMORA_ROUTING: 'r-{labels.team}' }).settings?.routing).toBe('r-Pay/ments')
    expect(complaints(load({ REMORA_FIELDS: 'a=b\\,c', REMORA_ROUTING: '{a}' }))).toEqual([
      'REMORA_ROUTING: "{a}" comes to "b,c", with a comma in it',
    ])
  })
})

describe('what is refused', () => {
  test.each([
    ['REMORA_INDEX', '{kubernetes.node.name}', '{kubernetes.node.name} has no value', 'set REMORA_NODE_NAME'],
    ['REMORA_INDEX', '{labels.teem}', 'there is no field "labels.teem"', 'service.name, labels.team, tier'],
    ['REMORA_INDEX', 'App-{tier}', 'has capital letters in it', 'app-'],
    ['REMORA_INDEX', '-{tier}', 'begins with -, _ or +', 'letter'],
    ['REMORA_INDEX', 'a b-{tier}', 'has " " in it', 'leave'],
    ['REMORA_DATASET', 'a-{tier}', 'has a - in it', 'write _'],
    ['REMORA_DATASET', '{+yyyy}', 'has a date in it', 'rolled over'],
    ['REMORA_ROUTING', '{+yyyy}', 'has a date in it', 'same way'],
    ['REMORA_DATA_STREAM_NAMESPACE', '{nothing}', 'there is no field "nothing"', 'the fields are'],
    ['REMORA_PIPELINE', 'a,b', 'has "," in it', 'leave'],
  ])('%s=%s: %s', (name, value, message, wayOut) => {
    const { problems } = load({ ...pod, [name]: value })
    expect(problems).toEqual([
      { variable: name, message: expect.stringContaining(message), wayOut: expect.stringContaining(wayOut) },
    ])
  })

  test('a name that values make too long', () => {
    const REMORA_FIELDS = `a=${'x'.repeat(300)}`
    expect(complaints(load({ REMORA_FIELDS, REMORA_INDEX: '{a}' }))[0]).toContain('300 bytes long')
  })

  test('a value may not choose how a name begins', () => {
    expect(complaints(load({ REMORA_FIELDS: 'a=-x', REMORA_INDEX: '{a}' }))[0]).toContain('begins with')
  })

  test('a field whose setting is wrong is complained about once', () => {
    const loaded = load({ REMORA_POD_NAMESPACE: 'not a name', REMORA_INDEX: '{kubernetes.namespace}' })
    expect(loaded.problems.map(({ variable }) => variable)).toEqual(['REMORA_POD_NAMESPACE'])
  })
})

test('whatever a field holds, the name is one that Elasticsearch takes, or is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (value) => {
      const REMORA_FIELDS = `a=${value.replace(/[\\,]/g, '\\$&')}`
      const target = load({ REMORA_FIELDS, REMORA_INDEX: 'app-{a}' }).settings?.target ?? 'refused'
      return indexName.parse(target).ok
    }),
    runs(300),
  )
  expect(load({ REMORA_FIELDS: 'a=😀 {x}/*', REMORA_INDEX: 'app-{a}' }).settings?.target).toBe('app-😀__x___')
})

test('a dated name that Elasticsearch would make a data stream of is remarked on', () => {
  expect(noticesOf({ REMORA_INDEX: 'logs-app-{+yyyy.MM.dd}' })[0]).toContain('remora setup')
  expect(noticesOf({ REMORA_INDEX: 'logs-app-{+yyyy.MM.dd}', REMORA_SETUP: 'once' })).toEqual([])
  expect(noticesOf({ REMORA_INDEX: 'app-{+yyyy.MM.dd}' })).toEqual([])
  expect(noticesOf({ REMORA_INDEX: 'logs-{+yyyy.MM.dd}' })).toEqual([])
})
