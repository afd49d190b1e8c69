import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { leftText, progressLine, progressOn } from '../../src/bench/progress.ts'
import type { Clock } from '../../src/base/clock.ts'

class Stream extends EventEmitter {
  readonly isTTY: boolean
  columns = 60
  text = ''

  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }

  write(text: string): boolean {
    this.text += text
    return true
  }

  asWriteStream(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream
  }
}

let nowMs = 0
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, after: () => ({ cancel: () => {} }) }

describe('line', () => {
  const facts = { step: 3, steps: 4, name: 'latency', about: 'round 1', secondsLeft: 65 }

  test('says what runs and what is left', () =>
    expect(progressLine(facts, 200)).toBe('━━━━━━━━──────── 3/4  about 1 min 5 s left  latency: round 1'))

  test('is shorter than the terminal, and obeys no name', () => {
    for (let columns = 0; columns < 80; columns++) {
      expect(progressLine({ ...facts, name: '\u001b[2J\n' }, columns).length).toBeLessThanOrEqual(
        Math.max(0, columns - 1),
      )
    }
    expect(progressLine({ ...facts, name: '\u001b[2J\n' }, 200)).not.toMatch(/\p{Cc}/u)
  })

  test('more steps than were told are no error', () =>
    expect(progressLine({ ...facts, step: 9 }, 200)).toMatch(/^━{16} 9\/9/))

  test.each([
    [0.2, 'nearly done'],
    [NaN, 'nearly done'],
    [5, 'about 5 s left'],
    [65, 'about 1 min 5 s left'],
    [700, 'about 11 min left'],
  ])('%d s', (seconds, text) => expect(leftText(seconds)).toBe(text))
})

test('where there is no terminal, plain lines and no control character', () => {
  const stream = new Stream(false)
  const progress = progressOn(stream.asWriteStream(), clock, {})
  progress.begin(2)
  progress.step('saturation', 'a\u001b[1mb', 90)
  progress.say('one\ntwo')
  progress.step('latency', '', 0)
  progress.done()
  expect(stream.text).toBe('1/2  saturation: a�[1mb  (about 1 min 30 s left)\none\ntwo\n2/2  latency  (nearly done)\n')
})

test('a dumb terminal is none', () => {
  const stream = new Stream(true)
  const progress = progressOn(stream.asWriteStream(), clock, { TERM: 'dumb' })
  progress.begin(1)
  progress.step('saturation', '', 1)
  progress.done()
  expect(stream.text).not.toContain('\u001b')
})

test('when nobody reads any more the bench goes on; what else is wrong with the stream is said', () => {
  const stream = new Stream(false)
  const progress = progressOn(stream.asWriteStream(), clock, {})
  expect(() => stream.emit('error', Object.assign(new Error('gone'), { code: 'EPIPE' }))).not.toThrow()
  expect(() => stream.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' }))).toThrow('full')
  progress.done()
})

function pass(ms: number): void {
  nowMs += ms
  vi.advanceTimersByTime(ms)
}

describe('on a terminal', () => {
  beforeEach(() => {
    nowMs = 0
    vi.useFakeTimers()
  })
  afterEach(() => vi.useRealTimers())

  test('the time left goes by; what is said stays; nothing remains of the bar, nor a listener or a timer', () => {
    const stream = new Stream(true)
    const listeners = process.listenerCount('SIGINT')
    const progress = progressOn(stream.asWriteStream(), clock, { TERM: 'xterm' })
    progress.begin(3)
    progress.step('saturation', '', 30)
    pass(1000)
    expect(stream.text).toContain('1/3  about 29 s left  saturation')
    pass(5000)
    expect(stream.text).toContain('about 24 s left')
    stream.text = ''
    progress.say('a line')
    expect(stream.text).toContain('a line\n')
    expect(process.listenerCount('SIGINT')).toBe(listeners)
    stream.text = ''
    progress.done()
    progress.done()
    expect(stream.text.endsWith('\u001b[2K')).toBe(true)
    stream.text = ''
    pass(5000)
    expect([stream.text, vi.getTimerCount()]).toEqual(['', 0])
  })
})
