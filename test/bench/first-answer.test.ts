import { expect, test } from 'vitest'
import { saysTaken, within } from '../../bench/first-answer.ts'

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n'

test.each([
  ['all taken', `${head}{"errors":false}`, true],
  [
    'one taken beside others',
    `${head}{"errors":true,"items":[{"create":{"status":429}},{"create":{"status":201}}]}`,
    true,
  ],
  ['none taken', `${head}{"errors":true,"items":[{"create":{"status":429}}]}`, false],
  ['there already', `${head}{"errors":true,"items":[{"create":{"status":409}}]}`, false],
  ['the head alone', head, false],
  ['overloaded', 'HTTP/1.1 429 Too Many Requests\r\n\r\n{"status":429}', false],
  ['away', 'HTTP/1.1 503 Service Unavailable\r\n\r\n{"errors":false}', false],
  ['nothing yet', '', false],
] as const)('%s', (_, answer, taken) => expect(saysTaken(answer)).toBe(taken))

test('what does not come is an error that says so', async () => {
  await expect(within(new Promise(() => {}), 5, 'document')).rejects.toThrow('no document within 0.005 s')
})

test('what comes is handed on, a failure too', async () => {
  expect(await within(Promise.resolve(7), 10_000, 'document')).toBe(7)
  await expect(within(Promise.reject(new Error('else')), 10_000, 'document')).rejects.toThrow('else')
})
