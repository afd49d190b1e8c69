/** What the pages on migrating say of Remora's behaviour, each as the agent does it. */
import fs from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { settings } from '../../src/config/settings.ts'
import { parseAnswer } from '../../src/ship/answer.ts'
import { verdictOf } from '../../src/ship/verdict.ts'
import { OneFile } from '../content/kit.ts'
import type { Said } from '../encode/content.ts'
import { agentOver, compress, numbered, old, rotate, storedLines } from '../follow/kit.ts'
import { temporaryTree, type Tree } from '../kit/agent-tree.ts'
import { page } from './pages.ts'

/** What comes of a file with these bytes. */
async function documentsOf(bytes: Buffer | string, lineBytesMax = 1_024): Promise<Said[]> {
  const file = new OneFile({ lineBytesMax })
  file.append(bytes)
  await file.harness.start()
  await file.harness.advance(2_000)
  return file.said()
}

const messagesOf = async (bytes: Buffer | string) => (await documentsOf(bytes)).map(({ message }) => message)

describe('a line becomes a document', () => {
  test.each([
    ['a short file at once, whatever its size', 'x\n', ['x']],
    ['an empty line, as one', 'one\n\ntwo\n', ['one', '', 'two']],
    ['spaces and tabs as they are', '\t at Some.java:1  \n', ['\t at Some.java:1  ']],
    ['each line of a stack trace by itself', 'boom\n\tat a\n\tat b\n', ['boom', '\tat a', '\tat b']],
    ['JSON as the text it is', '{"level":"INFO"}\n', ['{"level":"INFO"}']],
  ])('%s', async (_, text, messages) => expect(await messagesOf(text)).toEqual(messages))

  test('another charset than UTF-8 is damaged for good', async () => {
    expect(await messagesOf(Buffer.from('gr\xfcn\n', 'latin1'))).toEqual(['gr\uFFFDn'])
  })

  test('a long one is cut and marked, neither left out nor the end of its file', async () => {
    const said = await documentsOf(`${'x'.repeat(3_000)}\nnext\n`)
    expect(said).toMatchObject([
      { message: 'x'.repeat(1_024), truncated: true },
      { message: 'next', truncated: false },
    ])
  })
})

test('what a pipeline drops counts as acknowledged: a noop with 200', () => {
  const noop = { create: { _index: 'logs-shop-default', _version: -4, result: 'noop', status: 200 } }
  const answer = parseAnswer(JSON.stringify({ errors: false, items: [noop] }), 1)
  expect(answer).toEqual({ kind: 'items', items: [{ status: 200, errorType: '' }] })
  expect(verdictOf(200, '', true)).toBe('done')
})

/** A volume on which another shipper has worked: a live file, a rotated one, an archive; none of them new. */
async function used(tree: Tree, under = 'logs'): Promise<void> {
  tree.write(`${under}/app.log`, numbered(21, 30))
  tree.write(`${under}/app.log.1`, numbered(11, 20))
  tree.directory(under)
  fs.writeFileSync(tree.at(`${under}/app.log.2.gz`), gzipSync(numbered(1, 10)))
  for (const name of ['app.log.1', 'app.log.2.gz']) fs.utimesSync(tree.at(`${under}/${name}`), 1, 1)
  // What was born in the same second may as well be younger than the first start.
  await new Promise((resolve) => setTimeout(resolve, 1_100))
}

const lines = (first: number, last: number) => numbered(first, last).trimEnd().split('\n').toSorted()

describe('the first start on a volume that another shipper has read', () => {
  test('from the beginning: all that is there, rotated files and archives too, where the UID of the Pod is known', async () => {
    const tree = temporaryTree()
    await used(tree)
    const agent = agentOver(tree, { podUid: 'pod-1' })
    await agent.start()
    await agent.advance(30_000)
    expect(storedLines(agent)).toEqual(lines(1, 30))
    expect(Object.keys(agent.stored())).toEqual([tree.at('logs/app.log')])
  })

  test('from the end: none of it, and every line that comes after the first look', async () => {
    const tree = temporaryTree()
    await used(tree)
    const agent = agentOver(tree, { podUid: 'pod-1', startAt: 'end' })
    await agent.start()
    await agent.advance(2_000)
    tree.append('logs/app.log', 'line 31\n')
    await agent.advance(2_000)
    tree.rename('logs/app.log', 'logs/app.log.3')
    tree.write('logs/app.log', 'line 32\n')
    tree.write('logs/other.log', 'line 33\n')
    await agent.advance(30_000)
    expect(storedLines(agent)).toEqual(lines(31, 33))
  })

  test('with the old files moved into a directory that is excluded: none of them, and every line from the first on', async () => {
    const tree = temporaryTree()
    await used(tree, 'logs/before-remora')
    tree.write('logs/app.log', 'line 31\n')
    const agent = agentOver(tree, { podUid: 'pod-1', exclude: [tree.at('logs/before-remora/**')] })
    await agent.start()
    await agent.advance(30_000)
    expect(storedLines(agent)).toEqual(lines(31, 31))
  })
})

test('what is excluded is so with all that it was rotated to', async () => {
  const tree = temporaryTree()
  const agent = agentOver(tree, { podUid: 'pod-1', exclude: [tree.at('logs/**/debug.log')] })
  tree.write('logs/debug.log.1', 'older\n')
  tree.write('logs/debug.log', 'one\n')
  tree.write('logs/app.log', 'line 1\n')
  await agent.start()
  await agent.advance(2_000)
  tree.rename('logs/debug.log', 'logs/debug.log.2')
  tree.write('logs/debug.log', 'two\n')
  await agent.advance(30_000)
  expect(storedLines(agent)).toEqual(lines(1, 1))
})

/** As the pages write it: `16,384`. */
const grouped = (figure: number) => figure.toLocaleString('en-US')

test('figures are those of the code', () => {
  const { text } = page('docs/migrating-from-filebeat.md')
  for (const figure of [
    `(${limits.directoryDepthMax} at most)`,
    `up to ${grouped(limits.openFilesMax)} files stay open`,
    `closed ${limits.deletedHoldMs / 1_000} s after its last byte`,
    `every ${limits.pollIntervalMinMs} to ${limits.pollIntervalMaxMs} ms`,
    `${grouped(limits.batchDocumentsMax)} documents at most`,
    `\`REMORA_SCAN_INTERVAL\` (${settings.scanIntervalMs.default.replace('s', ' s')} as well)`,
    `\`REMORA_BATCH_LINGER\` (${settings.batchLingerMs.default.replace('ms', ' ms')},`,
    `\`REMORA_REQUEST_TIMEOUT\` (${settings.requestTimeoutMs.default.replace('s', ' s')})`,
    `\`REMORA_SHUTDOWN_GRACE\` (${settings.shutdownGraceMs.default.replace('s', ' s')})`,
    `\`REMORA_ADMIN_PORT\` (${settings.adminPort.default})`,
    `**${settings.lineBytesMax.default.replace('Ki', ' KiB')} unless set**`,
  ])
    expect(text).toContain(figure)
  expect(page('docs/migrating-from-fluent-bit.md').text).toContain(`turns of ${limits.quantumBytes / 1024} KiB`)
})

/** Two Pods, one after the other, on one log volume. @returns how many documents came of 20 lines */
async function twoPods(secondStateDir: string): Promise<number> {
  const tree = temporaryTree()
  tree.write('logs/app.log', numbered(1, 10))
  const first = agentOver(tree, { podUid: 'pod-1' })
  await first.start()
  await first.advance(2_000)
  await first.stop()
  tree.append('logs/app.log', numbered(11, 20))
  const next = agentOver(tree, { podUid: 'pod-2', stateDir: tree.at(secondStateDir) }, undefined, {
    server: first.server,
  })
  await next.start()
  await next.advance(20_000)
  return next.server.documents.size
}

test.each([
  ['is read on in the archive', [], 20],
  ['is missing when archives are excluded', ['/**/*.gz'], 10],
])('what was unread when its file was packed %s', async (_, exclude, arrived) => {
  const tree = temporaryTree()
  const agent = agentOver(tree, { podUid: 'pod-1', exclude })
  tree.write('logs/app.log', numbered(1, 10))
  await agent.start()
  await agent.advance(2_000)
  await agent.stop()
  tree.append('logs/app.log', numbered(11, 20))
  rotate(tree, 'logs/app.log', 5)
  old(tree, 'logs/app.log.1')
  compress(tree, 'logs/app.log.1', 'gz')
  tree.write('logs/app.log', 'line 21\n')
  await agent.start()
  await agent.advance(90_000)
  expect(storedLines(agent)).toEqual([...lines(1, arrived), 'line 21'].toSorted())
})

describe('the log volume outlives the Pod', () => {
  test('with the state on it, too, the next Pod goes on where the last one ended', async () => {
    expect(await twoPods('state')).toBe(20)
  })

  test('with the state in an emptyDir everything is stored once more for each Pod', async () => {
    expect(await twoPods('state-of-the-next-pod')).toBe(30)
  })
})

/** Names that a reader comes with: each must be found in the tables, as it is or as the beginning of a wildcard. */
const settingsOfPeers: Readonly<Record<string, string>> = {
  'docs/migrating-from-filebeat.md': `
    paths, id, file_identity, take_over, exclude_files, prospector.scanner.exclude_files, encoding
    prospector.scanner.check_interval, ignore_older, include_lines, exclude_lines, harvester_limit
    close.on_state_change.inactive, close.on_state_change.renamed, close.on_state_change.removed
    close.reader.on_eof, close.reader.after_interval, clean_inactive, clean_removed, message_max_bytes
    parsers: multiline, parsers: ndjson, fields, fields_under_root, tags, delete.enabled, pipeline
    add_kubernetes_metadata, drop_event, queue.mem.events, queue.disk, hosts, api_key, username, index, indices
    bulk_max_size, worker, loadbalance, backoff.init, backoff.max, max_retries, timeout, compression_level
    preset, non_indexable_policy.dead_letter_index, proxy_url, kerberos, ssl.certificate_authorities
    ssl.certificate, ssl.key, ssl.verification_mode, setup.template.*, ssl.ca_trusted_fingerprint, setup.ilm.*
    filebeat.registry.path, filebeat.shutdown_timeout`,
  'docs/migrating-from-fluent-bit.md': `
    Path, Exclude_Path, Path_Key, Offset_Key, Read_from_Head, DB, DB.sync, Rotate_Wait, Parser, Refresh_Interval
    Ignore_Older, Buffer_Chunk_Size, Buffer_Max_Size, Skip_Long_Lines, Mem_Buf_Limit, Skip_Empty_Lines
    Multiline, multiline.parser, Tag, Key, storage.type, storage.path, kubernetes, storage.total_limit_size
    storage.max_chunks_up, grep, record_modifier, lua, Host, Port, Index, Type, Suppress_Type_Name
    Logstash_Format, Logstash_Prefix, Retry_Limit, Buffer_Size, Workers, Generate_ID, Id_Key, Write_Operation
    HTTP_User, HTTP_Passwd, HTTP_API_Key, Cloud_ID, Compress, tls, tls.verify, tls.verify_hostname, tls.ca_file
    tls.crt_file, tls.key_file, Pipeline, Flush, Grace, scheduler.base, HTTP_Server, HTTP_Port, Hot_Reload
    Parsers_File, Time_Key, AWS_Auth`,
}

describe.each(Object.entries(settingsOfPeers))('%s', (name, list) => {
  const wanted = list.trim().split(/,?\s*\n\s*|, /)
  const table = page(name)
    .text.split('\n')
    .filter((line) => line.startsWith('| `'))
  const named = table.flatMap((line) => [...line.split(' | ')[0]!.matchAll(/`([^`]+)`/g)].map(([, each]) => each))

  test('has a row for each setting', () => expect(wanted.filter((each) => !named.includes(each))).toEqual([]))

  test('each row has its two sides', () => {
    for (const line of table) expect(line).toMatch(/^\| [^|]+ \| [^|]+ \|$/)
  })
})
