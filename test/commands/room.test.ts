import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { needToLook, tightness } from '../../src/commands/room.ts'

const mib = 2 ** 20
const limit = { bytes: 64 * mib, origin: 'cgroup v2 memory.max' }

let directory: string
beforeEach(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-room-'))))
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

test('a command does not begin where it could have the kernel end Remora', () => {
  const need = { bytes: 48 * mib, refusal: 'Nothing was sent', instead: 'Raise the limit' }
  expect(tightness(need, limit, 16 * mib)).toBeUndefined()
  expect(tightness(need, limit, 40 * mib)).toBe(
    'Nothing was sent: 24 MiB of 64 MiB of memory (cgroup v2 memory.max) are left, and this may take 48 MiB; the kernel would end Remora as well.\n  Raise the limit, or use --anyway.',
  )
  expect(tightness(need, limit, 80 * mib)).toContain(' 0 B of')
  expect(tightness(need, { bytes: Infinity, origin: 'none' }, 80 * mib)).toBeUndefined()
})

test('to look at more files takes more', () => {
  expect(needToLook(directory, 3 * mib).bytes).toBe(limits.lookMemoryBytes - 3 * mib)
  expect(needToLook(directory, 999 * mib).bytes).toBe(0)
  fs.writeFileSync(path.join(directory, 'checkpoint.json'), Buffer.alloc(mib))
  expect(needToLook(directory, 0).bytes).toBe(limits.lookMemoryBytes + limits.lookMemoryShare * mib)
})
