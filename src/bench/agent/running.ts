import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep, systemClock } from '../../base/clock.ts'
import { cleanEnv, endOf, onExit } from '../machine/process.ts'
import type { Command } from '../program.ts'
import type { Place } from './place.ts'
import type { Use } from './use.ts'

/** At a twentieth of a processor starting takes ten seconds. */
const startMsMax = 60_000
const askMsMax = 10_000
const askEveryMs = 50
const lastWordsCharacters = 1_500

/** An agent under measurement: started, killed and started again, stopped when everything is shipped. */
export class RunningAgent {
  readonly #command: Command
  readonly #place: Place
  readonly #adminPort: number
  readonly #outputPath: string
  #child: ChildProcess
  #release: () => void = () => undefined
  #isMeantToEnd = false
  /** How it ended when nobody had asked it to; empty while it lives. */
  endedByItself = ''

  /** @param directory  for what it says */
  constructor(command: Command, place: Place, directory: string, adminPort: number) {
    this.#command = command
    this.#place = place
    this.#adminPort = adminPort
    this.#outputPath = join(directory, 'agent.out')
    this.#child = this.#start()
  }

  #start(): ChildProcess {
    const output = openSync(this.#outputPath, 'a', 0o600)
    const { command, args, env } = this.#command
    // A session of its own: Ctrl-C reaches the bench alone, which then stops it.
    const options = { stdio: ['ignore', output, output], env: cleanEnv(env), detached: true } as const
    const child = this.#place.spawn(command, args, { ...options, stdio: [...options.stdio] })
    closeSync(output)
    const kill = onExit(() => this.#place.signal(child, 'SIGKILL'))
    const release = this.#place.guard(child)
    this.#release = () => {
      release()
      kill()
    }
    // However it ends: the guard of one that is gone would kill whoever has its number then.
    child.once('close', this.#release)
    this.#isMeantToEnd = false
    const ended = (how: string) => {
      if (!this.#isMeantToEnd && this.endedByItself === '') this.endedByItself = `${how}${this.lastWords()}`
    }
    child.once('error', (error) => ended(String(error)))
    child.once('close', (code, signal) => ended(signal === null ? `code ${code}` : `signal ${signal}`))
    return child
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.endedByItself === ''
  }

  use(): Use {
    return this.#place.use()
  }

  /** Waits until it answers probes. @throws Error when it has ended, or says nothing for too long */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#place.settled()
    // One without probes is given the time in which others answer.
    if (this.#adminPort === 0) await sleep(systemClock, 1_000, signal)
    const untilMs = systemClock.monotonicMs() + startMsMax
    while (!signal.aborted) {
      if (!this.isAlive) throw new Error(`it did not start: ${this.endedByItself}`)
      if (this.#adminPort === 0 || (await this.#answers())) return
      if (systemClock.monotonicMs() > untilMs) {
        throw new Error(`it did not answer within ${startMsMax / 1_000} s${this.lastWords()}`)
      }
      await sleep(systemClock, askEveryMs, signal)
    }
  }

  async #answers(): Promise<boolean> {
    try {
      const url = `http://127.0.0.1:${this.#adminPort}/livez`
      const { ok } = await fetch(url, { signal: AbortSignal.timeout(askMsMax) })
      return ok
    } catch {
      return false
    }
  }

  /** SIGKILL, as the kernel or a node's end would, and a start from what it had saved. */
  async killAndRestart(): Promise<void> {
    if (!this.isAlive) return
    this.use()
    await this.kill()
    this.#child = this.#start()
    await this.#place.settled()
  }

  /** Asks it to ship what is left and to end. @returns `code 0`, or how else it ended */
  async stop(msMax: number): Promise<string> {
    if (!this.isAlive) return 'code 0'
    this.#isMeantToEnd = true
    this.#place.signal(this.#child, this.#command.stopSignal)
    const how = await endOf(this.#child, msMax)
    this.#release()
    return how === 'code 0' ? how : `${how}${this.lastWords()}`
  }

  async kill(): Promise<void> {
    this.#isMeantToEnd = true
    this.#place.signal(this.#child, 'SIGKILL')
    await endOf(this.#child, askMsMax)
    this.#release()
  }

  lastWords(): string {
    try {
      const text = readFileSync(this.#outputPath, 'utf8').trim().slice(-lastWordsCharacters)
      return text === '' ? '' : `\n  its last words: ${text}`
    } catch {
      return ''
    }
  }
}
