import { breakable } from '../breakable.ts'
import { healthyPod, type Causes } from '../pod.ts'

const refusal = { status: 400, errorType: 'strict_dynamic_mapping_exception' }

/** Lines are gone, or cannot be had as they were. */
export const losses: Causes = {
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
    pod.seen.expect('RemoraGap', 'RemoraRestarted')
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
}
