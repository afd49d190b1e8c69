import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mayHaveTaken, requestVerdictOf, verdictOf } from '../../src/ship/verdict.ts'

describe('one document of an answer', () => {
  test.each([
    // status, type: verdict alone, verdict when others of the request passed
    [200, '', 'done', 'done'],
    [201, '', 'done', 'done'],
    [409, 'version_conflict_engine_exception', 'done', 'done'],
    [429, 'es_rejected_execution_exception', 'again', 'again'],
    [429, 'rejected_execution_exception', 'again', 'again'],
    [429, 'cluster_block_exception', 'hold', 'hold'],
    [500, 'null_pointer_exception', 'again', 'again'],
    [503, 'unavailable_shards_exception', 'again', 'again'],
    [400, 'document_parsing_exception', 'refused', 'refused'],
    [400, 'mapper_parsing_exception', 'refused', 'refused'],
    [400, 'strict_dynamic_mapping_exception', 'refused', 'refused'],
    [400, 'index_closed_exception', 'hold', 'hold'],
    [400, 'validation_exception', 'hold', 'hold'],
    [400, 'invalid_index_name_exception', 'hold', 'hold'],
    [400, 'illegal_argument_exception', 'hold', 'refused'],
    [400, 'never_heard_of_exception', 'hold', 'refused'],
    [400, '', 'hold', 'refused'],
    [401, 'security_exception', 'hold', 'hold'],
    [403, 'cluster_block_exception', 'hold', 'hold'],
    [403, 'security_exception', 'hold', 'hold'],
    [404, 'index_not_found_exception', 'hold', 'hold'],
    [404, 'resource_not_found_exception', 'hold', 'hold'],
    [413, '', 'hold', 'hold'],
    [302, '', 'hold', 'hold'],
    [0, '', 'hold', 'hold'],
    [100, '', 'hold', 'hold'],
  ] as const)('%i %s: %s; beside others that passed: %s', (status, type, alone, beside) => {
    expect([verdictOf(status, type, false), verdictOf(status, type, true)]).toEqual([alone, beside])
  })

  const types = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'document_parsing_exception',
      'mapper_parsing_exception',
      'security_exception',
      'parsing_exception',
    ),
  )

  test('nothing is given up for a status that blames the target or the time, whatever the type says', () => {
    const statuses = fc.integer({ min: 0, max: 700 }).filter((status) => status !== 400)
    fc.assert(
      fc.property(statuses, types, fc.boolean(), (status, type, othersPassed) => {
        expect(verdictOf(status, type, othersPassed)).not.toBe('refused')
      }),
    )
  })

  test('nothing but 2xx and 409 counts as delivered', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1, max: 700 }), types, fc.boolean(), (status, type, othersPassed) => {
        const delivered = status === 409 || (status >= 200 && status <= 299)
        expect(verdictOf(status, type, othersPassed) === 'done').toBe(delivered)
      }),
    )
  })
})

test.each([
  [400, 'hold'],
  [401, 'hold'],
  [403, 'hold'],
  [404, 'hold'],
  [405, 'hold'],
  [406, 'hold'],
  [408, 'again'],
  [413, 'split'],
  [429, 'again'],
  [500, 'again'],
  [502, 'again'],
  [503, 'again'],
  [504, 'again'],
  [202, 'hold'],
  [301, 'hold'],
  [0, 'hold'],
] as const)('a whole request that is answered %i: %s', (status, verdict) => {
  expect(requestVerdictOf(status)).toBe(verdict)
})

test.each([
  [401, false],
  [403, false],
  [404, false],
  [405, false],
  [406, false],
  [413, false],
  [415, false],
  // A bulk that is refused as a whole may have been indexed in part.
  [400, true],
  [408, true],
  [429, true],
  [500, true],
  [502, true],
  [503, true],
  [504, true],
  [202, true],
  [301, true],
  [0, true],
] as const)('after %i some documents may be there: %s', (status, maybe) => expect(mayHaveTaken(status)).toBe(maybe))
