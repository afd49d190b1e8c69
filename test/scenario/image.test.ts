import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type BulkServer, startBulkServer } from '../../src/demo/bulk-server.ts'
import { version } from '../../src/version.ts'

/** `podman build -t remora . && TEST_IMAGE=remora npm test -- image`: slow, and not everywhere possible. */
const image = process.env['TEST_IMAGE'] ?? ''
const present = image !== '' && spawnSync('podman', ['image', 'exists', image]).status === 0
if (image !== '' && !present) throw new Error(`TEST_IMAGE: podman has no image ${JSON.stringify(image)}`)

const hardened = ['--network=host', '--read-only', '--read-only-tmpfs=false', '--cap-drop=ALL', '--memory=64m']

function podman(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('podman', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}

describe.skipIf(!present)('the image', () => {
  let container: string

  beforeAll(() => {
    container = podman('create', image).stdout.trim()
  })

  afterAll(() => {
    podman('rm', container)
  })

  test('holds node and remora, and nothing to install or start anything else with', () => {
    const listing = spawnSync('sh', ['-c', `podman export ${container} | tar -t`], { encoding: 'utf8' }).stdout
    const files = listing.split('\n').filter((name) => name !== '' && !name.endsWith('/'))
    expect(files.filter((name) => /(^|\/)s?bin\//.test(name)).toSorted()).toEqual([
      'usr/local/bin/node',
      'usr/local/bin/remora',
    ])
    expect(files.filter((name) => /(^|\/)(\.npmrc|\.npm|\.env)(\/|$)|\/test\/scenario\//.test(name))).toEqual([])
    expect(files).toContain('opt/remora/src/encode/kernel.wasm')
    // The base image's own, and what a package is for its makers, stay behind.
    const unneeded = /(^|\/)(tests?|docs|benchmarks|examples)\/|\.(ts|[cm]ts|map|md|sh|ya?ml)$/
    expect(files.filter((name) => unneeded.test(name) && !/licen[cs]e/i.test(name))).toEqual([])
    const elsewhere = files.filter((name) => !/^(lib|lib64|opt\/remora|usr\/local\/bin)\//.test(name))
    expect(elsewhere.filter((name) => !/^(etc|usr\/share\/doc|var\/lib\/dpkg\/status\.d)\//.test(name))).toEqual([])
  })

  // A module that is not there would be found by nobody before somebody needs it.
  test.each([
    [['setup', '--dry-run'], /Not now: .*ECONNREFUSED/],
    [['inspect'], /There is no checkpoint/],
    [['check'], /ECONNREFUSED/],
    [['replay', '--anyway'], /no dead letter/i],
    [['config', '--reference'], /REMORA_PATHS/],
  ] as const)('remora %j has all that it is made of', (command, said) => {
    const settings = ['-e', 'REMORA_ELASTICSEARCH_URL=http://127.0.0.1:9', '-e', 'REMORA_ADMIN_PORT=0']
    const { stdout, stderr } = podman('run', '--rm', ...hardened, ...settings, image, ...command)
    expect(stdout + stderr).toMatch(said)
    expect(stdout + stderr).not.toMatch(/ERR_MODULE|Cannot find|ENOENT.*node_modules/)
  })

  test.each([
    [['--version'], 0, `${version}\n`],
    [['config'], 0, 'REMORA_STATE_DIR'],
    [['check'], 2, 'REMORA_ELASTICSEARCH_URL'],
    [['demo', '--help'], 0, 'remora demo'],
    [['rum'], 2, ''],
    [[], 2, ''],
  ] as const)('remora %j', (command, status, said) => {
    const ended = podman('run', '--rm', ...hardened, image, ...command)
    expect(ended).toMatchObject({ status, stdout: expect.stringContaining(said) })
  })

  /** What runs it may make groups for it, as docs/bench.md says. */
  test('measures itself', { timeout: 120_000 }, () => {
    const asked = ['bench', '--short', '--scenario', 'latency', '--rounds', '1']
    const ended = podman('run', '--rm', '--user', '0', '--privileged', image, ...asked)
    expect(ended.stdout).toMatch(/held by a cgroup of the\s+agent's own[^]*the same loop in Node/)
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringContaining('Every line arrived, once') })
    expect(ended.stdout).toContain('/remora-bench/report.html')
  })

  describe('ships', () => {
    let directory: string
    let server: BulkServer

    beforeEach(async () => {
      directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-image-'))
      fs.chmodSync(directory, 0o755)
      fs.mkdirSync(path.join(directory, 'logs'))
      fs.mkdirSync(path.join(directory, 'state'))
      fs.chmodSync(path.join(directory, 'state'), 0o777)
      server = await startBulkServer({ documentsPath: undefined })
    })

    afterEach(async () => {
      await server.close()
      fs.rmSync(directory, { recursive: true, force: true })
    })

    // The second is nobody's: an application's own user, or one that the platform makes up.
    test.each(['65532', '10001'])('as user %s, until SIGTERM', { timeout: 60_000 }, async (user) => {
      const log = path.join(directory, 'logs', 'app.log')
      fs.writeFileSync(log, 'a line\n'.repeat(1_000))
      const name = path.basename(directory)
      const volumes = ['-v', `${directory}/logs:/var/log/app:ro`, '-v', `${directory}/state:/var/lib/remora`]
      const settings = ['-e', `REMORA_ELASTICSEARCH_URL=${server.url}`, '-e', 'REMORA_ADMIN_PORT=0']
      const child = spawn(
        'podman',
        ['run', '--rm', '--name', name, ...hardened, '--user', user, ...volumes, ...settings, image],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      const ended = once(child, 'exit')
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
      try {
        while (server.account().ids < 1_000 && child.exitCode === null) await delay(20)
        fs.renameSync(log, `${log}.1`)
        fs.writeFileSync(log, 'the last line\n')
        podman('kill', '--signal=TERM', name)
        await ended
        expect(output).toContain('64 MiB (cgroup')
        expect(output).toContain('everything is shipped')
        expect(child.exitCode).toBe(0)
        expect(server.account()).toMatchObject({ ids: 1_001, refused: 0 })
      } finally {
        podman('rm', '--force', '--ignore', name)
      }
    })
  })
})
