import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { runs } from '../base/runs.ts'
import { inputBytesMax, kernelFor } from './harness.ts'
import { xxh64 } from './xxh64.ts'

function kernelHash(bytes: Uint8Array, from = 0): bigint {
  const kernel = kernelFor(1000)
  kernel.input.fill(0xee)
  kernel.input.set(bytes, from)
  return kernel.hash(from, from + bytes.length)
}

/** The buffer of xxHash's own self-test: github.com/Cyan4973/xxHash, cli/xsum_sanity_check.c. */
function sanityBuffer(length: number): Buffer {
  let generator = 2654435761n
  return Buffer.from(
    Array.from({ length }, () => {
      const byte = Number(generator >> 56n)
      generator = BigInt.asUintN(64, generator * 11400714785074694797n)
      return byte
    }),
  )
}

test.each([
  [Buffer.from(''), 0xef46db3751d8e999n],
  [Buffer.from('a'), 0xd24ec4f1a98c6e5bn],
  [Buffer.from('as'), 0x1c330fb2d66be179n],
  [Buffer.from('asd'), 0x631c37ce72a97393n],
  [Buffer.from('asdf'), 0x415872f599cea71en],
  [Buffer.from('abc'), 0x44bc2cf5ad770999n],
  [Buffer.from('xxhash'), 0x32dd38952c4bc720n],
  [Buffer.from('Nobody inspects the spammish repetition'), 0xfbcea83c8a378bf1n],
  [Buffer.from('Call me Ishmael. Some years ago--never mind how long precisely-'), 0x02a2e85470d6fd96n],
  [sanityBuffer(1), 0xe934a84adb052768n],
  [sanityBuffer(4), 0x9136a0dca57457een],
  [sanityBuffer(14), 0x8282dcc4994e35c8n],
  [sanityBuffer(222), 0xb641ae8cb691c174n],
])('published vector of %o', (bytes, hash) => {
  expect(xxh64(bytes)).toBe(hash)
  expect(kernelHash(bytes)).toBe(hash)
})

test('every length up to 300, at every alignment', () => {
  const bytes = sanityBuffer(300)
  for (let length = 0; length <= 300; length++) {
    expect(kernelHash(bytes.subarray(0, length), length % 17)).toBe(xxh64(bytes.subarray(0, length)))
  }
})

test('random bytes of random lengths', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(100), (bytes, from) => {
      expect(kernelHash(bytes, Math.min(from, inputBytesMax - bytes.length))).toBe(xxh64(Buffer.from(bytes)))
    }),
    runs(500),
  )
})
