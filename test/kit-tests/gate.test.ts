import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Gate } from '../kit/gate.ts'

const bytes = 100_000
const bytesPerSecond = 200_000

/** Answers `ok` when so many bytes have come, and tells when that was. */
const server = createServer((socket) => {
  let got = 0
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    got += chunk.length
    if (got < bytes) return
    gotAtMs = performance.now()
    socket.write('ok')
  })
})
let gotAtMs = 0
let gate: Gate

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  gate = await Gate.before((server.address() as AddressInfo).port)
  await gate.open()
})
afterAll(async () => {
  await gate.shut()
  server.close()
})

/** Sends all bytes, and how long it took until they were there and until the answer was. */
async function ask(): Promise<{ readonly arrivedMs: number; readonly answeredMs: number }> {
  const socket: Socket = connect(gate.port, '127.0.0.1')
  const startMs = performance.now()
  socket.write(Buffer.alloc(bytes))
  await once(socket, 'data')
  const answeredMs = performance.now() - startMs
  socket.destroy()
  return { arrivedMs: gotAtMs - startMs, answeredMs }
}

describe('a slow server', () => {
  // Never sooner than its speed allows; how much later depends on the machine.
  const leastMs = (bytes / bytesPerSecond) * 1_000 * 0.9

  test('that reads slowly gets the bytes late', async () => {
    const before = gate.bytes
    gate.slowness = { kind: 'reads', bytesPerSecond }
    expect((await ask()).arrivedMs).toBeGreaterThan(leastMs)
    expect(gate.bytes - before).toBe(bytes)
  })

  test('that answers late has had the bytes before', async () => {
    gate.slowness = { kind: 'answers', bytesPerSecond }
    const { arrivedMs, answeredMs } = await ask()
    expect(answeredMs).toBeGreaterThan(leastMs)
    expect(arrivedMs).toBeLessThan(answeredMs)
  })
})

test('while it is shut connections are refused, and those that stood are reset', async () => {
  gate.slowness = undefined
  const socket = connect(gate.port, '127.0.0.1')
  await once(socket, 'connect')
  const [error] = await Promise.all([once(socket, 'error'), gate.shut()])
  expect(String(error[0])).toContain('ECONNRESET')
  await expect(ask()).rejects.toThrow('ECONNREFUSED')
  await gate.open()
  expect((await ask()).answeredMs).toBeGreaterThan(0)
})
