const mask = (1n << 64n) - 1n
const [p1, p2, p3, p4, p5]: readonly [bigint, bigint, bigint, bigint, bigint] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
]

const times = (a: bigint, b: bigint) => (a * b) & mask
const plus = (a: bigint, b: bigint) => (a + b) & mask
const rotl = (v: bigint, by: bigint) => ((v << by) | (v >> (64n - by))) & mask
const round = (acc: bigint, lane: bigint) => times(rotl(plus(acc, times(lane, p2)), 31n), p1)

/** XXH64 with seed 0, as the specification says it: github.com/Cyan4973/xxHash, doc/xxhash_spec.md. */
export function xxh64(bytes: Buffer): bigint {
  let at = 0
  let acc = p5
  if (bytes.length >= 32) {
    const lanes = [plus(p1, p2), p2, 0n, (mask + 1n - p1) & mask]
    for (; at + 32 <= bytes.length; at += 32) {
      for (const [index, lane] of lanes.entries()) lanes[index] = round(lane, bytes.readBigUInt64LE(at + 8 * index))
    }
    acc = [1n, 7n, 12n, 18n].map((by, index) => rotl(lanes[index]!, by)).reduce(plus)
    for (const lane of lanes) acc = plus(times(acc ^ round(0n, lane), p1), p4)
  }
  acc = plus(acc, BigInt(bytes.length))
  for (; at + 8 <= bytes.length; at += 8) {
    acc = plus(times(rotl(acc ^ round(0n, bytes.readBigUInt64LE(at)), 27n), p1), p4)
  }
  if (at + 4 <= bytes.length) {
    acc = plus(times(rotl(acc ^ times(BigInt(bytes.readUInt32LE(at)), p1), 23n), p2), p3)
    at += 4
  }
  for (; at < bytes.length; at++) acc = times(rotl(acc ^ times(BigInt(bytes[at]!), p5), 11n), p1)
  acc = times(acc ^ (acc >> 33n), p2)
  acc = times(acc ^ (acc >> 29n), p3)
  return acc ^ (acc >> 32n)
}
