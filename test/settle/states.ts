import * as fc from 'fast-check'
import type { State } from '../../src/settle/checkpoint.ts'

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('/var/log/a\nb.log', '"', '\\', '\0', '\u2028', '😀'),
)

/** Whatever a checkpoint may have to hold. */
export const states: fc.Arbitrary<State> = fc.record({
  instance: text,
  sinceMs: fc.nat(),
  generations: fc.array(
    fc.record({
      id: fc.option(fc.string({ minLength: 12, maxLength: 12 })),
      path: text,
      currentPath: fc.option(text),
      epoch: fc.nat(),
      inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
      birthNs: fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String),
      fingerprint: fc.option(fc.record({ hash: fc.string(), bytes: fc.nat(1024) })),
      offset: fc.maxSafeNat(),
      skipping: fc.boolean(),
      guardHash: fc.string(),
      sizeBytes: fc.maxSafeNat(),
      finished: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
})

/** The state numbered so, different from all others. */
export function stateOf(number: number): State {
  return {
    instance: 'here',
    sinceMs: 0,
    generations: [
      {
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
        sizeBytes: number,
        finished: false,
      },
    ],
  }
}

/** The number of a state. */
export const numberOf = (state: State): number => state.generations[0]!.offset
