import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limitAtStart } from '../../src/base/restart.ts'
import { nodeEnvironment, nodeFlags } from '../../src/base/runtime.ts'

const mib = 1024 * 1024
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const allocatorAt = (limitBytes: number) =>
  Object.entries(nodeEnvironment(limitBytes)).map(([name, value]) => `${name}=${value}`)

test('the image sets what the allocator reads whatever the limit is, and leaves the rest to the restart', () => {
  const [env = ''] = /^ENV .*$/m.exec(fs.readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8')) ?? []
  const small = new Set(allocatorAt(64 * mib))
  const always = allocatorAt(Infinity).filter((each) => small.has(each))
  expect(env.split(' ').filter((each) => each.startsWith('MALLOC_'))).toEqual(always)
})

describe('the limit that Node is started with', () => {
  const files = { read: (name: string) => ({ '/limit': '48Mi\n', '/empty': '' })[name] }
  test.each([
    ['nothing is set', {}, Infinity, Infinity],
    ['the cgroup has one', {}, 64, 64],
    ['the setting is smaller', { REMORA_MEMORY_LIMIT: '48Mi' }, 64, 48],
    ['the setting is larger', { REMORA_MEMORY_LIMIT: '128Mi' }, 64, 64],
    ['a file has the setting', { REMORA_MEMORY_LIMIT_FILE: '/limit' }, 64, 48],
    ['the setting is empty and a file has it', { REMORA_MEMORY_LIMIT: '', REMORA_MEMORY_LIMIT_FILE: '/limit' }, 64, 48],
    ['the setting goes before the file', { REMORA_MEMORY_LIMIT: '56Mi', REMORA_MEMORY_LIMIT_FILE: '/limit' }, 64, 56],
    ['the file is not there', { REMORA_MEMORY_LIMIT_FILE: '/none' }, 64, 64],
    ['the file is empty', { REMORA_MEMORY_LIMIT_FILE: '/empty' }, 64, 64],
    ['the setting is no size', { REMORA_MEMORY_LIMIT: 'much' }, 64, 64],
  ])('when %s', (_, env, cgroupMib, limitMib) => {
    expect(limitAtStart(env, cgroupMib * mib, files)).toBe(limitMib * mib)
  })
})

describe('the flags', () => {
  test.each([
    [48, 26, true, true],
    [56, 28, true, true],
    [64, 32, true, false],
    [160, 80, true, false],
    [161, 81, false, false],
    [1024, 512, false, false],
    [1025, undefined, false, false],
    [Infinity, undefined, false, false],
  ])('%d MiB: an old generation of %s MiB', (limitMib, oldMib, small, smaller) => {
    const flags = nodeFlags(limitMib * mib)
    const old = flags.find((flag) => flag.startsWith('--max-old-space-size='))
    expect(old).toBe(oldMib === undefined ? undefined : `--max-old-space-size=${oldMib}`)
    expect(flags.includes('--no-maglev')).toBe(small)
    expect(flags.some((flag) => flag.startsWith('--max-optimized-bytecode-size'))).toBe(smaller)
  })

  test.each([48, 64, 256, Infinity])('Node knows those of %d MiB', (limitMib) => {
    const child = spawnSync(process.execPath, [...nodeFlags(limitMib * mib), '-e', ''], { encoding: 'utf8' })
    expect(child).toMatchObject({ status: 0, stderr: '' })
  })
})

test('no signal of another process opens the port of a debugger', async () => {
  const script = `console.log('up'); setTimeout(() => {}, 60_000)`
  const child = spawn(process.execPath, [...nodeFlags(64 * mib), '-e', script])
  await once(child.stdout, 'data')
  const caught = /^SigCgt:\s*([\da-f]+)$/m.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]
  child.kill('SIGKILL')
  // One bit for each signal, the lowest for the first. Source: proc_pid_status(5).
  expect(BigInt(`0x${caught}`) & (1n << BigInt(os.constants.signals.SIGUSR1 - 1))).toBe(0n)
})

describe('the process that runs', () => {
  let directory: string
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-restart-'))
    fs.mkdirSync(path.join(directory, 'logs'))
    fs.writeFileSync(path.join(directory, 'limit'), '48Mi\n')
  })
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

  test('has the flags of the limit in a file, the pid that it had, and what the allocator reads', async () => {
    const child = spawn(process.execPath, [main, 'run'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: {
        REMORA_PATHS: `${directory}/logs/*.log`,
        REMORA_STATE_DIR: `${directory}/state`,
        REMORA_ELASTICSEARCH_URL: 'http://127.0.0.1:9',
        REMORA_ADMIN_PORT: '0',
        REMORA_MEMORY_LIMIT_FILE: `${directory}/limit`,
      },
    })
    try {
      await once(child.stdout, 'data')
      const of = (name: string) => fs.readFileSync(`/proc/${child.pid}/${name}`, 'utf8').split('\0')
      expect(of('cmdline')).toEqual(expect.arrayContaining([...nodeFlags(48 * mib), 'run']))
      expect(of('environ')).toEqual(expect.arrayContaining(allocatorAt(48 * mib)))
    } finally {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  })
})
