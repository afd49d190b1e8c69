import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { content, sequences } from '../encode/bytes.ts'
import { linesIn } from '../encode/content.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { describeElasticsearch, sharedElasticsearch, type Elasticsearch } from '../kit/elasticsearch.ts'
import { succeed } from '../kit/elasticsearch/client.ts'
import { runs } from '../base/runs.ts'

const lineBytesMax = 5 * 1024

/** Texts that would be something else, if anybody took them for more than a text. */
const texts = [
  '{"index":{}}',
  '{"create":{"_id":"x"}}',
  '{"delete":{"_id":"x"}}',
  '{"update":{"_id":"x"}}',
  '{"index":{"_index":"hostile-other","_id":"x"}}',
  '{"@timestamp":"1999-01-01T00:00:00Z","forged":"yes"}',
  '","forged":"yes',
  '"}}\r{"create":{"_id":"forged"}}\r{"forged":1}\r',
  '\\',
  '\\"',
  '\\\\"}',
  '\\u0000',
  '\\ud83d',
  '\\n{"index":{}}\\n',
  '"',
  '\u0000',
  'a\u0000b',
  '\u2028{"index":{}}\u2029',
  '\u0085next\u0085line',
  '\ufeff{"index":{}}',
  '__proto__',
  '{"__proto__":{"forged":true}}',
  'constructor',
  '',
  ' ',
  '{"a":'.repeat(800),
  '['.repeat(4_000),
  '}'.repeat(50),
  'forged=yes level=error trace.id=1',
  '<script>alert(1)</script>',
  '${jndi:ldap://127.0.0.1/x}',
  '{{message}}',
  '%{forged}',
  '\u001b[31mred\u001b[0m',
  String.fromCharCode(...Array.from({ length: 32 }, (_, code) => code).filter((code) => code !== 10)),
].map((text) => Buffer.from(text))

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...texts) },
  { weight: 3, arbitrary: fc.constantFrom(...Object.values(sequences)) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 6 }).map((json) => Buffer.from(json)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constantFrom(Buffer.from('\r'), Buffer.from('\t'), Buffer.from('\n')) },
)
const line = fc.array(piece, { maxLength: 4 }).map((pieces) => Buffer.concat(pieces))
const lines = fc
  .array(line, { minLength: 1, maxLength: 40 })
  .map((all) => Buffer.concat(all.flatMap((bytes) => [bytes, Buffer.from('\n')])))
/** A whole file of what breaks encoders, or of what would forge. */
const file = fc
  .oneof({ weight: 3, arbitrary: lines }, { weight: 1, arbitrary: content })
  .map((bytes) => Buffer.concat([bytes, Buffer.from('the last line\n')]))

let directory: string
let server: Elasticsearch
let target: string
let agent: AgentProcess

const mapping = async (): Promise<unknown> => succeed(server, 'GET', `/${target}/_mapping`)
const indices = async (): Promise<string[]> =>
  Object.keys(await succeed(server, 'GET', '/_all/_settings?expand_wildcards=all')).filter((name) =>
    name.startsWith('hostile-'),
  )

describeElasticsearch('lines of any bytes, through the real server', () => {
  beforeAll(async () => {
    server = await sharedElasticsearch()
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-hostile-'))
    target = `hostile-${randomInt(1e9)}`
    agent = startAgent({
      REMORA_PATHS: `${directory}/logs/*.log`,
      REMORA_STATE_DIR: `${directory}/state`,
      REMORA_ELASTICSEARCH_URL: server.url,
      REMORA_INDEX: target,
      REMORA_POD_UID: 'hostile',
      REMORA_MAX_LINE_BYTES: String(lineBytesMax),
      REMORA_SCAN_INTERVAL: '1s',
    })
    fs.mkdirSync(`${directory}/logs`)
  })

  afterAll(async () => {
    await agent.end('SIGKILL')
    fs.rmSync(directory, { recursive: true, force: true })
  })

  /** Documents of the whole target, as they must be: by file and offset, the message. */
  const expected = new Map<string, string>()
  let files = 0

  function write(bytes: Buffer): void {
    const name = `${directory}/logs/${++files}.log`
    // No two files begin alike, which is how Remora knows a copy; and none with a byte order mark, of which more in test/content.
    const whole = Buffer.concat([Buffer.from(`file ${files} begins\n`), bytes])
    fs.writeFileSync(name, whole)
    for (const { offset, message } of linesIn(whole, lineBytesMax)) expected.set(`${name}@${offset}`, message)
  }

  async function settled(): Promise<void> {
    const deadlineMs = performance.now() + 60_000
    while ((await server.count(target)) < expected.size) {
      expect(performance.now(), `${await server.count(target)} of ${expected.size}: ${agent.output()}`).toBeLessThan(
        deadlineMs,
      )
      await delay(100)
    }
  }

  test(
    'each is one document whose message is the line; no action and no field comes of them',
    { timeout: 240_000 },
    async () => {
      // Fields that a document may have, cut lines included.
      write(Buffer.from(`an ordinary line\n${'x'.repeat(lineBytesMax + 100)}\n`))
      await settled()
      const before = await mapping()
      write(Buffer.concat(texts.flatMap((text) => [text, Buffer.from('\n')])))
      // A run writes a file; all of them are looked at together, for each look costs a wait.
      fc.assert(
        fc.property(file, (bytes) => {
          write(bytes)
        }),
        runs(150),
      )
      await settled()
      // A moment more: what is too much would come now.
      await delay(500)
      expect(await agent.end('SIGTERM'), agent.output()).toBe(0)

      const found = new Map<string, string>()
      const ids = new Set<string>()
      let documents = 0
      for await (const { _id: id, _source: source } of server.hits(target)) {
        const { message, log, '@timestamp': timestamp, kubernetes, ...rest } = source
        documents++
        ids.add(id)
        found.set(`${log.file.path}@${log.offset}`, message)
        expect(rest, `fields of ${log.file.path}@${log.offset}`).toEqual({})
        expect(kubernetes).toEqual({ pod: { uid: 'hostile' } })
        expect(Object.keys(log).filter((key) => !['file', 'offset', 'flags'].includes(key))).toEqual([])
        expect(id).toMatch(/^[\w-]{28}$/)
        expect(Date.parse(timestamp)).toBeGreaterThan(Date.now() - 600_000)
      }
      expect(documents).toBe(expected.size)
      expect(ids.size).toBe(expected.size)
      const different = [...expected].filter(([where, message]) => found.get(where) !== message)
      expect(different.slice(0, 3)).toEqual([])
      expect(await mapping(), 'the mapping has the fields of before').toEqual(before)
      expect(await indices()).toEqual([target])
      expect(agent.output()).not.toContain('DEAD_LETTER')
    },
  )
})
