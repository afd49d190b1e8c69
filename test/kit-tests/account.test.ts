import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { LineAccount } from '../kit/elasticsearch/account.ts'
import { FingerprintSet } from '../kit/elasticsearch/fingerprints.ts'

function plainDigest(lines: readonly string[]): string {
  let sum = 0n
  for (const line of lines) {
    const bytes = createHash('sha256').update(line).digest().subarray(0, 16).toReversed()
    sum += BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  }
  return BigInt.asUintN(128, sum).toString(16).padStart(32, '0')
}

function digestOf(lines: readonly string[]): string {
  const account = new LineAccount()
  for (const line of lines) account.add(line)
  return account.digest()
}

test('the digest is the sum of the hashes in any order', () => {
  const lines = Array.from({ length: 5_000 }, (_, number) => `line ${number % 4_000} é`)
  const account = new LineAccount()
  for (const line of lines.toReversed()) account.add(Buffer.from(line))
  expect(account.account()).toEqual({ documents: 5_000, distinctIds: 5_000, digest: plainDigest(lines) })
})

test('one changed, missing or doubled line changes the account', () => {
  const digests = [['a', 'b'], ['a', 'B'], ['a'], ['a', 'b', 'b'], []].map(digestOf)
  expect(new Set(digests).size).toBe(digests.length)
})

test('a set of fingerprints counts what is distinct', () => {
  const set = new FingerprintSet()
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 20_000; number++) set.add(`id-${number}`)
  }
  expect(set.size).toBe(20_000)
})
