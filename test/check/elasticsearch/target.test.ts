import { describe, expect, test } from 'vitest'
import type { Asked } from '../../../src/check/elasticsearch/ask.ts'
import {
  blocksFrom,
  clusterSettingsFrom,
  targetFrom,
  templateFrom,
  writeIndexOf,
} from '../../../src/check/elasticsearch/target.ts'

const answered = (body: unknown, status = 200): Asked => ({
  kind: 'answered',
  status,
  headers: {},
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const failed: Asked = { kind: 'failed', code: 'ECONNRESET', message: '', connected: true }
const resolved = (what: object) => answered({ indices: [], aliases: [], data_streams: [], ...what })

const aliased = (is_write_index?: boolean) => ({
  aliases: { x: is_write_index === undefined ? {} : { is_write_index } },
})
const blocked = (block: string) => ({ settings: { [`index.blocks.${block}`]: 'true', 'index.uuid': 'u' } })
const template = (name: string, patterns: string[], more: object = {}) => ({
  name,
  index_template: { index_patterns: patterns, ...more },
})
const chosenOf = (...index_templates: object[]) => templateFrom('logs-app-prod', answered({ index_templates }))
const autoCreate = (auto_create_index: unknown) => answered({ persistent: { action: { auto_create_index } } })

describe('what a name resolves to', () => {
  test.each([
    [
      resolved({ data_streams: [{ name: 'x', backing_indices: ['.ds-x-1', '.ds-x-2'] }] }),
      { kind: 'data stream', writeIndex: '.ds-x-2' },
    ],
    [resolved({ indices: [{ name: 'x', attributes: ['open'] }] }), { kind: 'index', closed: false }],
    [resolved({ indices: [{ name: 'x', attributes: ['closed'] }] }), { kind: 'index', closed: true }],
    [resolved({ aliases: [{ name: 'x', indices: ['a', 'b'] }] }), { kind: 'alias', indices: ['a', 'b'] }],
    [resolved({ indices: [{ name: 'other' }] }), { kind: 'absent' }],
    [answered({ error: {} }, 404), { kind: 'absent' }],
    [answered({ error: {} }, 403), { kind: 'unknown', status: 403 }],
    [answered('<html>', 200), { kind: 'unknown', status: 200 }],
    [answered('{"data_streams":7,"aliases":[null,"x",[]]}'), { kind: 'absent' }],
    [failed, { kind: 'unknown', status: 0 }],
  ])('%#', (asked, target) => expect(targetFrom('x', asked)).toEqual(target))
})

describe('where an alias is written to', () => {
  test.each([
    [answered({ a: aliased() }), { name: 'a' }],
    [answered({ a: aliased(false) }), 'none'],
    [answered({ a: aliased(), b: aliased() }), 'none'],
    [answered({ a: aliased(false), b: aliased(true) }), { name: 'b' }],
    [answered({}, 403), 'unknown'],
    [failed, 'unknown'],
  ])('%#', (asked, name) => expect(writeIndexOf('x', asked)).toEqual(name))
})

describe('what blocks writing', () => {
  const open = { settings: { 'index.blocks.write': 'false', 'index.blocks.read': 'true' } }
  test.each([
    [{ x: open }, 'x', []],
    [{ x: blocked('write') }, 'x', ['index.blocks.write']],
    [{ x: blocked('read_only_allow_delete') }, 'x', ['index.blocks.read_only_allow_delete']],
    [{ a: blocked('write'), b: open }, 'b', []],
    [{ '.ds-x-1': blocked('write'), '.ds-x-2': open }, 'x', []],
    [{ '.ds-x-1': open, '.ds-x-2': blocked('read_only') }, 'x', ['index.blocks.read_only']],
    [{ '.ds-x-1': blocked('write') }, undefined, ['index.blocks.write']],
  ])('%j written to %s', (body, name, blocks) => expect(blocksFrom(answered(body), name)).toEqual(blocks))
  test('is not known when it may not be seen', () => {
    expect([blocksFrom(answered({}, 403), 'x'), blocksFrom(failed, 'x')]).toEqual([undefined, undefined])
  })
})

describe('the template that a new target gets', () => {
  test('is the one of highest priority that matches', () => {
    const stream = template('stream', ['logs-*-*'], { priority: 100, data_stream: {} })
    const all = template('all', ['*'])
    const exact = template('exact', ['none', 'logs-app-prod'], { priority: 5, allow_auto_create: false })
    expect(chosenOf(all, stream, exact)).toEqual({ name: 'stream', dataStream: true, autoCreate: undefined })
    expect(chosenOf(all, exact)).toEqual({ name: 'exact', dataStream: false, autoCreate: false })
    expect(chosenOf(all)).toEqual({ name: 'all', dataStream: false, autoCreate: undefined })
  })
  test.each(['logs-*-*', '*', 'logs*prod', '*app*', 'logs-app-prod', '**', 'l*o*g*s*d'])('%s matches', (pattern) => {
    expect(chosenOf(template('x', [pattern]))).toMatchObject({ name: 'x' })
  })
  test.each(['logs-*-dev', 'logs', 'logs-app-prod-*', '*x*', '', 'logs-app-pro?', 'logs-app-prod*d'])(
    '%j does not',
    (pattern) => expect(chosenOf(template('x', [pattern]))).toBe('none'),
  )
  test('is unknown when they may not be seen', () => {
    expect(templateFrom('x', answered({}, 403))).toBe('unknown')
    expect(templateFrom('x', answered({}))).toBe('none')
  })
})

describe('what the cluster says', () => {
  test.each([
    ['true', true],
    ['false', false],
    ['+logs-*,-*', true],
    ['-logs-*,+*', false],
    ['logs-*', true],
    ['metrics-*', false],
    [['+other', '+logs-*'], true],
    [undefined, true],
  ])('auto_create_index %j: %s', (value, made) => {
    expect(clusterSettingsFrom('logs-x', autoCreate(value))).toEqual({ autoCreate: made, readOnly: false })
  })
  test('the transient setting wins, and a block is a block', () => {
    const body = {
      transient: { action: { auto_create_index: 'false' }, cluster: { blocks: { read_only: 'true' } } },
      defaults: { action: { auto_create_index: 'true' }, cluster: { blocks: { read_only: 'false' } } },
    }
    expect(clusterSettingsFrom('x', answered(body))).toEqual({ autoCreate: false, readOnly: true })
    expect(clusterSettingsFrom('x', answered({}, 403))).toBeUndefined()
  })
})
