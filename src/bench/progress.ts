import { SingleBar } from 'cli-progress'
import { codeOf } from '../base/errors.ts'
import type { Clock } from '../base/clock.ts'
import { plain } from './report/text.ts'

/** What a person sees while the bench runs. */
export interface Progress {
  /** @param steps that there will be; a rough number is enough, for the time left is told with each */
  begin(steps: number): void
  /** Something begins. @param secondsLeft of the whole bench, from now on */
  step(name: string, about: string, secondsLeft: number): void
  /** A line that stays. */
  say(text: string): void
  /** Ends it; nothing of the bar remains. More than once does no harm. */
  done(): void
}

/** What the line of progress is made of. */
export interface ProgressFacts {
  readonly step: number
  readonly steps: number
  readonly name: string
  readonly about: string
  /** Undefined: nobody knows yet. */
  readonly secondsLeft: number | undefined
}

const barLength = 16
const columnsWithoutTerminal = 80
const redrawsPerSecond = 4

/** Shorter than `columns`, so that it does not wrap. What is said last is what goes first where there is no room. */
export function progressLine(facts: ProgressFacts, columns: number): string {
  const { step, steps, name, about } = facts
  const share = steps <= 0 ? 0 : Math.min(1, Math.max(0, (step - 1) / steps))
  const filled = Math.round(share * barLength)
  const head = `${'━'.repeat(filled)}${'─'.repeat(barLength - filled)} ${step}/${Math.max(step, steps)}`
  const left = facts.secondsLeft === undefined ? '' : `  ${leftText(facts.secondsLeft)}`
  const line = `${head}${left}  ${plain(name)}${about === '' ? '' : `: ${plain(about)}`}`
  return line.slice(0, Math.max(0, columns - 1))
}

/** `about 2 min 5 s left`. */
export function leftText(seconds: number): string {
  const whole = Math.round(seconds)
  if (!(whole > 0)) return 'nearly done'
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60]
  return `about ${minutes === 0 ? '' : `${minutes} min `}${minutes > 9 ? '' : `${rest} s `}left`
}

/**
 * On a terminal a bar that stands at the bottom; else a line for each step, without any control character. It is for a person:
 * give it stderr, and the table stays alone on stdout. When nobody reads any more (EPIPE) the bench goes on.
 */
export function progressOn(stream: NodeJS.WriteStream, clock: Clock, env: NodeJS.ProcessEnv = process.env): Progress {
  const isTerminal = stream.isTTY && env['TERM'] !== 'dumb'
  stream.on('error', outlive)
  const end = () => stream.off('error', outlive)
  return isTerminal ? new LiveProgress(stream, clock, end) : new PlainProgress(stream, end)
}

function outlive(error: unknown): void {
  if (codeOf(error) !== 'EPIPE') throw error
}

class PlainProgress implements Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #end: () => void
  #steps = 0
  #step = 0

  constructor(stream: NodeJS.WriteStream, end: () => void) {
    this.#stream = stream
    this.#end = end
  }

  begin(steps: number): void {
    this.#steps = steps
    this.#step = 0
  }

  step(name: string, about: string, secondsLeft: number): void {
    this.#step += 1
    const place = `${this.#step}/${Math.max(this.#step, this.#steps)}`
    this.say(`${place}  ${name}${about === '' ? '' : `: ${about}`}  (${leftText(secondsLeft)})`)
  }

  say(text: string): void {
    this.#stream.write(`${plainLines(text)}\n`)
  }

  done(): void {
    this.#end()
  }
}

class LiveProgress implements Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #clock: Clock
  readonly #end: () => void
  #bar: SingleBar | undefined
  #facts: ProgressFacts = { step: 0, steps: 0, name: '', about: '', secondsLeft: undefined }
  #toldAtMs = 0

  constructor(stream: NodeJS.WriteStream, clock: Clock, end: () => void) {
    this.#stream = stream
    this.#clock = clock
    this.#end = end
  }

  begin(steps: number): void {
    this.#facts = { step: 0, steps, name: 'getting ready', about: '', secondsLeft: undefined }
    this.#show()
  }

  step(name: string, about: string, secondsLeft: number): void {
    const { step, steps } = this.#facts
    this.#facts = { step: step + 1, steps, name, about, secondsLeft }
    this.#toldAtMs = this.#clock.monotonicMs()
    this.#bar ??= this.#show()
  }

  say(text: string): void {
    const wasShown = this.#hide()
    this.#stream.write(`${plainLines(text)}\n`)
    if (wasShown) this.#show()
  }

  done(): void {
    this.#hide()
    this.#end()
  }

  #show(): SingleBar {
    this.#hide()
    this.#bar = new SingleBar({
      stream: this.#stream,
      format: () => this.#line(),
      fps: redrawsPerSecond,
      // The line is redrawn by its clock, for the time left goes by though nothing else does.
      forceRedraw: true,
      clearOnComplete: true,
      // Nothing to put back when a signal ends the process, and no listener that would keep it from ending.
      hideCursor: false,
      linewrap: true,
      gracefulExit: false,
    })
    this.#bar.start(1, 0)
    return this.#bar
  }

  #hide(): boolean {
    const wasShown = this.#bar !== undefined
    this.#bar?.stop()
    this.#bar = undefined
    return wasShown
  }

  #line(): string {
    const passed = (this.#clock.monotonicMs() - this.#toldAtMs) / 1000
    const told = this.#facts.secondsLeft
    const secondsLeft = told === undefined ? undefined : Math.max(0, told - passed)
    return progressLine({ ...this.#facts, secondsLeft }, this.#stream.columns ?? columnsWithoutTerminal)
  }
}

function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n')
}
