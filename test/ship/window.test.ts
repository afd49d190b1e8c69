import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Window, type Refused } from '../../src/ship/window.ts'
import { runs } from '../base/runs.ts'

const mib = 2 ** 20
const sizes = { batchBytes: 4 * mib, concurrencyMax: 8 }

const whole = (bytes: number, startedMs: number, busy = true): Refused => ({ bytes, leftBytes: bytes, startedMs, busy })

/** A window, and requests of its own size one after the other, each taking a while. */
class Sender {
  readonly window: Window
  nowMs = 0
  taken = 0
  refused = 0

  constructor(options = sizes) {
    this.window = new Window(options)
  }

  take(times = 1, tookMs = 10): this {
    for (let time = 0; time < times; time++) {
      this.nowMs += tookMs
      this.window.taken(this.window.requestBytesMax, tookMs, this.nowMs, true)
      this.taken++
    }
    return this
  }

  /** Requests have to wait there. */
  queue(times = 8): this {
    return this.take(times, 29)
  }

  refuse(times = 1, busy = true): this {
    for (let time = 0; time < times; time++) {
      const startedMs = this.nowMs
      this.nowMs += 10
      this.window.refused(whole(this.window.requestBytesMax, startedMs, busy), this.nowMs)
      this.refused++
    }
    return this
  }

  get inFlightMax(): number {
    return this.window.concurrency * this.window.requestBytesMax
  }
}

const events = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('taken' as const), bytes: fc.integer({ min: 1, max: 4 * mib }), ms: fc.nat(60_000) }),
    fc.record({
      kind: fc.constant('refused' as const),
      ms: fc.nat(1000),
      bytes: fc.integer({ min: 1, max: 4 * mib }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    fc.record({ kind: fc.constant('away' as const), ms: fc.nat(1000) }),
    fc.record({ kind: fc.constant('too large' as const), bytes: fc.integer({ min: 1, max: 4 * mib }), ms: fc.nat(9) }),
  ),
  { maxLength: 200 },
)

test('whatever happens, it lets through at least one request and never more than the plan', () => {
  fc.assert(
    fc.property(events, fc.boolean(), (given, wanted) => {
      const window = new Window(sizes)
      let nowMs = 0
      for (const event of given) {
        const startedMs = nowMs
        nowMs += event.ms
        if (event.kind === 'taken') window.taken(event.bytes, event.ms, nowMs, wanted)
        if (event.kind === 'refused') {
          const leftBytes = Math.ceil(event.bytes * event.share)
          window.refused({ bytes: event.bytes, leftBytes, startedMs, busy: wanted }, nowMs)
        }
        if (event.kind === 'away') window.away(nowMs)
        if (event.kind === 'too large') window.tooLarge(event.bytes, nowMs)
        expect(window.concurrency).toBeGreaterThanOrEqual(1)
        expect(window.concurrency).toBeLessThanOrEqual(sizes.concurrencyMax)
        expect(window.requestBytesMax).toBeGreaterThanOrEqual(1)
        expect(window.requestBytesMax).toBeLessThanOrEqual(sizes.batchBytes)
        expect(window.gapMs).toBeLessThanOrEqual(1_000)
      }
      // And a server that takes all gets to all of it again.
      for (let time = 0; time < 5_000; time++) {
        nowMs += 1_000
        window.taken(window.requestBytesMax, 10, nowMs, true)
      }
      expect([window.concurrency, window.requestBytesMax, window.gapMs]).toEqual([8, 4 * mib, 0])
    }),
    runs(200),
  )
})

describe('a window', () => {
  test('begins small, and is full after some answers', () => {
    const sender = new Sender()
    expect(sender.inFlightMax).toBe(64 * 1024)
    expect(sender.take(20).inFlightMax).toBe(32 * mib)
  })

  test('is no larger for requests that do not need it', () => {
    const { window } = new Sender()
    for (let time = 0; time < 1000; time++) window.taken(1000, 5, time * 1000, false)
    expect(window.requestBytesMax).toBe(64 * 1024)
  })

  test('is halved by a refusal, once for all that were on their way together', () => {
    const sender = new Sender().take(20).queue()
    for (let together = 0; together < 8; together++)
      sender.window.refused(whole(4 * mib, sender.nowMs - 5), sender.nowMs)
    expect(sender.inFlightMax).toBe(16 * mib)
    expect(sender.refuse().inFlightMax).toBe(8 * mib)
  })

  test('shrinks the requests themselves when one at a time is too much, and then parts them in time', () => {
    const sender = new Sender().take(20).queue().refuse(4)
    expect([sender.window.concurrency, sender.window.requestBytesMax]).toEqual([1, 2 * mib])
    sender.refuse(7)
    expect(sender.window.requestBytesMax).toBe(32 * 1024)
    for (let time = 0; time < 5; time++) sender.queue(1).refuse()
    expect(sender.window.gapMs).toBeGreaterThan(100)
    expect(sender.take(100).window.gapMs).toBe(0)
  })

  test.each([0.3, 1, 3, 10, 29])(
    'against a server that takes %s MiB at once: less than 5 in 100 are refused, and most of it is used',
    (takes) => {
      const sender = new Sender()
      let sent = 0
      for (let time = 0; time < 3_000; time++) {
        if (sender.inFlightMax > takes * mib) sender.refuse()
        else sender.take()
        if (time === 100) sender.refused = sender.taken = 0
        if (time > 100) sent += sender.inFlightMax / (takes * mib) / 2_899
      }
      expect(sender.refused / (sender.refused + sender.taken)).toBeLessThan(0.05)
      expect(sent).toBeGreaterThan(0.75)
    },
  )

  test('is halved by each refusal, after three in a row, where the server was quick before and takes nothing now', () => {
    const sender = new Sender().take(20).refuse(3)
    const { inFlightMax } = sender
    expect(sender.refuse(5).inFlightMax).toBeLessThanOrEqual(inFlightMax / 2 ** 4)
  })

  test('one that was on its way with a stray is one too; with an outage behind that it is not', () => {
    const sender = new Sender().take(20).refuse(1)
    const [startedMs, bytes] = [sender.nowMs, sender.window.requestBytesMax]
    const again = () => sender.window.refused(whole(bytes, startedMs), sender.nowMs)
    sender.nowMs += 10
    expect([again(), again()], 'of less than it took').toEqual([false, false])
    sender.window.away(sender.nowMs)
    expect(again()).toBe(true)
  })

  test('finds more room soon after the server has more', () => {
    const sender = new Sender().take(20).queue().refuse(6).take(40)
    expect(sender.inFlightMax).toBeLessThan(2 * mib)
    expect(sender.take(250).inFlightMax).toBe(32 * mib)
  })

  test('after an outage it begins small again, and is soon where it was', () => {
    const sender = new Sender().take(20)
    sender.window.away(sender.nowMs)
    expect(sender.inFlightMax).toBe(64 * 1024)
    expect(sender.take(20).inFlightMax).toBe(32 * mib)
    // No answer tells of an outage, not of what the server can take.
    expect(sender.refuse(20, false).inFlightMax).toBe(32 * 1024)
    expect(sender.take(200).inFlightMax).toBe(32 * mib)
  })

  test('a latency that rises with what is on its way makes it smaller; a server that is slow anyway does not', () => {
    const rising = new Sender().take(20)
    for (let time = 0; time < 300; time++) rising.take(1, 50 * rising.window.concurrency)
    expect(rising.window.concurrency).toBeLessThan(6)
    const slow = new Sender().take(20)
    for (let time = 0; time < 2_000; time++) slow.take(1, 400)
    expect(slow.window.concurrency).toBe(8)
  })

  test('that a request is too large is not believed at once of a server that has taken larger ones', () => {
    const sender = new Sender().take(20)
    for (let time = 0; time < 3; time++) expect(sender.window.tooLarge(2 * mib, sender.nowMs)).toBe(false)
    expect(sender.window.requestBytesMax).toBe(4 * mib)
    sender.take()
    for (let time = 0; time < 3; time++) expect(sender.window.tooLarge(2 * mib, sender.nowMs)).toBe(false)
    // Somebody has made its limit smaller.
    expect(sender.window.tooLarge(2 * mib, sender.nowMs)).toBe(true)
    expect(sender.window.requestBytesMax).toBe(mib)
  })

  test('what is too large is not sent again, until after ten minutes', () => {
    const sender = new Sender()
    expect(sender.window.tooLarge(4 * mib, sender.nowMs)).toBe(true)
    expect(sender.window.tooLarge(2 * mib, sender.nowMs)).toBe(true)
    expect(sender.take(100).window.requestBytesMax).toBe(mib)
    expect(sender.window.concurrency).toBe(8)
    sender.nowMs += 600_000
    expect(sender.take(200).window.requestBytesMax).toBe(4 * mib)
  })
})
