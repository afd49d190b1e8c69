import { breakable } from '../breakable.ts'
import { healthyPod, Pod, type Causes } from '../pod.ts'

const mib = 2 ** 20

/** Files, volume, memory, state, and the process itself. */
export const surroundings: Causes = {
  async RemoraFilesUnreadable() {
    const { broken, hooks } = breakable()
    const pod = await healthyPod({ hooks })
    broken.set('open /logs/secret.log', 'EACCES')
    pod.world.write('/logs/secret.log')
    await pod.minutes(4, () => pod.log())
    pod.seen.expect()
    await pod.minutes(3, () => pod.log())
    pod.seen.expect('RemoraFilesUnreadable')
    broken.clear()
    await pod.minutes(2, () => pod.log())
    pod.seen.expect()
    return pod
  },

  async RemoraDirectoriesUnreadable() {
    const { broken, hooks } = breakable()
    const pod = await healthyPod({ hooks })
    broken.set('list /logs/private', 'EACCES')
    pod.world.files.makeDirectory('/logs/private')
    await pod.minutes(7, () => pod.log())
    pod.seen.expect('RemoraDirectoriesUnreadable')
    return pod
  },

  async RemoraNoFiles() {
    const pod = new Pod()
    await pod.world.agent.start()
    await pod.minutes(29)
    pod.seen.expect()
    await pod.minutes(3)
    pod.seen.expect('RemoraNoFiles')
    return pod
  },

  async RemoraDirectoriesUnwatched() {
    const pod = await healthyPod()
    // A file system that others write to: what happens there makes no event here.
    pod.world.files.changed = () => {}
    await pod.minutes(70, () => pod.log())
    pod.seen.expect('RemoraDirectoriesUnwatched')
    return pod
  },

  async RemoraVolumeNearlyFull() {
    const pod = await healthyPod({ settings: { volumeLimitBytes: 200_000 } })
    pod.world.write('/logs/app.log', 18_000)
    await pod.minutes(3)
    pod.seen.expect('RemoraVolumeNearlyFull')
    return pod
  },

  async RemoraVolumeUnmeasured() {
    const { broken, hooks } = breakable()
    const pod = await healthyPod({ settings: { volumeLimitBytes: 10 * mib }, hooks })
    broken.set('spaceOf /logs', 'EIO')
    await pod.minutes(7, () => pod.log())
    pod.seen.expect('RemoraVolumeUnmeasured')
    return pod
  },

  async RemoraMemoryPressure() {
    const pod = await healthyPod()
    pod.memory.usedBytes = 60.4 * mib
    await pod.minutes(12, () => pod.log())
    pod.seen.expect('RemoraMemoryPressure')
    return pod
  },

  async RemoraMemoryNearLimit() {
    const pod = await healthyPod()
    pod.memory.usedBytes = 62 * mib
    await pod.minutes(6, () => pod.log())
    pod.seen.expect('RemoraMemoryNearLimit')
    return pod
  },

  async RemoraOutOfMemory() {
    const pod = await healthyPod()
    pod.memory.ooms = 1
    await pod.minutes(2, () => pod.log())
    pod.seen.expect('RemoraOutOfMemory')
    return pod
  },

  async RemoraMemoryStalled() {
    const pod = await healthyPod()
    const fromMs = pod.nowMs
    Object.defineProperty(pod.memory, 'stalledMs', { get: () => 0.15 * (pod.nowMs - fromMs) })
    await pod.minutes(12, () => pod.log())
    pod.seen.expect('RemoraMemoryStalled')
    return pod
  },

  async RemoraCheckpointFailing() {
    const { broken, hooks } = breakable()
    const pod = await healthyPod({ hooks })
    broken.set('replace /state/checkpoint.json', 'ENOSPC')
    await pod.minutes(7, () => pod.log())
    pod.seen.expect('RemoraCheckpointFailing')
    return pod
  },

  async RemoraStateDiskHangs() {
    const hanging = { yes: false }
    const step = () => (hanging.yes ? new Promise<void>(() => {}) : Promise.resolve())
    const pod = await healthyPod({ hooks: { step } })
    hanging.yes = true
    pod.flood('/logs/new.log')
    await pod.minutes(4)
    pod.seen.expect('RemoraStateDiskHangs')
    return pod
  },

  async RemoraDown() {
    const pod = await healthyPod()
    pod.world.agent.crash()
    await pod.minutes(4)
    pod.seen.expect()
    await pod.minutes(2)
    pod.seen.expect('RemoraDown')
    return pod
  },

  async RemoraRestarted() {
    const pod = await healthyPod()
    pod.world.agent.crash()
    await pod.minutes(1)
    await pod.world.agent.start()
    await pod.minutes(2, () => pod.log())
    pod.seen.expect('RemoraRestarted')
    await pod.minutes(15, () => pod.log())
    pod.seen.expect()
    return pod
  },

  async RemoraRestarting() {
    const pod = await healthyPod()
    for (let time = 0; time < 3; time++) {
      pod.world.agent.crash()
      await pod.minutes(1)
      await pod.world.agent.start()
      await pod.minutes(2, () => pod.log())
    }
    pod.seen.expect('RemoraRestarted', 'RemoraRestarting')
    return pod
  },
}
