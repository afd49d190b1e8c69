import { expect, test } from 'vitest'
import { targetFindings, type TargetFacts } from '../../../src/check/elasticsearch/target-findings.ts'

const facts: TargetFacts = {
  target: { kind: 'data stream', writeIndex: '.ds-x-1' },
  aliasWrites: 'unknown',
  blocks: [],
  template: 'unknown',
  cluster: { autoCreate: true, readOnly: false },
}
const stream = { name: 'logs', dataStream: true, autoCreate: undefined }
const plain = { name: 'all', dataStream: false, autoCreate: undefined }
const absent = { kind: 'absent' } as const
const noAuto = { autoCreate: false, readOnly: false }

test.each([
  [{}, ['ok: x exists: a data stream']],
  [{ target: { kind: 'index', closed: false } }, ['ok: x exists: an index']],
  [{ target: { kind: 'index', closed: true } }, ['error: x is a closed index, which takes no documents']],
  [{ target: { kind: 'alias', indices: ['a'] }, aliasWrites: { name: 'a' } }, ['ok: x exists: an alias, written to a']],
  [{ target: { kind: 'alias', indices: ['a'] } }, ['ok: x exists: an alias']],
  [
    { target: { kind: 'alias', indices: ['a', 'b'] }, aliasWrites: 'none' },
    ['error: x is an alias of 2 indices, and none of them is the one to write to'],
  ],
  [
    { target: { kind: 'unknown', status: 403 } },
    ['ok: whether x exists may not be seen with these credentials (view_index_metadata), and need not be'],
  ],
  [{ target: { kind: 'unknown', status: 500 } }, ['warning: whether x exists could not be asked: it answers 500']],
  [{ target: { kind: 'unknown', status: 0 } }, ['warning: whether x exists could not be asked']],
  [
    { target: absent, template: stream },
    ['ok: x does not exist yet: the first document makes a data stream, from the template logs'],
  ],
  [
    { target: absent, template: plain },
    [
      'warning: x does not exist yet: the first document makes a plain index (from the template all), not a data stream: it is never rolled over',
    ],
  ],
  [
    { target: absent, template: 'none' },
    [
      'warning: x does not exist yet: the first document makes a plain index (no template matches), not a data stream: it is never rolled over',
    ],
  ],
  [
    { target: absent },
    ['ok: x does not exist yet: the first document makes it; as what may not be seen with these credentials'],
  ],
  [
    { target: absent, template: { ...stream, autoCreate: false } },
    [
      'error: x does not exist yet, and the first document does not make it: the template logs forbids it (allow_auto_create)',
    ],
  ],
  [
    { target: absent, template: 'none', cluster: noAuto },
    [
      'error: x does not exist yet, and the first document does not make it: the cluster forbids it (action.auto_create_index)',
    ],
  ],
  [
    { target: absent, template: { ...stream, autoCreate: true }, cluster: noAuto },
    ['ok: x does not exist yet: the first document makes a data stream, from the template logs'],
  ],
  [
    { blocks: ['index.blocks.write'] },
    ['ok: x exists: a data stream', 'error: x is blocked for writing: index.blocks.write'],
  ],
  [
    { cluster: { autoCreate: true, readOnly: true } },
    ['ok: x exists: a data stream', 'error: the whole cluster is read-only (cluster.blocks)'],
  ],
  [{ cluster: undefined, blocks: undefined }, ['ok: x exists: a data stream']],
] as const)('%#', (some, texts) => {
  const findings = targetFindings('x', true, { ...facts, ...some })
  expect(findings.map(({ level, text }) => `${level}: ${text}`)).toEqual(texts)
})

test('an index that was asked for by name may be a plain one', () => {
  const [finding] = targetFindings('x', false, { ...facts, target: absent, template: 'none' })
  expect(finding).toMatchObject({ level: 'ok', text: expect.stringMatching(/makes a plain index/) })
})

test('a full disk has a way out of its own', () => {
  const blocks = ['index.blocks.read_only_allow_delete']
  expect(targetFindings('x', true, { ...facts, blocks })[1]).toMatchObject({
    wayOut: expect.stringMatching(/flood stage/),
  })
})
