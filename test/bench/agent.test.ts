import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runAgent } from '../../bench/agent.ts'
import { SinkProcess } from '../../bench/sink-client.ts'

/** Sends `count` documents, then waits for SIGTERM and ends with `code`. */
const sending = (count: number, code: number) => `
  process.on('SIGTERM', () => process.exit(${code}))
  setInterval(() => {}, 1000)
  const body = '{"create":{"_id":"x"}}\\n{"message":"m"}\\n'.repeat(${count})
  await fetch(process.env.REMORA_ELASTICSEARCH_URL + '/x/_bulk', { method: 'POST', body })`

describe.runIf(process.platform === 'linux')('one run of an agent', () => {
  let sink: SinkProcess
  let dir = ''
  let logPath = ''

  beforeAll(async () => {
    sink = await SinkProcess.start(false)
    dir = mkdtempSync(join(tmpdir(), 'remora-bench-test-'))
    logPath = join(dir, 'x.log')
    writeFileSync(logPath, 'a line\n'.repeat(500))
  })
  afterAll(async () => {
    await sink.stop()
    rmSync(dir, { recursive: true })
  })

  const run = (code: string, documents = 500) => {
    const args = ['--input-type=module', '-e', code]
    return runAgent({ program: { args, env: {} }, logPath, documents }, sink)
  }

  test('that sends every line: its CPU, memory, times and documents', async () => {
    const agent = await run(sending(500, 0))
    expect(agent.failure).toBe('')
    expect(agent.sink).toMatchObject({ documents: 500, requests: 1 })
    expect(agent.cpu.userUs + agent.cpu.systemUs).toBeGreaterThan(10_000)
    expect(agent.peak.rssBytes).toBeGreaterThan(20e6)
    expect(agent.peak.peakRssBytes).toBeGreaterThanOrEqual(agent.peak.anonymousBytes)
    expect(agent.firstMs).toBeGreaterThan(0)
    expect(agent.wallMs).toBeGreaterThanOrEqual(agent.firstMs)
  })

  test.each([
    ['sends more than there is', sending(501, 0), '501 documents arrived for 500 lines'],
    ['ends badly', sending(500, 1), 'after SIGTERM the agent ended with code 1'],
    ['ends too early', `console.error('no such setting'); process.exit(2)`, 'by itself with code 2 after 0 of 500'],
    [
      'sends what is no request',
      `${sending(0, 0)}; await fetch(process.env.REMORA_ELASTICSEARCH_URL + '/_bulk', { method: 'POST', headers: { 'content-encoding': 'gzip' }, body: 'x' }); process.exit(0)`,
      'the sink could not read a request: a compressed body',
    ],
  ])('that %s has failed, and says why', async (_what, code, why) => {
    const { failure } = await run(code)
    expect(failure).not.toBe('')
    expect(failure).toContain(why)
  })

  test('that fails is quoted', async () => {
    const { failure } = await run(`console.error('no such setting'); process.exit(2)`)
    expect(failure).toContain('its last words: no such setting')
  })

  test('starts with a fresh state and leaves nothing behind', async () => {
    const seenPath = join(dir, 'seen')
    await run(`import fs from 'node:fs'; fs.writeFileSync(${JSON.stringify(seenPath)}, JSON.stringify(process.env))`)
    const env: Record<string, string> = JSON.parse(readFileSync(seenPath, 'utf8'))
    expect(env).toMatchObject({ REMORA_PATHS: logPath, REMORA_ELASTICSEARCH_URL: sink.url })
    expect(
      Object.keys(env)
        .filter((name) => name.startsWith('REMORA_'))
        .toSorted(),
    ).toEqual(['REMORA_ADMIN_PORT', 'REMORA_ELASTICSEARCH_URL', 'REMORA_PATHS', 'REMORA_POD_UID', 'REMORA_STATE_DIR'])
    const stateDir = env['REMORA_STATE_DIR'] ?? ''
    expect(existsSync(join(stateDir, '..'))).toBe(false)
    expect(readdirSync(dir).toSorted()).toEqual(['seen', 'x.log'])
  })
})
