import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { adminFactsOf, adminFindings } from '../../src/check/admin.ts'

test.each([
  [{ kind: 'off' }, 'ok', /REMORA_ADMIN_PORT=0/],
  [{ kind: 'free', port: 9600 }, 'ok', /port 9600 is free/],
  [{ kind: 'taken', port: 9600, message: 'EADDRINUSE', byRemora: true }, 'ok', /taken by a Remora that runs/],
  [{ kind: 'taken', port: 80, message: 'EACCES', byRemora: false }, 'warning', /port 80 cannot be listened on: EACCES/],
] as const)('%j', (facts, level, text) => {
  expect(adminFindings(facts)).toMatchObject([{ level, text: expect.stringMatching(text) }])
})

async function listenWith(answer: RequestListener): Promise<number> {
  const server = createServer(answer)
  onTestFinished(() => server.close().closeAllConnections())
  await once(server.listen(0), 'listening')
  return (server.address() as AddressInfo).port
}

test('a port that is free is free afterwards', async () => {
  const port = await listenWith(() => undefined)
  expect(await adminFactsOf(0)).toEqual({ kind: 'off' })
  expect(await adminFactsOf(port)).toMatchObject({ kind: 'taken', byRemora: false })
  const spare = createServer()
  await once(spare.listen(0), 'listening')
  const { port: free } = spare.address() as AddressInfo
  await new Promise((resolve) => spare.close(resolve))
  expect([await adminFactsOf(free), await adminFactsOf(free)]).toEqual([
    { kind: 'free', port: free },
    { kind: 'free', port: free },
  ])
})

test('a Remora that runs there is known by its metrics', async () => {
  const port = await listenWith((_, response) => response.end('# TYPE remora_read_lines_total counter\n'))
  expect(await adminFactsOf(port)).toEqual({
    kind: 'taken',
    port,
    message: 'something else listens there',
    byRemora: true,
  })
})

test('somebody who never ends an answer is not waited for', async () => {
  const port = await listenWith((_, response) => {
    const timer = setInterval(() => response.write('x'), 50)
    response.on('close', () => clearInterval(timer))
  })
  expect(await adminFactsOf(port)).toMatchObject({ kind: 'taken', byRemora: false })
})
