/** The sidecar killed, again and again, while the application writes and rotates: nothing is lost, nothing is there twice. */
import { expect, test } from 'vitest'
import type { Manifest } from '../kit/kubernetes/manifest.ts'
import { expectStored, podIn, writtenIn, type Scene } from './kit/scene.ts'
import { statusOf, until } from './kit/space.ts'
import { sceneName, stage } from './kit/stage.ts'
import { where } from './kit/where.ts'

const { space, server, gateway } = stage()
const killsMsMax = where.kills * 320_000

/** Kills every process of Remora; from the application's container, which is not limited as Remora's is. */
const killRemora = `
  const fs = require('node:fs')
  let killed = 0
  for (const pid of fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && name != process.pid)) {
    try {
      if (!/\\/remora\\b/.test(fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\\0-e')[0])) continue
      process.kill(Number(pid), 'SIGKILL')
      killed++
    } catch {}
  }
  console.log('killed ' + killed)
`

/** Takes up the container's memory without being its largest process: the kernel's choice is Remora. */
const takeMemory = `
  const fs = require('node:fs')
  const file = fs.openSync('/dev/shm/taken', 'w')
  try {
    for (;;) fs.writeSync(file, Buffer.alloc(65536, 1))
  } catch (error) {
    console.log(error.code)
  }
`

async function restarted(name: string, times: number): Promise<Manifest> {
  return space().untilPod(
    name,
    `remora runs, restarted ${times} times`,
    (pod) => statusOf(pod).restartCount >= times && statusOf(pod).state.running !== undefined,
    killsMsMax,
  )
}

test(
  `SIGKILL ${where.kills} times, and the kernel's OOM killer once, during rotation`,
  { timeout: killsMsMax + 300_000 },
  async () => {
    const scene: Scene = {
      name: sceneName('kill'),
      url: gateway().url,
      // A rotation every second or so.
      writing: { bytesPerSecond: 100_000, rotateLines: 500 },
    }
    await space().apply(
      podIn(scene, (spec) => {
        // What kills must see the process, and have its user.
        spec.shareProcessNamespace = true
        for (const { securityContext } of spec.containers)
          securityContext.runAsUser = securityContext.runAsGroup = 65532
      }),
    )
    await space().ready(scene.name)
    const log = space().follow(scene.name, 'application')
    for (let kill = 1; kill <= where.kills; kill++) {
      const before = writtenIn(log.text)
      await until('lines', async () => (writtenIn(log.text) > before + 400 ? true : undefined))
      const { stdout, stderr } = await space().exec(scene.name, 'application', killRemora)
      expect(stdout, stderr).toMatch(/killed [1-9]/)
      expect(statusOf(await restarted(scene.name, kill)).lastState.terminated).toMatchObject({ exitCode: 137 })
    }

    await space().exec(scene.name, 'remora', takeMemory)
    const oom = statusOf(await restarted(scene.name, where.kills + 1))
    expect(oom.lastState.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' })
    await space().exec(scene.name, 'application', "require('node:fs').rmSync('/dev/shm/taken')")

    await space().ready(scene.name)
    const pod = await space().get('pod', scene.name)
    expect(statusOf(pod, 'application').restartCount).toBe(0)
    expect(statusOf(pod).restartCount).toBe(where.kills + 1)
    await space().run('delete', 'pod', scene.name, '--wait=true')
    await log.ended
    const written = writtenIn(log.text)
    expect(await expectStored(server(), scene, written)).toBe(written)
  },
)
