import { describe, expect, test } from 'vitest'
import { lookAt, resumeAt, strangerIs } from '../../src/follow/rotation.ts'

const unknown = undefined

describe('an open file', () => {
  test.each([
    // size, known, offset, what is known is there
    [0, 0, 0, unknown, 'same'],
    [100, 100, 100, unknown, 'same'],
    [100, 100, 100, true, 'same'],
    [101, 100, 100, unknown, 'grown'],
    [101, 100, 100, true, 'grown'],
    [99, 100, 100, unknown, 'replaced'],
    [0, 100, 100, unknown, 'replaced'],
    // Refilled past the old offset, or up to it: only the bytes tell.
    [200, 100, 100, false, 'replaced'],
    [100, 100, 100, false, 'replaced'],
    // Nothing shipped yet, but the id was made of its first kilobyte.
    [2_000, 1_024, 0, true, 'grown'],
    [1_000, 1_024, 0, unknown, 'replaced'],
    [2_000, 1_024, 0, false, 'replaced'],
  ] as const)('of %i bytes, %i known, read to %i, as it was: %s → %s', (size, known, offset, holds, expected) => {
    expect(lookAt({ sizeBytes: size, knownBytes: known, offsetBytes: offset, guardHolds: holds })).toBe(expected)
  })
})

describe('a file with a known inode, after a restart', () => {
  const facts = { sameBirth: true, sameBeginning: true, sizeBytes: 200, offsetBytes: 100, guardHolds: true }
  test.each([
    ['as it was', {}, 'resume'],
    ['no longer than it was read', { sizeBytes: 100 }, 'resume'],
    ['without a fingerprint, unread', { sameBeginning: unknown, offsetBytes: 0 }, 'resume'],
    ['without a fingerprint, started at its end', { sameBeginning: unknown }, 'resume'],
    ['born at another time', { sameBirth: false }, 'other'],
    ['born at another time, all else alike', { sameBirth: false, offsetBytes: 0 }, 'other'],
    ['with another beginning', { sameBeginning: false }, 'replaced'],
    ['with another beginning, unread', { sameBeginning: false, offsetBytes: 0 }, 'replaced'],
    ['shorter than it was read', { sizeBytes: 99 }, 'replaced'],
    ['with other bytes before the offset', { guardHolds: false }, 'replaced'],
    ['without a fingerprint and shorter', { sameBeginning: unknown, sizeBytes: 50 }, 'replaced'],
  ] as const)('%s: %j → %s', (_what, differs, expected) => {
    expect(resumeAt({ ...facts, ...differs })).toBe(expected)
  })
})

describe('a file whose inode nobody knows', () => {
  const rotated = {
    matched: false,
    looksRotated: true,
    mayBeCopy: false,
    bornSince: true,
    hasFingerprint: true,
    copyOfKnown: false,
  }
  test.each([
    ['a glob matches it', { matched: true, looksRotated: false }, 'new'],
    ['a glob matches it, and it has no line yet', { matched: true, hasFingerprint: false }, 'new'],
    ['a glob matches it, and its name is that of a copy', { matched: true, mayBeCopy: true }, 'new'],
    ['the same, half made', { matched: true, mayBeCopy: true, hasFingerprint: false }, 'wait'],
    ['a glob matches it, and it is old', { matched: true, bornSince: false }, 'new'],
    ['created and rotated before anybody looked', {}, 'missed'],
    ['the same, without a whole line', { hasFingerprint: false }, 'wait'],
    ['rotated before Remora came', { bornSince: false }, 'ignore'],
    ['rotated, and nobody knows when it was born', { bornSince: unknown }, 'ignore'],
    ['a copy', { copyOfKnown: true }, 'copy'],
    ['an old copy', { copyOfKnown: true, bornSince: false }, 'copy'],
    ['a copy that a glob matches', { matched: true, copyOfKnown: true }, 'copy'],
    ['something else', { looksRotated: false }, 'ignore'],
    ['something else with the bytes of a log', { looksRotated: false, copyOfKnown: true }, 'ignore'],
  ] as const)('%s: %j → %s', (_what, differs, expected) => {
    expect(strangerIs({ ...rotated, ...differs })).toBe(expected)
  })
})
