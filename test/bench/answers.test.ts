import { expect, test } from 'vitest'
import { bulkAnswer, infoBody } from '../../src/bench/sink/answers.ts'

test.each([0, 1, 2, 65_535, 65_536, 65_537, 150_000])('%d documents: an item each, and nothing else', (documents) => {
  const { pieces, bytes } = bulkAnswer(documents)
  const body = Buffer.concat(pieces).toString()
  const items = Array.from({ length: documents }, () => '{"create":{"status":201}}').join(',')
  expect(body === `{"errors":false,"items":[${items}]}`).toBe(true)
  expect(bytes).toBe(body.length)
})

test('the version is one that the client accepts', () => {
  expect(JSON.parse(infoBody)).toMatchObject({ version: { number: '9.5.3' }, tagline: 'You Know, for Search' })
})
