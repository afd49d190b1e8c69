import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { RequestReader } from '../../src/bench/sink/request-reader.ts'

/** Feeds `stream` cut at `cuts` and returns what was read, body parts joined. */
function readAll(stream: Buffer, cuts: readonly number[]): string[] {
  const seen: string[] = []
  let body: Buffer[] = []
  const reader = new RequestReader({
    head: ({ method, target, contentLength, isCompressed }) =>
      seen.push(`${method} ${target} ${contentLength}${isCompressed ? ' compressed' : ''}`),
    body: (part) => body.push(Buffer.from(part)),
    end: () => {
      seen.push(Buffer.concat(body).toString('latin1'))
      body = []
    },
  })
  let from = 0
  for (const cut of [...cuts.toSorted((a, b) => a - b), stream.length]) {
    reader.feed(stream.subarray(from, cut))
    from = cut
  }
  return seen
}

const stream = Buffer.from(
  'POST /_bulk?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab\r\n\r' +
    'GET / HTTP/1.1\r\nhost: x\r\n\r\n' +
    'PUT /i/_bulk HTTP/1.1\r\ncontent-length:4\r\ncontent-encoding: identity\r\n\r\n\r\n\r\n' +
    'POST /z HTTP/1.1\r\nContent-Encoding: gzip\r\ncontent-length: 1\r\n\r\nz',
)
const expected = [
  'POST /_bulk?x=1 5',
  'ab\r\n\r',
  'GET / 0',
  '',
  'PUT /i/_bulk 4',
  '\r\n\r\n',
  'POST /z 1 compressed',
  'z',
]

test('requests are the same wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 30 }), (cuts) => {
      expect(readAll(stream, cuts)).toEqual(expected)
    }),
  )
})

test.each([
  ['POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n', 'without an announced length'],
  [`GET /${'x'.repeat(70_000)}`, 'longer than'],
])('what it does not understand it refuses: %.40s', (text, message) => {
  expect(() => readAll(Buffer.from(text), [])).toThrow(message)
})
