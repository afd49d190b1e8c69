import { healthyPod, type Causes, type Pod } from '../pod.ts'

/** Lines wait. */
export const delivery: Causes = {
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
}

/** From now on the time of the process goes like this. */
function busy(pod: Pod, load: (forMs: number) => NonNullable<Pod['load']>): void {
  const fromMs = pod.nowMs
  Object.defineProperty(pod, 'load', { get: () => load(pod.nowMs - fromMs) })
}
