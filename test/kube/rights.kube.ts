/** Who may read what the application writes: the ways that work on a real kubelet, and what is said of those that do not. */
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { sidecarOf, type Manifest } from '../kit/kubernetes/manifest.ts'
import { expectStored, logDirectory, podIn, untilStored, writtenIn, type Scene } from './kit/scene.ts'
import { statusOf, until } from './kit/space.ts'
import { sceneName, stage } from './kit/stage.ts'

// `restricted` has no root.
const { space, server, gateway } = stage('baseline')

const file = `${logDirectory}/orders.log`
const remora = 65_532
const application = 10_001

interface Rights {
  readonly umask: string
  /** What the application runs as. */
  readonly user: number
  readonly group?: number
  readonly fsGroup?: number
  /** What Remora runs as, when it is not its own user. */
  readonly reader?: number
}

/** One file is written for as long as it runs. */
const sceneWith = (umask: string): Scene => ({
  name: sceneName('rights'),
  url: gateway().url,
  settings: { REMORA_SCAN_INTERVAL: '1s' },
  writing: { umask, bytesPerSecond: 20_000, rotateLines: 1_000_000 },
})

function withRights({ user, group = user, fsGroup, reader }: Rights): (spec: Manifest) => void {
  return (spec) => {
    delete spec.securityContext.fsGroup
    if (fsGroup !== undefined) spec.securityContext.fsGroup = fsGroup
    const [{ securityContext }] = spec.containers
    Object.assign(securityContext, { runAsUser: user, runAsGroup: group, runAsNonRoot: user !== 0 })
    if (reader !== undefined) sidecarOf({ kind: 'Pod', spec }).securityContext.runAsUser = reader
  }
}

/** Until it is deleted, every line is shipped. */
async function expectShipping(scene: Scene): Promise<void> {
  const log = space().follow(scene.name, 'application')
  const said = space().follow(scene.name, 'remora')
  await untilStored(server(), scene, 300)
  await space().run('delete', 'pod', scene.name, '--wait=true')
  await Promise.all([log.ended, said.ended])
  const written = writtenIn(log.text)
  expect(await expectStored(server(), scene, written)).toBe(written)
  expect(said.said('EACCES'), said.text).toBe(false)
}

describe('ways that work', () => {
  test.each([
    ['umask 027, and a shared group by fsGroup', { umask: '027', user: application, group: 10_002, fsGroup: 20_000 }],
    ['a root application with umask 027, and fsGroup', { umask: '027', user: 0, fsGroup: 20_000 }],
    ['the same runAsUser, umask 077', { umask: '077', user: application, reader: application }],
  ] as const)('%s', async (_, rights: Rights) => {
    const scene = sceneWith(rights.umask)
    await space().apply(podIn(scene, withRights(rights)))
    await space().ready(scene.name)
    // Not by chance: whose it is, and that others may not.
    const look = `const { uid, gid, mode } = fs.statSync('${file}'); console.log(uid, gid, (mode & 0o777).toString(8))`
    const { user, group = user, fsGroup = group, umask } = rights
    const seen = await until('a file', async () => {
      const { stdout } = await space().exec(scene.name, 'application', look)
      return stdout.trim() || undefined
    })
    expect(seen).toBe(`${user} ${fsGroup} ${umask === '027' ? 640 : 600}`)
    await expectShipping(scene)
  })
})

/** Starts it, and has what Remora says of it: in its log, and at `/readyz`. */
async function refused(scene: Scene, rights: Rights): Promise<Manifest> {
  await space().apply(podIn(scene, withRights(rights)))
  const pod = await space().ready(scene.name)
  const said = space().follow(scene.name, 'remora')
  const message = await until('EACCES', async () => said.messages.find((each) => each['event.code'] === 'EACCES'))
  const { status, text } = await space().asked(scene.name, '/readyz')
  expect(status, 'a restart would help nobody').toBe(200)
  expect(JSON.parse(text).unreadable).toMatchObject({ files: 1, path: file, why: expect.stringContaining('mode 0') })
  expect((await space().asked(scene.name, '/metrics')).text).toMatch(/^remora_unreadable_files\{reason="EACCES"\} 1$/m)
  // Nothing of the application's.
  expect(statusOf(pod, 'application')).toMatchObject({ restartCount: 0, ready: true })
  expect(statusOf(pod)).toMatchObject({ restartCount: 0 })
  said.stop()
  return message
}

describe('ways that do not', () => {
  test('a root application that writes with mode 0600: both sides are named, and the umask that it says mends it', async () => {
    const rights: Rights = { umask: '077', user: 0, fsGroup: 20_000 }
    const scene = sceneWith(rights.umask)
    const { message } = await refused(scene, rights)
    expect(message).toContain(`uid ${remora} with groups ${remora}, 20000 (owner 0:20000, mode 0600)`)
    const umask = /umask (\d+)/.exec(message)?.[1]
    expect(message).toMatch(/umask \d+\) in a group that Remora has, too \(fsGroup\)/)

    // What is there already: as soon as it may be read, without a restart.
    const said = space().follow(scene.name, 'remora')
    await space().exec(scene.name, 'application', `fs.chmodSync('${file}', 0o640)`)
    await until('READABLE', async () => (said.said('READABLE') ? true : undefined))
    await untilStored(server(), scene, 300)
    expect(JSON.parse((await space().asked(scene.name, '/readyz')).text)).not.toHaveProperty('unreadable')
    expect(statusOf(await space().get('pod', scene.name)).restartCount).toBe(0)
    await space().run('delete', 'pod', scene.name, '--now')

    const mended = sceneWith(String(umask))
    await space().apply(podIn(mended, withRights(rights)))
    await space().ready(mended.name)
    await expectShipping(mended)
  })

  test.each([
    [
      'the group',
      { umask: '027', user: application },
      'to the Pod',
      { securityContext: { supplementalGroups: [application] } },
    ],
    ['the user', { umask: '077', user: application }, "to Remora's container", { runAsUser: application }],
  ] as const)('the lines that it names make it work: %s', async (_, rights: Rights, where, lines) => {
    const scene = sceneWith(rights.umask)
    const { message } = await refused(scene, rights)
    const named = new RegExp(`Add ${where}: (.*\\})`).exec(message)?.[1] ?? message
    await space().run('delete', 'pod', scene.name, '--now')

    const mended = sceneWith(rights.umask)
    const { spec, securityContext } = parse(named)
    expect(spec ?? securityContext).toEqual(lines)
    const pod = podIn(mended, (own) => {
      withRights(rights)(own)
      Object.assign(own.securityContext, spec?.securityContext)
      Object.assign(sidecarOf({ kind: 'Pod', spec: own }).securityContext, securityContext)
    })
    await space().apply(pod)
    await space().ready(mended.name)
    await expectShipping(mended)
  })
})
