import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FaultProxy, type Strike } from '../kit/fault-proxy.ts'

const body = Buffer.alloc(10_000, 'x')
const head = `POST /logs/_bulk HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`
const request = Buffer.concat([Buffer.from(head), body])
const content = '{"errors":false,"items":[{"create":{"status":201}},{"create":{"status":409}}]}'

let server: Server
/** Lengths of the bodies that arrived whole, and how many requests began. */
let arrived: number[] = []
let begun = 0

beforeAll(async () => {
  server = createServer((incoming, outgoing) => {
    begun++
    let bytes = 0
    incoming.on('error', () => {})
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length))
    incoming.on('end', () => {
      arrived.push(bytes)
      outgoing.writeHead(200, { 'content-type': 'application/json' }).end(content)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

interface Seen {
  readonly text: string
  /** By whom the connection was ended within the time: in order, by a reset, or not at all. */
  readonly end: 'fin' | 'rst' | 'refused' | 'open'
  readonly tookMs: number
}

/** Sends so many bytes of requests on one connection, one after the other, and listens for a while. */
async function seeThrough(proxy: FaultProxy, requests: number, listenMs: number): Promise<Seen> {
  const beganMs = performance.now()
  const socket = connect(proxy.port, '127.0.0.1')
  let end: Seen['end'] = 'open'
  let text = ''
  socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code === 'ECONNREFUSED' ? 'refused' : 'rst'))
  socket.on('end', () => (end = 'fin'))
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  const over = new Promise((resolve) => socket.once('close', resolve))
  for (let n = 0; n < requests; n++) {
    socket.write(request)
    for (let waits = 0; waits < 20 && text.split(content).length <= n + 1 && !socket.destroyed; waits++) await delay(5)
    // A pause, for what goes wrong with a connection that is idle.
    if (requests > 1) await delay(60)
  }
  await Promise.race([over, delay(listenMs)])
  const tookMs = performance.now() - beganMs
  socket.destroy()
  return { text, end, tookMs }
}

type Case = readonly [
  strike: Omit<Strike, 'times'>,
  expected: {
    readonly end: Seen['end']
    readonly text: RegExp
    readonly whole: number
    /** Requests that the server saw beginning, if others than whole ones. */
    readonly begun?: number
    readonly requests?: number
    readonly atLeastMs?: number
  },
]

const whole = /^HTTP\/1\.1 200 OK\r\n.*"status":409\}\}\]\}/s
const html = {
  kind: 'answer',
  status: 502,
  content: Buffer.from('<html>'),
  headers: { 'content-type': 'text/html' },
} as const
const refusal = /^HTTP\/1\.1 502 .*content-type: text\/html.*content-length: 6\r\n\r\n<html>$/s

const cases: readonly Case[] = [
  [
    { fault: { kind: 'delay', ms: 150 }, phase: 'connect' },
    { end: 'open', text: whole, whole: 1, atLeastMs: 150 },
  ],
  [
    { fault: { kind: 'delay', ms: 150 }, phase: 'request body' },
    { end: 'open', text: whole, whole: 1, atLeastMs: 150 },
  ],
  [
    { fault: { kind: 'delay', ms: 150 }, phase: 'answer body' },
    { end: 'open', text: whole, whole: 1, atLeastMs: 150 },
  ],
  [
    { fault: { kind: 'drip', pieces: 20 }, phase: 'answer body' },
    { end: 'open', text: whole, whole: 1, atLeastMs: 40 },
  ],
  [
    { fault: { kind: 'drip', pieces: 20 }, phase: 'request body' },
    { end: 'open', text: whole, whole: 1, atLeastMs: 40 },
  ],
  [
    { fault: { kind: 'close' }, phase: 'connect' },
    { end: 'fin', text: /^$/, whole: 0 },
  ],
  [
    { fault: { kind: 'close' }, phase: 'request head' },
    { end: 'fin', text: /^$/, whole: 0, begun: 0 },
  ],
  [
    { fault: { kind: 'close' }, phase: 'request body' },
    { end: 'fin', text: /^$/, whole: 0, begun: 1 },
  ],
  [
    { fault: { kind: 'close' }, phase: 'request complete' },
    { end: 'fin', text: /^$/, whole: 1 },
  ],
  [
    { fault: { kind: 'close' }, phase: 'answer head' },
    { end: 'fin', text: /^HTTP\/1\.1 200 OK\r\n(?!.*\r\n\r\n)/s, whole: 1 },
  ],
  [
    { fault: { kind: 'close' }, phase: 'answer begun' },
    { end: 'fin', text: /\r\n\r\n$/, whole: 1 },
  ],
  [
    { fault: { kind: 'close' }, phase: 'answer body' },
    { end: 'fin', text: /\{"errors":false(?!.*\]\})/s, whole: 1 },
  ],
  [
    { fault: { kind: 'close' }, phase: 'answer body', at: 1 },
    { end: 'fin', text: /[^\n]$|[^}]$/s, whole: 1 },
  ],
  [
    { fault: { kind: 'close' }, phase: 'idle' },
    { end: 'fin', text: whole, whole: 1, requests: 2 },
  ],
  [
    { fault: { kind: 'close' }, phase: 'reused' },
    { end: 'fin', text: whole, whole: 1, requests: 2 },
  ],
  [
    { fault: { kind: 'reset' }, phase: 'connect' },
    { end: 'rst', text: /^$/, whole: 0 },
  ],
  [
    { fault: { kind: 'reset' }, phase: 'request body' },
    { end: 'rst', text: /^$/, whole: 0, begun: 1 },
  ],
  [
    { fault: { kind: 'reset' }, phase: 'request complete' },
    { end: 'rst', text: /^$/, whole: 1 },
  ],
  [
    { fault: { kind: 'reset' }, phase: 'reused' },
    { end: 'rst', text: whole, whole: 1, requests: 2 },
  ],
  [
    { fault: { kind: 'stall' }, phase: 'connect' },
    { end: 'open', text: /^$/, whole: 0 },
  ],
  [
    { fault: { kind: 'stall' }, phase: 'request complete' },
    { end: 'open', text: /^$/, whole: 1 },
  ],
  [
    { fault: { kind: 'stall' }, phase: 'answer begun' },
    { end: 'open', text: /\r\n\r\n$/, whole: 1 },
  ],
  [
    { fault: { kind: 'stray' }, phase: 'idle' },
    { end: 'fin', text: /\r\n\r\nHTTP\/1\.1 408 /, whole: 1, requests: 2 },
  ],
  [
    { fault: { ...html, passedOn: false }, phase: 'request complete' },
    { end: 'open', text: refusal, whole: 0 },
  ],
  [
    { fault: { ...html, passedOn: true }, phase: 'request complete' },
    { end: 'open', text: refusal, whole: 1 },
  ],
  [
    { fault: { kind: 'answer', status: 413, passedOn: false }, phase: 'request body' },
    { end: 'open', text: /^HTTP\/1\.1 413 .*content-length: 0\r\n\r\n$/s, whole: 0 },
  ],
  [
    { fault: { kind: 'length', by: 20, after: 'close' }, phase: 'answer head' },
    { end: 'fin', text: new RegExp(`content-length: ${content.length + 20}\r\n\r\n\\{.*\\]\\}$`, 's'), whole: 1 },
  ],
  [
    { fault: { kind: 'length', by: -20, after: 'keep' }, phase: 'answer head' },
    { end: 'open', text: new RegExp(`content-length: ${content.length - 20}\r\n\r\n\\{.*\\]\\}$`, 's'), whole: 1 },
  ],
  [
    { fault: { kind: 'duplicate', answer: 'second' }, phase: 'request complete' },
    { end: 'open', text: whole, whole: 2 },
  ],
  [
    { fault: { kind: 'other answer', items: -1 }, phase: 'answer body' },
    { end: 'open', text: /\r\n\r\n\{"errors":false,"items":\[\{"create":\{"status":409\}\}\]\}$/, whole: 1 },
  ],
]

test.each(cases.map((one) => [`${one[0].fault.kind}, ${one[0].phase}`, ...one] as const))(
  '%s',
  async (_, strike, expected) => {
    arrived = []
    begun = 0
    const proxy = await FaultProxy.before((server.address() as AddressInfo).port, [{ ...strike, times: 1 }])
    try {
      const seen = await seeThrough(proxy, expected.requests ?? 1, 250)
      expect(seen.end).toBe(expected.end)
      expect(seen.text).toMatch(expected.text)
      expect(arrived).toEqual(Array.from({ length: expected.whole }, () => body.length))
      expect(begun).toBe(expected.begun ?? expected.whole)
      expect(seen.tookMs).toBeGreaterThanOrEqual(expected.atLeastMs ?? 0)
      expect({ hits: proxy.hits, isOver: proxy.isOver, failures: proxy.failures }).toEqual({
        hits: [1],
        isOver: true,
        failures: [],
      })
      // It was but one: the next request goes through.
      arrived = []
      const next = await seeThrough(proxy, 1, 50)
      expect(next.text).toMatch(whole)
      expect(arrived).toEqual([body.length])
    } finally {
      await proxy.close()
    }
  },
)

test('nobody listens for a time, and then somebody does', async () => {
  const proxy = await FaultProxy.before((server.address() as AddressInfo).port, [
    { fault: { kind: 'refuse', ms: 200 }, phase: 'connect', times: 1 },
  ])
  try {
    expect((await seeThrough(proxy, 1, 20)).end).toBe('rst')
    expect((await seeThrough(proxy, 1, 20)).end).toBe('refused')
    await delay(250)
    expect(await seeThrough(proxy, 1, 20)).toMatchObject({ end: 'open', text: expect.stringMatching(whole) })
  } finally {
    await proxy.close()
  }
})

test('strikes pass over as many requests as they say, and keep to their kind', async () => {
  const proxy = await FaultProxy.before((server.address() as AddressInfo).port, [
    { fault: { kind: 'reset' }, phase: 'request complete', times: 1, after: 2 },
    { fault: { kind: 'reset' }, phase: 'request complete', times: 1, of: 'question' },
  ])
  try {
    const ends = []
    for (let n = 0; n < 4; n++) ends.push((await seeThrough(proxy, 1, 30)).end)
    expect(ends).toEqual(['open', 'open', 'rst', 'open'])
    expect(proxy.hits).toEqual([1, 0])
  } finally {
    await proxy.close()
  }
})

test('keeps the bytes of bodies, and what was answered, when it is told to', async () => {
  const proxy = await FaultProxy.before((server.address() as AddressInfo).port)
  proxy.keepsBodies = proxy.readsAnswers = true
  try {
    await seeThrough(proxy, 2, 20)
    for (const passing of proxy.bulks) {
      expect(Buffer.concat(passing.body).equals(body)).toBe(true)
      expect(passing.content?.toString()).toContain('"status":409')
    }
    expect(proxy.bulks.map(({ reused, status }) => ({ reused, status }))).toEqual([
      { reused: false, status: 200 },
      { reused: true, status: 200 },
    ])
  } finally {
    await proxy.close()
  }
})
