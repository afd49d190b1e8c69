import { messageOf } from '../../src/base/errors.ts'
import type { SavedGeneration } from '../../src/base/state.ts'
import type { Item } from '../../src/ship/answer.ts'
import { AgentHarness } from '../kit/agent.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { memoryDisk } from '../kit/agent-disk.ts'
import { diskError, MemoryFiles, type Call } from '../kit/agent-files.ts'
import { generationOf, MemoryServer, type Outcome, type Stored } from '../kit/agent-server.ts'
import { Application } from './application.ts'
import { judge } from './judge.ts'
import { Random } from './random.ts'
import type { Action, DiskMode, Schedule, ServerMode } from './schedule.ts'

const lineBytesMax = 1_500
const graceMs = 25_000

const failing: Record<DiskMode, Partial<Record<Call, string>>> = {
  ok: {},
  opens: { open: 'EMFILE', list: 'EMFILE' },
  reads: { read: 'EIO', sizeOf: 'EIO', factsOf: 'EIO', look: 'EACCES' },
  full: { replace: 'ENOSPC', append: 'ENOSPC' },
}

/** Runs a schedule. @returns what was promised and not kept; empty when all was */
export async function runSchedule(
  schedule: Schedule,
  logLevel = 'warn',
): Promise<{ broken: readonly string[]; world: World }> {
  const world = new World(schedule, logLevel)
  await world.play(schedule.actions)
  return { broken: world.broken, world }
}

export class World {
  readonly broken: string[] = []
  readonly harness: AgentHarness
  readonly application: Application
  readonly #files: MemoryFiles
  readonly #random: Random
  readonly #clock = new VirtualClock()
  readonly #server = new MemoryServer()
  /** What is to happen just before a later call of the disk. */
  #interrupts: { calls: number; run: () => void }[] = []
  #mode: ServerMode = 'ok'
  #diskMode: DiskMode = 'ok'
  #alive = () => false
  /** Frontiers that this process has written. */
  #frontiers = new Map<string, number>()
  #hadFaults = false
  /** It stops, and the time for that is up. */
  #cut = false

  constructor({ conditions }: Schedule, logLevel: string) {
    this.#random = new Random(-1 - conditions.seed)
    this.#files = new MemoryFiles(() => this.#clock.wallMs)
    this.application = new Application(this.#files, conditions.banner)
    this.#server.travel = () => this.#pause(conditions.travelMs)
    this.#server.patience = () => new Promise((resolve) => this.#clock.after(10_000, resolve))
    this.#server.outcome = () => this.#outcome()
    this.harness = new AgentHarness({
      clock: this.#clock,
      server: this.#server,
      disk: (alive) => this.#disk(alive),
      settings: { paths: ['/logs/**/*.log'], stateDir: '/state', lineBytesMax },
      slots: Math.max(conditions.slots, conditions.concurrency),
      concurrency: conditions.concurrency,
      batchBytes: conditions.batchBytes,
      random: () => this.#random.next(),
      logLevel,
    })
    this.#files.changed = (directory) => {
      if (conditions.hints === 'all' || (conditions.hints === 'some' && this.#random.chance(0.5))) {
        this.harness.hint(directory)
      }
    }
  }

  async play(actions: readonly Action[]): Promise<void> {
    await this.#start()
    for (const action of actions) {
      await this.#perform(action)
      if (this.#isBroken()) return
    }
    await this.#atLast()
  }

  async #atLast(): Promise<void> {
    this.#interrupts = []
    this.#mode = 'ok'
    this.#diskMode = 'ok'
    this.#server.travel = () => this.#pause(1)
    this.application.atLast()
    await this.#start()
    // Back-off, hold times, a rescan, and the rest that a deleted file is given.
    await this.harness.advance(90_000)
    if (this.#isBroken()) return
    this.broken.push(...judge(this.application, this.#server, this.#allowed()))
    if (this.broken.length > 0) return
    const summary = await this.harness.stop(graceMs)
    if (summary?.heldLines !== 0) this.broken.push(`stopped with ${summary?.heldLines} lines held`)
    if (this.#isBroken()) return
    await this.#start()
    await this.harness.advance(20_000)
    this.broken.push(...judge(this.application, this.#server, this.#allowed()))
    const { ledger } = this.harness.agent
    if (ledger.imbalance !== 0 || ledger.heldLines !== 0) this.broken.push(`the ledger: ${JSON.stringify(ledger)}`)
    this.harness.crash()
  }

  /**
   * What nobody can tell from the bytes: with equal beginnings, whether a file of the same inode goes on or began again.
   * What the disk refused to tell, or to keep, or who moved with a directory: a copy that is not known as one is a stranger.
   */
  #allowed() {
    return { lineBytesMax, repeats: this.application.hasBanner || this.#hadFaults }
  }

  #isBroken(): boolean {
    if (this.harness.failure !== undefined) this.broken.push(`it failed: ${messageOf(this.harness.failure)}`)
    this.broken.push(...this.#server.complaints)
    return this.broken.length > 0
  }

  async #perform(action: Action): Promise<void> {
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others are the application's
    switch (action.do) {
      case 'wait':
        return this.harness.advance(action.ms)
      case 'server':
        this.#mode = action.mode
        return
      case 'disk':
        this.#diskMode = action.mode
        if (action.mode !== 'ok') this.#hadFaults = true
        return
      case 'start':
        return this.#start()
      case 'stop':
        return this.#stop()
      case 'crash':
        return this.#later(action.during, () => this.harness.crash())
      case 'renameDirectory':
        this.#hadFaults = true
        return this.#later(action.during, () => this.application.perform(action))
      default:
        return this.#later(action.during, () => this.application.perform(action))
    }
  }

  #later(calls: number | undefined, run: () => void): void {
    if (calls === undefined || !this.harness.isUp) run()
    else this.#interrupts.push({ calls, run })
  }

  async #start(): Promise<void> {
    if (this.harness.isUp) return
    this.#frontiers = new Map()
    await this.harness.start()
  }

  async #stop(): Promise<void> {
    if (!this.harness.isUp) return
    const startedMs = this.#clock.nowMs
    const deadline = this.#clock.after(graceMs - 1_500, () => (this.#cut = true))
    await this.harness.stop(graceMs)
    deadline.cancel()
    this.#cut = false
    if (this.#clock.nowMs - startedMs > graceMs) this.broken.push('it took longer to stop than it was given')
  }

  #disk(alive: () => boolean) {
    this.#alive = alive
    return memoryDisk(this.#files, {
      before: (call, path) => {
        this.#interrupt()
        if (!alive()) throw new Error('the process is dead')
        const error = this.#random.chance(0.3) ? failing[this.#diskMode][call] : undefined
        if (error !== undefined) throw diskError(error, path)
      },
      pause: () => this.#pause(3),
      closed: (inode) => this.application.closed(inode, alive() && !this.#cut && this.#diskMode !== 'reads'),
      replaced: (text) => this.#checkpoint(text),
    })
  }

  #interrupt(): void {
    if (this.application.interrupting) return
    this.application.interrupting = true
    const due = this.#interrupts.filter((interrupt) => --interrupt.calls <= 0)
    this.#interrupts = this.#interrupts.filter(({ calls }) => calls > 0)
    for (const { run } of due) run()
    this.application.interrupting = false
  }

  /** The frontier never passes a line without a final verdict, and never moves backwards. */
  #checkpoint(text: string): void {
    const state = JSON.parse(text.split('\n')[1]!) as { generations: SavedGeneration[] }
    for (const { id, offset } of state.generations) {
      if (id === null) continue
      const before = this.#frontiers.get(id) ?? 0
      if (offset < before && !this.#hadFaults)
        this.broken.push(`the frontier of ${id} moved from ${before} back to ${offset}`)
      this.#frontiers.set(id, offset)
    }
    const offsets = new Map(state.generations.map(({ id, offset }) => [id ?? '', offset]))
    for (const { id, offset } of this.#server.unsettled()) {
      const frontier = offsets.get(generationOf(id)) ?? 0
      if (offset < frontier) this.broken.push(`the frontier ${frontier} of ${id} passed a line at ${offset}`)
    }
  }

  async #pause(mostMs: number): Promise<void> {
    if (mostMs === 0) return
    const alive = this.#alive
    await new Promise<void>((resolve) => {
      this.#clock.after(this.#random.between(0, mostMs), () => alive() && resolve())
    })
  }

  #outcome(): Outcome {
    const some = (share: number): Outcome => ({ item: (document) => this.#choose(document, share) })
    if (this.#mode === 'ok' || this.#mode === 'failed' || this.#mode === 'hang') return this.#mode
    if (this.#mode === 'lost' || this.#mode === 'half') return this.#mode
    if (this.#mode === 'busy') return { status: this.#random.pick([429, 503]) }
    if (this.#mode === 'hold') return { status: 403 }
    if (this.#mode === 'partial') return some(0.5)
    return this.#random.pick<Outcome>(['ok', 'ok', 'lost', 'half', 'failed', { status: 413 }, some(0.1)])
  }

  #choose(document: Stored, share: number): Item | undefined {
    // Lines that are never taken, by what they say.
    if (/^<\d*7>/.test(document.message) && this.#mode === 'mixed' && !this.#server.documents.has(document.id)) {
      return { status: 400, errorType: 'document_parsing_exception' }
    }
    return this.#random.chance(share) ? { status: 429, errorType: 'es_rejected_execution_exception' } : undefined
  }
}
