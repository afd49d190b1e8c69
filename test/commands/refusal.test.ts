import { expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { stayInPod } from '../../src/commands/refusal.ts'
import { VirtualClock } from '../kit/agent-clock.ts'

const inPod = { KUBERNETES_SERVICE_HOST: '10.96.0.1' }
const never = new Promise<never>(() => {})

/** Whether it is over, at a virtual time. */
function stay(env: Record<string, string>, signalled: Promise<unknown>) {
  const clock = new VirtualClock()
  let isOver = false
  void stayInPod(
    env,
    clock.view(() => true),
    signalled,
  ).then(() => (isOver = true))
  return async (afterMs: number) => {
    await clock.advanceTo(clock.nowMs + afterMs)
    return isOver
  }
}

test('in a Pod a process that cannot start stays until the kubelet must have seen it', async () => {
  const isOver = stay(inPod, never)
  expect(await isOver(limits.refusalStayMs - 1)).toBe(false)
  expect(await isOver(1)).toBe(true)
})

test('a signal ends it at once', async () => expect(await stay(inPod, Promise.resolve('SIGTERM'))(0)).toBe(true))

test.each([{}, { KUBERNETES_SERVICE_HOST: '' }])('anywhere else it ends at once: %j', async (env) => {
  expect(await stay(env, never)(0)).toBe(true)
})
