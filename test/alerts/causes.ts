import { diskError, type Call } from '../kit/agent-files.ts'
import { healthyPod, Pod } from './pod.ts'

const mib = 2 ** 20
const refusal = { status: 400, errorType: 'strict_dynamic_mapping_exception' }

/** What disk calls fail with, by the call and the beginning of the path; the test fills it. */
export function breakable() {
  const broken = new Map<string, string>()
  const before = (call: Call, path: string) => {
    for (const [key, code] of broken) {
      const [of, at = ''] = key.split(' ')
      if (call === of && path.startsWith(at)) throw diskError(code, path)
    }
  }
  return { broken, hooks: { before } }
}

/**
 * For each alert its cause, made with the real agent, and the alerts that fire then: this one, and those that the same cause
 * has as well. None of them fires while all is well.
 */
export const causes: Readonly<Record<string, () => Promise<Pod>>> = {
  async RemoraLinesLost() {
    const { broken, hooks } = breakable()
    const pod = await healthyPod({ hooks })
    broken.set('append /state/dead-letters', 'ENOSPC')
    pod.server.outcome = () => ({ item: () => refusal })
    pod.log()
    await pod.minutes(2)
    pod.seen.expect('RemoraLinesLost')
    return pod
  },

  async RemoraGap() {
    const pod = await healthyPod()
    pod.server.outcome = () => 'failed'
    pod.flood()
    await pod.minutes(1)
    pod.world.agent.crash()
    pod.world.files.remove('/logs/app.log')
    pod.server.outcome = () => 'ok'
    await pod.world.agent.start()
    await pod.minutes(2)
    pod.seen.expect('RemoraGap')
    return pod
  },

  async RemoraFilesDropped() {
    const pod = await healthyPod({ settings: { volumeLimitBytes: 400_000, volumePolicy: 'drop-oldest' } })
    pod.server.outcome = () => 'failed'
    let rotations = 0
    await pod.minutes(4, () => {
      pod.world.write('/logs/app.log', 5_000)
      pod.world.files.rename('/logs/app.log', `/logs/app.log.${++rotations}`)
      pod.world.write('/logs/app.log', 10)
    })
    pod.seen.expect('RemoraFilesDropped')
    return pod
  },

  async RemoraDeadLetters() {
    const pod = await healthyPod()
    pod.server.outcome = () => ({ item: () => refusal })
    pod.log()
    await pod.minutes(2)
    pod.seen.expect('RemoraDeadLetters')
    return pod
  },

  async RemoraDeadLettersNearlyFull() {
    const pod = await healthyPod({ settings: { deadLetterBytesMax: 64 * 1024 } })
    pod.server.outcome = () => ({ item: () => refusal })
    const { agent } = pod.world
    await pod.minutes(11, () => {
      if (agent.agent.figures().letterBytes < 0.85 * 64 * 1024) pod.world.write('/logs/app.log', 30)
    })
    pod.seen.expect('RemoraDeadLetters', 'RemoraDeadLettersNearlyFull')
    return pod
  },

  async RemoraDeadLettersWaiting() {
    const pod = await healthyPod()
    pod.server.outcome = () => ({ item: () => refusal })
    pod.log()
    await pod.minutes(1)
    pod.server.outcome = () => 'ok'
    await pod.minutes(355)
    pod.seen.expect()
    await pod.minutes(10)
    pod.seen.expect('RemoraDeadLettersWaiting')
    return pod
  },

  async RemoraFailureStore() {
    const pod = await healthyPod()
    pod.server.outcome = () => ({ item: () => ({ status: 200, errorType: '', failureStored: true }) })
    pod.log()
    await pod.minutes(2)
    pod.seen.expect('RemoraFailureStore')
    return pod
  },

  async RemoraDuplicatesPossible() {
    const pod = await healthyPod()
    pod.server.lookup = 'refused'
    const { server } = pod
    let halves = 2
    server.outcome = () => {
      if (halves-- <= 0) return 'ok'
      server.rollover()
      return 'half'
    }
    pod.world.write('/logs/app.log', 20)
    await pod.minutes(2)
    pod.seen.expect('RemoraDuplicatesPossible')
    return pod
  },

  async RemoraLinesCut() {
    const pod = await healthyPod()
    pod.world.files.append(pod.world.files.open('/logs/app.log'), `${'x'.repeat(10_000)}\n`)
    await pod.minutes(2)
    pod.seen.expect('RemoraLinesCut')
    return pod
  },

  async RemoraHolding() {
    const pod = await healthyPod()
    pod.server.outcome = () => ({ status: 401 })
    await pod.minutes(1, () => pod.log())
    pod.seen.expect()
    await pod.minutes(2, () => pod.log())
    pod.seen.expect('RemoraHolding')
    return pod
  },

  async RemoraUnreachable() {
    const pod = await healthyPod()
    pod.server.outcome = () => 'failed'
    await pod.minutes(4, () => pod.log())
    pod.seen.expect()
    await pod.minutes(2, () => pod.log())
    pod.seen.expect('RemoraUnreachable')
    pod.server.outcome = () => 'ok'
    await pod.minutes(2, () => pod.log())
    pod.seen.expect()
    return pod
  },

  async RemoraLag() {
    const pod = await healthyPod()
    pod.server.outcome = () => 'failed'
    pod.flood()
    await pod.minutes(9)
    pod.seen.expect('RemoraUnreachable')
    await pod.minutes(3)
    pod.seen.expect('RemoraBatchStuck', 'RemoraLag', 'RemoraReadingStopped', 'RemoraUnreachable')
    return pod
  },

  async RemoraBatchStuck() {
    const pod = await healthyPod()
    pod.server.outcome = (documents) => (documents.some(({ path }) => path === '/logs/poison.log') ? 'hang' : 'ok')
    pod.world.write('/logs/poison.log')
    await pod.minutes(11, () => pod.log())
    pod.seen.expect('RemoraBatchStuck')
    return pod
  },

  async RemoraReadingStopped() {
    const pod = await healthyPod()
    pod.server.outcome = () => 'hang'
    pod.flood()
    await pod.minutes(4)
    pod.seen.expect()
    await pod.minutes(7)
    pod.seen.expect('RemoraBatchStuck', 'RemoraLag', 'RemoraReadingStopped')
    return pod
  },

  async RemoraServerRefusing() {
    const pod = await healthyPod()
    pod.server.outcome = () => ({ status: 429 })
    pod.flood()
    await pod.minutes(12)
    pod.seen.expect('RemoraBatchStuck', 'RemoraLag', 'RemoraReadingStopped', 'RemoraServerRefusing')
    return pod
  },

  async RemoraServerSlow() {
    const pod = await healthyPod()
    pod.server.outcome = () => 'hang'
    pod.flood()
    await pod.minutes(17)
    pod.seen.expect('RemoraBatchStuck', 'RemoraLag', 'RemoraReadingStopped', 'RemoraServerSlow')
    return pod
  },

  async RemoraCpuThrottled() {
    const pod = await healthyPod()
    busy(pod, (ms) => ({
      idleMs: 0,
      cpuMs: ms / 10,
      throttle: { quotaCores: 0.1, periods: ms / 100, throttledPeriods: ms / 110, throttledMs: ms * 0.8 },
    }))
    pod.server.outcome = () => 'hang'
    pod.flood()
    await pod.minutes(17)
    pod.seen.expect('RemoraBatchStuck', 'RemoraCpuThrottled', 'RemoraLag', 'RemoraReadingStopped')
    return pod
  },

  async RemoraStalled() {
    const pod = await healthyPod()
    busy(pod, (ms) => ({ idleMs: 0, cpuMs: ms / 20, throttle: undefined }))
    pod.server.outcome = () => 'hang'
    pod.flood()
    await pod.minutes(17)
    pod.seen.expect('RemoraBatchStuck', 'RemoraLag', 'RemoraReadingStopped', 'RemoraStalled')
    return pod
  },

  async RemoraCannotKeepUp() {
    const pod = await healthyPod()
    busy(pod, (ms) => ({ idleMs: 0, cpuMs: ms, throttle: undefined }))
    // Each answer comes before anybody waits for it, and there is always more.
    pod.server.outcome = () => 'hang'
    pod.flood()
    await pod.minutes(32, () => pod.world.write('/logs/app.log', 1_000))
    pod.seen.expect('RemoraBatchStuck', 'RemoraCannotKeepUp', 'RemoraLag', 'RemoraReadingStopped')
    return pod
  },

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

  async RemoraRestarting() {
    const pod = await healthyPod()
    for (let time = 0; time < 3; time++) {
      pod.world.agent.crash()
      await pod.minutes(1)
      await pod.world.agent.start()
      await pod.minutes(2, () => pod.log())
    }
    pod.seen.expect('RemoraRestarting')
    return pod
  },
}

/** From now on the time of the process goes like this. */
function busy(pod: Pod, load: (forMs: number) => NonNullable<Pod['load']>): void {
  const fromMs = pod.nowMs
  Object.defineProperty(pod, 'load', { get: () => load(pod.nowMs - fromMs) })
}
