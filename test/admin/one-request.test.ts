import { createServer, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import * as fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { OneRequest } from '../../src/admin/one-request.ts'
import { runs } from '../base/runs.ts'

const piece = fc.oneof(
  fc.constantFrom('\r', '\n', '\r\n', '\r\n\r\n', 'GET / HTTP/1.1\r\n').map((text) => Buffer.from(text)),
  fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
)

test('of whatever comes, in whatever pieces, the server sees what is before the end of the first head, and that end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const socket = new PassThrough()
      const seen: Buffer[] = []
      const request = new OneRequest(socket as unknown as Socket).on('data', (chunk: Buffer) => seen.push(chunk))
      for (const each of pieces) {
        socket.write(each)
        await new Promise((resolve) => setImmediate(resolve))
      }
      const all = Buffer.concat(pieces)
      const end = all.indexOf('\r\n\r\n')
      expect(Buffer.concat(seen)).toEqual(end === -1 ? all : all.subarray(0, end + 4))
      request.destroy()
    }),
    runs(200),
  )
})

test('a thousand requests in one piece are one object', async () => {
  let requests = 0
  class Counted extends IncomingMessage {
    constructor(socket: Socket) {
      super(socket)
      requests++
    }
  }
  const http = createServer({ IncomingMessage: Counted }, (_, response) =>
    response.setHeader('connection', 'close').end(),
  )
  const socket = Object.assign(new PassThrough(), { destroySoon: () => socket.destroy() })
  const request = new OneRequest(socket as unknown as Socket)
  http.emit('connection', request)
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_000))
  await vi.waitFor(() => expect(requests).toBeGreaterThan(0))
  expect(requests).toBe(1)
  request.destroy()
})
