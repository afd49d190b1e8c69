import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { cgroupsAvailable, spawnInCgroup } from '../../src/bench/machine/cgroup.ts'
import { checkCommand } from '../../src/commands/check.ts'
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

test.each([
  [['--help'], 0, /^remora check .*\n {2}--anyway/],
  [['--all'], 2, /^remora check does not know "--all"\./],
  [['/state'], 2, /^remora check does not know "\/state"\./],
] as const)('check %j', async (argv, code, said) => {
  let text = ''
  expect(await checkCommand(argv, {}, (part) => (text += part))).toBe(code)
  expect(text).toMatch(said)
})

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** With a checkpoint for which 48 MiB are not enough. */
async function run(...argv: string[]): Promise<readonly [code: unknown, text: string]> {
  fs.writeFileSync(path.join(directory, 'checkpoint.json'), Buffer.alloc(8 * mib, ' '))
  const group = spawnInCgroup({ memoryBytes: 48 * mib }, process.execPath, [main, ...argv], {
    stdio: 'pipe',
    env: { PATH: process.env['PATH'], REMORA_STATE_DIR: directory },
  })
  try {
    const [[code], text] = await Promise.all([once(group.child, 'close'), textOf(group.child.stdout!)])
    return [code, text]
  } finally {
    await group.cleanup()
  }
}

const answer = cgroupsAvailable()

describe.skipIf(!answer.available)(`in a real limit${answer.available ? '' : ` (${answer.reason})`}`, () => {
  test.each(['check', 'inspect'])('%s looks at nothing where there is too little left', async (command) => {
    const [code, text] = await run(command)
    expect(text).toMatch(/^Nothing was looked at: .* of 48 MiB .*\n.*--anyway\.\n$/)
    expect(code).toBe(1)
  })

  test.each(['check', 'inspect'])('%s does so with --anyway', async (command) => {
    const [, text] = await run(command, '--anyway')
    expect(text).not.toContain('Nothing was looked at')
  })
})
