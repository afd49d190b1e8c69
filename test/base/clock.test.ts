import { describe, expect, test } from 'vitest'
import { sleep, systemClock } from '../../src/base/clock.ts'
import { VirtualClock } from '../kit/agent-clock.ts'

const clockOf = () => {
  const virtual = new VirtualClock()
  return { virtual, clock: virtual.view(() => true) }
}

describe('sleeping', () => {
  test('takes its time', async () => {
    const { virtual, clock } = clockOf()
    let awake = false
    const sleeping = sleep(clock, 100).then(() => (awake = true))
    await virtual.advanceTo(virtual.nowMs + 99)
    expect(awake).toBe(false)
    await virtual.advanceTo(virtual.nowMs + 1)
    expect(awake).toBe(true)
    await sleeping
  })

  test('ends with a signal, without an error and without a timer left over', async () => {
    const { virtual, clock } = clockOf()
    const stop = new AbortController()
    const sleeping = sleep(clock, 1e9, stop.signal)
    stop.abort()
    await expect(sleeping).resolves.toBeUndefined()
    expect(virtual.nextMs).toBe(Infinity)
  })

  test('does not begin after the signal', async () => {
    const { virtual, clock } = clockOf()
    await expect(sleep(clock, 1e9, AbortSignal.abort())).resolves.toBeUndefined()
    expect(virtual.nextMs).toBe(Infinity)
  })

  test('leaves nothing at the signal when it has ended by itself', async () => {
    const { virtual, clock } = clockOf()
    const { signal } = new AbortController()
    let listeners = 0
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)]
    signal.addEventListener = (...all: Parameters<typeof add>) => (listeners++, add(...all))
    signal.removeEventListener = (...all: Parameters<typeof remove>) => (listeners--, remove(...all))
    const sleeping = sleep(clock, 10, signal)
    expect(listeners).toBe(1)
    await virtual.advanceTo(virtual.nowMs + 10)
    await sleeping
    expect(listeners).toBe(0)
  })
})

test('the machine tells the time', async () => {
  const before = systemClock.monotonicMs()
  await sleep(systemClock, 1)
  expect(systemClock.monotonicMs()).toBeGreaterThan(before)
  expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(60_000)
  systemClock.after(60_000, () => expect.unreachable()).cancel()
})
