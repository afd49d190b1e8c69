import { expect, test } from 'vitest'
import { isOfForeignPage } from '../../src/admin/foreign.ts'

const browser = { 'accept-language': 'de' }

test.each([
  '127.0.0.1:9600',
  '10.244.0.7:9600',
  '[::1]:9600',
  '[fd00::7]',
  'localhost:9600',
  'LOCALHOST',
  'remora:9600',
  'app.localhost:9600',
  'remora.logs.svc:9600',
  'remora.logs.svc.cluster.local.:9600',
  'ip-10-0-0-1.ec2.internal:9600',
])('a browser may call it %s', (host) => {
  expect(isOfForeignPage({ ...browser, host })).toBe(false)
})

test.each([
  'evil.example.com:9600',
  'evil.example.',
  '127.0.0.1.nip.io:9600',
  'localhost.evil.example',
  'svc.evil.example',
  '10.0.0.1.',
])('a browser may not call it %s: whoever has the name has pointed it here', (host) => {
  expect(isOfForeignPage({ ...browser, host })).toBe(true)
  expect(isOfForeignPage({ origin: `http://${host}`, host })).toBe(true)
})

test('whoever scrapes may call it as it likes', () => {
  expect(isOfForeignPage({ host: 'node-7.example.com:9600', accept: 'text/plain' })).toBe(false)
  expect(isOfForeignPage({})).toBe(false)
})
