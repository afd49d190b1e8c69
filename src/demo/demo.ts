import { randomInt } from 'node:crypto'
import { type Clock, systemClock } from '../base/clock.ts'
import { RemoraError } from '../base/errors.ts'
import type { Env } from '../config/load.ts'
import { accountOf } from './account.ts'
import { AgentProcess } from './agent-process.ts'
import type { ApplicationAccount } from './application.ts'
import { ApplicationProcess } from './application-process.ts'
import type { Arrivals } from './arrivals.ts'
import type { BulkServerOptions } from './bulk-server.ts'
import { type Prepared, prepare } from './prepare.ts'
import * as report from './report.ts'
import type { Screen } from './screen.ts'
import { Watcher } from './watcher.ts'
import { Workspace } from './workspace.ts'

export interface DemoOptions {
  readonly env: Env
  readonly screen: Screen
  /** How long the application writes. */
  readonly seconds: number
  /** Lines a second. */
  readonly rate: number
  readonly rotateSeconds: number
  /** Aborts: the application stops early, and the account follows. */
  readonly early: AbortSignal
  /** Aborts: everything stops at once, without an account. */
  readonly now: AbortSignal
  /** Makes the embedded server do wrong: for tests. */
  readonly faults?: BulkServerOptions['faults']
}

/** When a stage ends at the latest, in milliseconds after the start; the first two: after the application's time. */
const latest = { writtenMs: 5_000, applicationEndedMs: 8_000, startedMs: 15_000, drainedMs: 46_000, countedMs: 52_000 }
const stoppedAtOnce = 130

/**
 * Runs application, agent and server, shows their progress, and compares what was written with what arrived.
 *
 * @returns the exit code: 0 when everything agrees, 1 when it does not, 2 for bad settings, 130 when told to stop at once
 * @throws RemoraError when something that the demo needs is not there
 */
export async function runDemo(options: DemoOptions, clock: Clock = systemClock): Promise<number> {
  const { env, screen, faults } = options
  const workspace = new Workspace()
  const tidy = () => workspace.tidy()
  // Also when this process is ended in the middle: its children have gone by then (`Child`).
  process.once('exit', tidy)
  let prepared: Prepared | string | undefined
  try {
    prepared = await prepare(env, workspace, faults, clock)
    if (typeof prepared === 'string') {
      screen.say(prepared.trimEnd())
      return 2
    }
    report.sayOpening(screen, options, prepared)
    return await new Demo(options, clock, workspace, prepared).run()
  } finally {
    screen.live('')
    if (typeof prepared === 'object') await prepared.destination.close()
    process.off('exit', tidy)
    tidy()
  }
}

/** One run, from the start of its processes to their end. */
class Demo {
  readonly #o: DemoOptions
  readonly #clock: Clock
  readonly #workspace: Workspace
  readonly #prepared: Prepared
  readonly #startMs: number
  readonly #application: ApplicationProcess
  readonly #agent: AgentProcess
  readonly #watcher: Watcher
  /** What went wrong, besides what the account shows. */
  readonly #troubles: string[] = []

  constructor(options: DemoOptions, clock: Clock, workspace: Workspace, prepared: Prepared) {
    const { screen, seconds, rate, rotateSeconds, now } = options
    const { environment, port } = prepared
    this.#o = options
    this.#clock = clock
    this.#workspace = workspace
    this.#prepared = prepared
    const startMs = clock.monotonicMs()
    this.#startMs = startMs
    const seed = randomInt(2 ** 31)
    const directory = workspace.logs
    this.#application = new ApplicationProcess({ directory, seconds, rate, seed, rotateSeconds }, environment)
    this.#agent = new AgentProcess(port, workspace.agentLog, environment)
    this.#watcher = new Watcher({ screen, agent: this.#agent, clock, startMs, writeMs: seconds * 1000, now })
  }

  async run(): Promise<number> {
    const { now } = this.#o
    try {
      const written = await this.#write()
      await this.#drain()
      const arrivals = await this.#count()
      if (!now.aborted) return this.#conclude(written, arrivals)
    } catch (error) {
      if (!now.aborted) {
        // The agent may know why.
        if (this.#agent.complaints().length > 0) this.#sayComplaints()
        throw error
      }
    } finally {
      await Promise.all([this.#application.child.kill(), this.#agent.child.kill()])
    }
    this.#o.screen.say('Stopped at once, without an account.')
    return stoppedAtOnce
  }

  /** Until the application has written for its time, or one of the two ends, or somebody wants an early end. */
  async #write(): Promise<ApplicationAccount> {
    const { child, account } = this.#application
    const { early, seconds } = this.#o
    const over = Promise.race([child.ended, this.#agent.child.ended, aborted(early)])
    await this.#watcher.wait(undefined, over, seconds * 1000 + latest.writtenMs)
    if (!this.#agent.child.running) {
      const { how } = await this.#agent.child.ended
      if (this.#agent.figures === undefined)
        throw new RemoraError('AGENT_FAILED', `the agent could not start (${how})`, 'What it said is above.')
      this.#troubles.push(`the agent ended by itself, with ${how}`)
    }
    await this.#application.started(this.#clock)
    child.stop()
    const written = await this.#watcher.wait(undefined, account, seconds * 1000 + latest.applicationEndedMs)
    if (written !== undefined) return written
    await child.kill()
    // It rejects: without an account there is nothing to compare.
    return account
  }

  async #drain(): Promise<void> {
    const { child, answered } = this.#agent
    // Before its first answer it may not know yet what a signal means.
    const answers = Promise.race([answered, child.ended])
    if (child.running && this.#agent.figures === undefined)
      await this.#watcher.wait('starting', answers, latest.startedMs)
    if (!child.running) return
    child.stop()
    const ended = await this.#watcher.wait('draining', child.ended, latest.drainedMs)
    if (ended === undefined) {
      await child.kill()
      this.#troubles.push('the agent was killed, because it had not ended in time')
    } else if (!ended.ok) this.#troubles.push(`the agent ended with ${ended.how}`)
  }

  async #count(): Promise<Arrivals | undefined> {
    const { now } = this.#o
    const late = new AbortController()
    const leftMs = this.#startMs + latest.countedMs - this.#clock.monotonicMs()
    const timer = this.#clock.after(Math.max(0, leftMs), () => late.abort())
    const expected = this.#agent.account()?.acknowledgedLines ?? 0
    try {
      const counting = this.#prepared.destination.arrivals(expected, AbortSignal.any([late.signal, now]))
      return await this.#watcher.wait('counting', counting, Infinity)
    } catch (error) {
      if (error instanceof RemoraError) this.#troubles.push(`${error.message}. ${error.wayOut}`)
      else if (late.signal.aborted) this.#troubles.push('the documents could not be counted in time')
      else throw error
      return undefined
    } finally {
      timer.cancel()
    }
  }

  #conclude(written: ApplicationAccount, arrivals: Arrivals | undefined): number {
    const { screen } = this.#o
    const { destination } = this.#prepared
    const agent = this.#agent.account()
    const account = arrivals && accountOf(written, agent, arrivals)
    const extremes = this.#watcher.finish()
    const wrong = [...this.#troubles, ...(account?.differences ?? [])]
    if (account === undefined) report.sayUncounted(screen, written, agent)
    else report.sayAccount(screen, account, extremes)
    report.sayVerdict(screen, wrong)
    if (wrong.length > 0) this.#sayComplaints()
    this.#workspace.keep(...destination.files)
    report.sayNext(screen, destination)
    return wrong.length === 0 ? 0 : 1
  }

  #sayComplaints(): void {
    this.#workspace.keep(this.#workspace.agentLog)
    report.sayComplaints(this.#o.screen, this.#agent.complaints(), this.#workspace.agentLog)
  }
}

function aborted(signal: AbortSignal): Promise<object> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve({})
    else signal.addEventListener('abort', () => resolve({}), { once: true })
  })
}
