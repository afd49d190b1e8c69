import type { ServerVersion } from '../kit/elasticsearch.ts'
import { differences } from './differences.ts'

export interface ServerUnderTest {
  readonly version: ServerVersion
  /** As `remora check` calls it. */
  readonly name: string
  /** The table's columns of one server, by the label of the difference. */
  readonly observed: Readonly<Record<string, string>>
}

const parsing = '400 document_parsing_exception'
const mapper = '400 mapper_parsing_exception'
const illegal = '400 illegal_argument_exception'
const badName = '400 invalid_index_name_exception'
const noLifecycle = 'no: 400 x_content_parse_exception'

/** By row: Elasticsearch 9, 8, 7, OpenSearch 3, 2; one text for all where they agree. */
const table: Readonly<Record<string, string | readonly [string, string, string, string, string]>> = {
  'header `X-Elastic-Product`': ['yes', 'yes', 'yes', 'no', 'no'],
  'a bulk answer begins with': ['`errors`', '`errors`', '`took`', '`took`', '`took`'],
  'filtered, when all were taken: the bytes that Remora compares with': 'yes',
  'a body in gzip': '201',
  'a body over `http.max_content_length`': '413, empty, without product',
  '`_resolve/index` of what is not there': [
    '404 index_not_found_exception',
    '404 index_not_found_exception',
    '200, empty lists',
    '200, empty lists',
    '200, empty lists',
  ],
  'data stream by template': ['yes', 'yes', `no: ${illegal}`, 'yes', 'yes'],
  '`_rollover` of an alias': 'yes',
  'a text for a number': [parsing, parsing, mapper, mapper, mapper],
  'an unknown field, strict mapping': '400 strict_dynamic_mapping_exception',
  'a keyword over 32,766 bytes': [parsing, parsing, illegal, illegal, illegal],
  'one field more than `total_fields.limit`': [parsing, parsing, mapper, illegal, illegal],
  // Without data streams it is a plain index.
  'no `@timestamp`, data stream': [parsing, parsing, '201', mapper, mapper],
  'a closed index': '400 index_closed_exception',
  'a write block': '403 cluster_block_exception',
  'a pipeline that is not there': illegal,
  '`require_data_stream` on an index': [
    '404 resource_not_found_exception',
    '404 resource_not_found_exception',
    illegal,
    illegal,
    illegal,
  ],
  '`_security/user/_has_privileges`, security off': [
    '400 no handler',
    '400 no handler',
    badName,
    '400 no handler',
    '400 no handler',
  ],
  '`match_only_text`': [`no: ${mapper}`, `no: ${mapper}`, `no: ${mapper}`, 'yes', 'yes'],
  '`_index_template/_simulate`': 'yes',
  '`lifecycle` in a template': ['yes', 'yes', noLifecycle, noLifecycle, noLifecycle],
  '`PUT _ilm/policy`': [
    'no: 400 no handler',
    'no: 400 no handler',
    `no: ${badName}`,
    'no: 400 no handler',
    'no: 400 no handler',
  ],
  '`GET _data_stream`': [`no: ${badName}`, `no: ${badName}`, `no: ${badName}`, 'yes', 'yes'],
  'ingest processor `set`': 'no: 400 parse_exception',
}

function columnOf(at: number): Readonly<Record<string, string>> {
  const cell = (label: string) => {
    const row = table[label]
    return (typeof row === 'string' ? row : row?.[at]) ?? ''
  }
  return Object.fromEntries(differences.map(({ label }) => [label, cell(label)]))
}

export const servers: readonly ServerUnderTest[] = [
  { version: '9.5.3', name: 'Elasticsearch 9.5.3', observed: columnOf(0) },
  { version: '8.19.21', name: 'Elasticsearch 8.19.21', observed: columnOf(1) },
  { version: '7.17.29', name: 'Elasticsearch 7.17.29', observed: columnOf(2) },
  { version: 'opensearch-3.9.0', name: 'OpenSearch 3.9.0', observed: columnOf(3) },
  { version: 'opensearch-2.19.6', name: 'OpenSearch 2.19.6', observed: columnOf(4) },
]

export const dataStreams = (server: ServerUnderTest) => server.observed['data stream by template'] === 'yes'

/** What the suite does with each server; the titles of its tests. */
export const scenarios = {
  check: '`remora check` names the server and its version, finds nothing wrong, and exits with 0',
  index: 'lines into an index, sent again with the state lost: each is there once, the second time all are 409',
  stream: 'the same into a data stream, where the server has them; a plain index otherwise',
  rollover: 'the target rolled over behind requests whose answers are lost: every line is there, none twice',
  parsing: 'a mapping that some lines do not fit: these are dead letters with their type, the others arrive',
  strict: 'a strict mapping that no document fits: dead letters all',
  held: 'a closed index, then a write block: held with nothing given up, shipped when mended',
  large: 'batches over `http.max_content_length`: halved until they pass; a line that never can is a dead letter',
  busy: 'a write queue of one: refused with 429, sent again, all shipped',
  lookup: 'which indices a target has and which ids are there: told of an index, an alias, a stream, and of none',
} as const
