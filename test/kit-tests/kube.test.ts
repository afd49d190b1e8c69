/** What the tests on a cluster are made of, as far as it goes without one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Gateway } from '../kube/kit/gateway.ts'
import { writerCommand, writtenIn } from '../kube/kit/scene.ts'
import { lineOf, type Writing } from '../kube/kit/writer.ts'

function started(asked: Writing) {
  const [, ...args] = writerCommand
  const env = { ...process.env, TEST_WRITING: JSON.stringify(asked) }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const printed: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => printed.push(text))
  return { child, ended: once(child, 'close'), printed: () => printed.join('') }
}

/** Of `orders.log.1`; the one that is written to comes last. */
const number = (name: string) => Number(name.split('.')[2] ?? Infinity)

const expected = (asked: Writing, count: number) => Array.from({ length: count }, (_, n) => lineOf(asked, n + 1))

describe('the application of the tests', () => {
  let directory: string
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'remora-writer-'))))
  afterEach(() => rmSync(directory, { recursive: true }))

  const writing = (change: Partial<Writing>): Writing => ({
    run: 'a',
    path: join(directory, 'orders.log'),
    lineBytes: 60,
    bytesPerSecond: 60_000,
    rotateLines: 100,
    atTerm: 'end',
    ...change,
  })

  /** In the order they were written in. */
  function lines(): string[] {
    const names = readdirSync(directory).toSorted((a, b) => number(a) - number(b))
    return names.flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1))
  }

  test('writes so many lines, rotates, and ends', async () => {
    const asked = writing({ lines: 330 })
    const { ended, printed } = started(asked)
    expect(await ended).toEqual([0, null])
    expect(lines()).toEqual(expected(asked, 330))
    expect(readdirSync(directory).length).toBeGreaterThan(2)
    expect(writtenIn(printed())).toBe(330)
    expect(lines().every((line) => Buffer.byteLength(line) === 59)).toBe(true)
  })

  test.each(['end', 'linger'] as const)('at SIGTERM: %s', async (atTerm) => {
    const asked = writing({ atTerm })
    const { child, ended, printed } = started(asked)
    while (writtenIn(printed()) < 100) await once(child.stdout, 'data')
    child.kill('SIGTERM')
    if (atTerm === 'linger') {
      const before = writtenIn(printed())
      while (writtenIn(printed()) < before + 200) await once(child.stdout, 'data')
      child.kill('SIGKILL')
    }
    expect(await ended).toEqual(atTerm === 'end' ? [0, null] : [null, 'SIGKILL'])
    const written = lines()
    expect(written.length).toBeGreaterThanOrEqual(writtenIn(printed()))
    expect(written).toEqual(expected(asked, written.length))
  })
})

describe('the gateway', () => {
  test('passes on, is away, and comes back under the same address', async () => {
    const server = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const gateway = await Gateway.before((server.address() as AddressInfo).port, '127.0.0.1')
    const { url } = gateway
    try {
      expect(await answer(url)).toBe('here')
      await gateway.goAway()
      await expect(answer(url)).rejects.toThrow(/ECONNREFUSED|ECONNRESET/)
      await gateway.comeBack()
      gateway.answerDelayMs = 20
      expect(gateway.url).toBe(url)
      expect(await answer(url)).toBe('here')
    } finally {
      await gateway.goAway()
      server.close()
    }
  })
})

async function answer(url: string): Promise<string> {
  const request = get(url, { agent: false })
  const [response] = await once(request, 'response')
  let text = ''
  for await (const part of response.setEncoding('utf8')) text += part
  return text
}
