import { describe, expect, test } from 'vitest'
import { abandonedOf, buildText, containerName, isGone, runArgs } from '../../../src/bench/container/engine.ts'
import { environmentOf } from '../../../src/bench/container/place.ts'

const owner = { pid: 12, startTicks: 345, scope: '0123456789ab' }
const spec = {
  name: containerName(owner, 1),
  owner,
  image: 'remora',
  args: ['run'],
  limits: { cpus: 0.2, memoryBytes: 64 * 2 ** 20 },
  user: { uid: 1000, gid: 100 },
  variables: ['REMORA_PASSWORD'],
  readOnly: ['/tmp/x/logs'],
  writable: ['/tmp/x/agent'],
}
const podman = { name: 'podman', isRootless: false } as const

test('a container is limited, hardened, and sees its directories where they are', () => {
  const args = runArgs(podman, spec)
  expect(args.join(' ')).toBe(
    'run --name remora-bench-12-345-1 --label=remora-bench=0123456789ab --cpu-period=100000 --cpu-quota=20000 ' +
      '--memory=67108864 --memory-swap=67108864 --network=host --read-only --cap-drop=ALL ' +
      '--security-opt=no-new-privileges --security-opt=label=disable --user=1000:100 --pull=never --log-driver=none ' +
      '--stop-timeout=0 --read-only-tmpfs=false --http-proxy=false --volume /tmp/x/logs:/tmp/x/logs:ro ' +
      '--volume /tmp/x/agent:/tmp/x/agent --env REMORA_PASSWORD remora run',
  )
})

test.each([
  ['podman as root', { name: 'podman', isRootless: false }, '--user=1000:100', false],
  ['podman without root', { name: 'podman', isRootless: true }, '--user=1000:100', true],
  ['docker as root', { name: 'docker', isRootless: false }, '--user=1000:100', false],
  ['docker without root', { name: 'docker', isRootless: true }, '--user=0:0', false],
] as const)('%s: the user inside is the owner of the files', (_, engine, user, keepsIds) => {
  const args = runArgs(engine, spec)
  expect(args).toContain(user)
  expect(args.includes('--userns=keep-id')).toBe(keepsIds)
  expect(args.includes('--http-proxy=false')).toBe(engine.name === 'podman')
})

test('what is not limited is not asked for', () => {
  const args = runArgs(podman, { ...spec, limits: { cpus: undefined, memoryBytes: undefined } })
  expect(args.filter((arg) => /^--(cpu|memory)/.test(arg))).toEqual([])
})

test('only the agent’s own variables go in, files that they name with them, and no value is an argument', () => {
  const given = { PATH: '/bin', HOME: '/root', REMORA_PASSWORD: 'secret', REMORA_CA_FILE: '/etc/ca.pem' }
  const { variables, files } = environmentOf({ ...given, REMORA_API_KEY_FILE: '' })
  expect(variables).toEqual({ REMORA_PASSWORD: 'secret', REMORA_CA_FILE: '/etc/ca.pem', REMORA_API_KEY_FILE: '' })
  expect(files).toEqual(['/etc/ca.pem'])
  expect(runArgs(podman, { ...spec, variables: Object.keys(variables) }).join(' ')).not.toContain('secret')
})

describe('what a killed bench has left', () => {
  const living = new Map([
    [12, 345],
    [13, 999],
  ])
  test.each([
    ['of one that lives', 'remora-bench-12-345-1', false],
    ['of one that has ended', 'remora-bench-14-1-1', true],
    ['of one whose number another process has now', 'remora-bench-13-345-7', true],
    ['not ours by its name', 'mine', false],
    ['the end of the list', '', false],
  ] as const)('%s', (_, name, isAbandoned) => {
    expect(abandonedOf([name], (pid) => living.get(pid) ?? 0)).toEqual(isAbandoned ? [name] : [])
  })
})

test.each([
  ['Error: No such container: remora-bench-1-1-1', true],
  ['Error: no container with name or ID "x" found: no such container', true],
  ['removal of container x is already in progress', true],
  ['Cannot connect to the Docker daemon', false],
])('%s', (told, gone) => expect(isGone(told)).toBe(gone))

test('an image that is missing is built under its own name', () => {
  expect(buildText('podman', 'remora')).toContain('podman build -t remora .')
})
