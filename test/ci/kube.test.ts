/** What `.ci/kube` makes of what goes wrong, with stand-ins for everything that it starts. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../.ci/kube', import.meta.url))
/** Each fails when it is the one that `FAILING` names. */
const standIns = {
  'bin/podman': 'build',
  'bin/npm': '"$1 $2"',
  'shared/container-lab': 'lab',
  'shared/kube/kube-build': 'cluster-build',
  'shared/kube/kube-up': 'cluster-up',
  'shared/kube/kube-load': 'load',
  'shared/kube/kube-down': 'down',
}
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'remora-ci-'))
  for (const name of ['bin', 'shared/kube', 'repo/.ci']) mkdirSync(join(directory, name), { recursive: true })
  copyFileSync(script, join(directory, 'repo/.ci/kube'))
  for (const [name, word] of Object.entries(standIns)) {
    const text = `#!/bin/sh\necho ${word} >> ${directory}/begun\n[ "$FAILING" != ${word} ]\n`
    writeFileSync(join(directory, name), text, { mode: 0o755 })
  }
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

function run(failing: string) {
  const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env
  const { status, stderr } = spawnSync(join(directory, 'repo/.ci/kube'), {
    encoding: 'utf8',
    env: {
      ...environment,
      PATH: `${directory}/bin:${process.env['PATH']}`,
      KUBE_DIR: join(directory, 'cluster'),
      CI_UNTESTED: join(directory, 'untested'),
      FAILING: failing,
    },
  })
  const read = (name: string) => (existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8') : '')
  return { status, stderr, untested: read('untested'), begun: read('begun').trim().split('\n') }
}

test('all goes well: everything is begun, in its order, and the cluster is taken down', () => {
  const { status, untested, begun } = run('')
  expect({ status, untested }).toEqual({ status: 0, untested: '' })
  expect(begun).toEqual(['lab', 'build', 'test --', 'cluster-build', 'cluster-up', 'load', 'run test:kube', 'down'])
})

test.each([
  ['lab', 'the tests of the image and those on a kubelet'],
  ['cluster-build', 'the tests on a kubelet'],
  ['cluster-up', 'the tests on a kubelet'],
])('%s fails: it is said that %s have not run, and nothing hangs on it', (failing, what) => {
  const { status, stderr, untested } = run(failing)
  expect(status, stderr).toBe(0)
  expect(untested).toContain(`NOT RUN: ${what}.`)
  expect(stderr).toContain(untested.trim())
})

test('where there is nothing to bring it up with, that is said, too', () => {
  rmSync(join(directory, 'shared'), { recursive: true })
  const { status, untested, begun } = run('')
  expect({ status, begun }).toEqual({ status: 0, begun: [''] })
  expect(untested).toContain('NOT RUN: the tests of the image and those on a kubelet.')
})

test.each(['build', 'test --', 'load', 'run test:kube'])('%s fails: so does all', (failing) => {
  const { status, untested, begun } = run(failing)
  expect(status).not.toBe(0)
  expect(untested).toBe('')
  expect(begun.includes('cluster-up')).toBe(begun.includes('down'))
})
