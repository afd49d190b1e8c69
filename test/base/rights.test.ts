import { describe, expect, test } from 'vitest'
import { denialOf, ownReader, remedyOf, type Reader, type Remedy } from '../../src/base/rights.ts'

const reader: Reader = { uid: 65532, groups: [65532, 10001] }

const owned = (uid: number, gid: number, mode: number, kind: 'file' | 'directory' = 'file') => ({
  kind,
  uid,
  gid,
  mode,
})

describe('what would help', () => {
  test.each([
    // Another user's, whose group may read it.
    [1000, 2000, 0o640, 'file', 'group'],
    [0, 0, 0o640, 'file', 'group'],
    [1000, 2000, 0o750, 'directory', 'group'],
    // Only its owner may.
    [1000, 2000, 0o600, 'file', 'owner'],
    [1000, 10001, 0o600, 'file', 'owner'],
    [1000, 2000, 0o700, 'directory', 'owner'],
    // Nobody should run as root for a log; and nobody at all may read these.
    [0, 0, 0o600, 'file', 'umask'],
    [0, 10001, 0o600, 'file', 'umask'],
    [1000, 2000, 0o000, 'file', 'umask'],
    // May be listed, not searched: a directory needs both.
    [1000, 2000, 0o744, 'directory', 'owner'],
    [1000, 2000, 0o644, 'directory', 'umask'],
    // The owner's bits count for the owner, whatever the group may.
    [65532, 10001, 0o040, 'file', 'mode'],
    [65532, 65532, 0o200, 'file', 'mode'],
    // The group's bits count for whoever is in it, whatever others may.
    [0, 10001, 0o604, 'file', 'umask'],
    // They all allow it.
    [65532, 0, 0o400, 'file', 'elsewhere'],
    [0, 10001, 0o040, 'file', 'elsewhere'],
    [0, 0, 0o644, 'file', 'elsewhere'],
    [0, 0, 0o755, 'directory', 'elsewhere'],
  ] as const)('%i:%i %o %s: %s', (uid, gid, mode, kind, remedy: Remedy) => {
    expect(remedyOf(owned(uid, gid, mode, kind), reader)).toBe(remedy)
  })
})

describe('what a person reads', () => {
  test('owner, mode, own uid and groups, and the lines to add, also as one', () => {
    expect(denialOf(owned(1000, 2000, 0o640), reader)).toEqual({
      message: 'it may not be read by uid 65532 with groups 65532, 10001 (owner 1000:2000, mode 0640)',
      wayOut:
        'Give Remora the group that it belongs to. Add to the Pod: spec: { securityContext: { supplementalGroups: [2000] } }',
      lines: ['# to the Pod:', 'spec:', '  securityContext:', '    supplementalGroups: [2000]'],
    })
    const { wayOut, lines } = denialOf(owned(1000, 2000, 0o600), reader)
    expect(wayOut).toMatch(/umask 027.*fsGroup.*Add to Remora's container: securityContext: \{ runAsUser: 1000 \}$/)
    expect(lines).toEqual(["# to Remora's container:", 'securityContext:', '  runAsUser: 1000'])
  })

  test('no lines where none help', () => {
    for (const each of [owned(0, 0, 0o600), owned(65532, 0, 0o200), owned(0, 0, 0o644)])
      expect(denialOf(each, reader).lines).toEqual([])
    expect(denialOf(owned(0, 0, 0o644), reader).wayOut).toMatch(/SELinux/)
    expect(denialOf(owned(0, 0, 0o600), reader).wayOut).toMatch(/umask 027.*fsGroup.*runAsUser/)
  })

  test('a directory must be searched, too', () => {
    expect(denialOf(owned(0, 0, 0o700, 'directory'), reader).message).toMatch(/^it may not be read and searched by/)
  })

  test('of what nobody may even look at', () => {
    const { message, wayOut, lines } = denialOf(undefined, reader)
    expect(message).toBe('it may not be read by uid 65532 with groups 65532, 10001')
    expect(wayOut).toContain('fsGroup')
    expect(lines).toEqual([])
  })
})

test('who this process is', () => {
  const { uid, groups } = ownReader()
  expect(uid).toBe(process.geteuid?.())
  expect(groups).toContain(process.getegid?.())
  expect(new Set(groups).size).toBe(groups.length)
})
