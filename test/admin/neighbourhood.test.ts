import { expect, test } from 'vitest'
import { neighbourhoodOf } from '../../src/admin/neighbourhood.ts'

test.each([
  ['127.0.0.1', 'loopback'],
  ['127.9.8.7', 'loopback'],
  ['::ffff:127.0.0.2', 'loopback'],
  ['::1', 'loopback'],
  ['10.244.0.17', '10.244.0'],
  ['::ffff:10.244.0.1', '10.244.0'],
  ['::FFFF:10.244.3.1', '10.244.3'],
  ['fd00::7', 'fd00:0:0:0'],
  ['fd00:0:0:0:1:2:3:4', 'fd00:0:0:0'],
  ['fd00:1:2::', 'fd00:1:2:0'],
  ['2001:db8:0:a:b:c:d:e', '2001:db8:0:a'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::', '0:0:0:0'],
])('%s belongs to %s', (address, group) => {
  expect(neighbourhoodOf(address)).toBe(group)
})

test('what is not known is one more', () => {
  expect(neighbourhoodOf('')).toBe(neighbourhoodOf(''))
})
