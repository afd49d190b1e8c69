/** What an application may link into its log directory, in the Pod's own places: nothing of it is shipped, and its lines are. */
import { expect, test } from 'vitest'
import { sidecarOf } from '../kit/kubernetes/manifest.ts'
import { expectStored, limited, logDirectory, podIn, untilStored, writtenIn, type Scene } from './kit/scene.ts'
import { statusOf, until } from './kit/space.ts'
import { sceneName, stage } from './kit/stage.ts'

const { space, server, gateway } = stage()

/** Whatever has it in it came from where nothing is to be read. */
const canary = 'canary7f3a9c'
const credentials = '/etc/remora/credentials'

/** By name, where each leads to; what there may be read has the second in it. */
const links = {
  'secret.log': [`${credentials}/api-key`, canary],
  'timed.log': [`${credentials}/..data/api-key`, canary],
  'relative.log': ['../../../etc/remora/credentials/api-key', canary],
  'environ.log': ['/proc/self/environ', canary],
  'first.log': ['/proc/1/environ', canary],
  'settings.log': ['/etc/passwd', 'remora'],
  'state.log': ['/var/lib/remora/checkpoint.json', 'orders.log'],
  'instance.log': ['/var/lib/remora/instance', ''],
  'chain.log': ['secret.log', canary],
} as const

/** Directories: nobody goes into them. */
const directories = { 'credentials.log': credentials, state: '/var/lib/remora', root: '/' }

test('links to the mounted Secret, to /proc/self/environ and to the state directory: nothing of them is shipped', async () => {
  const scene: Scene = {
    name: sceneName('links'),
    url: gateway().url,
    components: ['credentials-files'],
    settings: {
      REMORA_API_KEY_FILE: `${credentials}/api-key`,
      REMORA_PATHS: `${logDirectory}/**/*.log*,${logDirectory}/*/*`,
      REMORA_SCAN_INTERVAL: '1s',
    },
  }
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'remora-credentials' },
    stringData: { 'api-key': canary },
  }
  const manifests = podIn(scene, (spec) => {
    sidecarOf({ kind: 'Pod', spec }).env.push({ name: 'SOMETHING', value: canary })
    // Room for the second Node that looks below.
    limited(spec, { memory: '192Mi' })
  })
  await space().apply([secret, ...manifests])
  await space().ready(scene.name)
  const log = space().follow(scene.name, 'application')
  const said = space().follow(scene.name, 'remora')
  await untilStored(server(), scene, 500)

  const targets = Object.entries(links).map(([name, [target]]) => [name, target])
  const script = `for (const [name, target] of ${JSON.stringify([...targets, ...Object.entries(directories)])})
    fs.symlinkSync(target, '${logDirectory}/' + name)`
  expect(await space().exec(scene.name, 'application', script)).toMatchObject({ status: 0 })

  // Remora could read all of it: it is no other thing that keeps it from that.
  const look = `console.log(JSON.stringify(${JSON.stringify(targets)}.map(([name]) => fs.readFileSync('${logDirectory}/' + name, 'utf8'))))`
  const seen = await space().exec(scene.name, 'remora', look)
  const texts = JSON.parse(seen.stdout) as string[]
  for (const [n, [name, [, part]]] of Object.entries(links).entries()) {
    expect(texts[n]?.length, name).toBeGreaterThan(0)
    expect(texts[n], name).toContain(part)
  }

  const outside = () =>
    said.messages.filter((each) => each['event.code'] === 'SYMLINK_OUTSIDE').map((each) => each['file.path'])
  const all = [...Object.keys(links), 'credentials.log'].map((name) => `${logDirectory}/${name}`)
  await until('a word on each link', async () => (all.every((path) => outside().includes(path)) ? true : undefined))
  // Some looks more, over rotations too.
  const before = writtenIn(log.text)
  await until('lines', async () => (writtenIn(log.text) > before + 2_000 ? true : undefined))
  for (const path of ['/metrics', '/', '/readyz', '/status.json']) {
    const { status, text } = await space().asked(scene.name, path)
    expect(status, path).toBe(200)
    expect(text, path).not.toContain(canary)
  }
  expect(statusOf(await space().get('pod', scene.name))).toMatchObject({ restartCount: 0, ready: true })
  await space().run('delete', 'pod', scene.name, '--wait=true')
  await Promise.all([log.ended, said.ended])
  const written = writtenIn(log.text)
  // And not a document more.
  expect(await expectStored(server(), scene, written)).toBe(written)
  const paths = new Set<unknown>()
  for await (const { _source } of server().hits(`logs-${scene.name}-default`)) {
    paths.add(((_source as { log?: { file?: { path?: string } } }).log?.file?.path ?? '').replace(/\.\d+$/, ''))
  }
  expect([...paths]).toEqual([`${logDirectory}/orders.log`])
  expect(said.text).not.toContain(canary)
  expect(new Set(outside())).toEqual(new Set(all))
  expect(outside()).toHaveLength(all.length)
})
