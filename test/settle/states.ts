import * as fc from 'fast-check'
import type { SavedGeneration, State } from '../../src/base/state.ts'

const strangePath = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((text) => `/${text.replaceAll('\0', '')}`),
  fc.constantFrom('/var/log/a\nb.log', '/"', '/\\', '/\u2028', '/😀'),
)
const word = fc.stringMatching(/^[\w-]{1,22}$/)

/** Whatever a checkpoint may have to hold. */
export const states: fc.Arbitrary<State> = fc.record({
  instance: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
  incarnation: fc.uuid(),
  sinceMs: fc.nat(),
  names: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  indices: fc.option(fc.array(fc.string({ minLength: 1, maxLength: 30 }), { maxLength: 3 })),
  generations: fc.array(
    fc.record({
      id: fc.option(word),
      path: strangePath,
      currentPath: fc.option(strangePath),
      epoch: fc.nat(),
      inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
      birthNs: fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String),
      fingerprint: fc.option(fc.record({ hash: word, bytes: fc.nat(1024) })),
      offset: fc.maxSafeNat(),
      skipping: fc.boolean(),
      guardHash: fc.oneof(fc.constant(''), word),
      marks: fc.array(fc.record({ offset: fc.maxSafeNat(), hash: word }), { maxLength: 8 }),
      sizeBytes: fc.maxSafeNat(),
      finished: fc.boolean(),
      anchor: fc.option(fc.record({ offset: fc.maxSafeNat(), id: word })),
      bannerTo: fc.maxSafeNat(),
      packing: fc.constantFrom(null, 'gzip' as const, 'zstd' as const),
      seenMs: fc.nat({ max: 253_402_300_799_999 }),
    }),
    { maxLength: 4 },
  ),
})

export const generationOf = (number: number): SavedGeneration => ({
  id: 'abcdefghijkl',
  path: '/var/log/app/app.log',
  currentPath: null,
  epoch: 0,
  inode: '12',
  birthNs: '0',
  fingerprint: { hash: 'x', bytes: 7 },
  offset: number,
  skipping: false,
  guardHash: 'y',
  marks: [{ offset: 1, hash: 'z' }],
  sizeBytes: number,
  finished: false,
  anchor: { offset: 3, id: 'mnopqrstuvwx' },
  bannerTo: 0,
  packing: null,
  seenMs: 1_700_000_000_000,
})

/** The state numbered so, different from all others. */
export function stateOf(number: number): State {
  return {
    instance: 'here',
    incarnation: 'now',
    sinceMs: 0,
    names: '',
    indices: null,
    generations: [generationOf(number)],
  }
}

/** The number of a state. */
export const numberOf = (state: State): number => state.generations[0]!.offset
