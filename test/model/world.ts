import { messageOf } from '../../src/base/errors.ts'
import type { State } from '../../src/base/state.ts'
import type { Ledger } from '../../src/settle/ledger.ts'
import type { Item } from '../../src/ship/answer.ts'
import { AgentHarness } from '../kit/agent.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { readLetter } from '../../src/ship/letters/letter.ts'
import { lettersDirectory, linesOf, segmentsIn } from '../../src/ship/letters/segments.ts'
import { memoryDisk } from '../kit/agent-disk.ts'
import { diskError, MemoryFiles, type Call } from '../kit/agent-files.ts'
import { MemoryServer, type Outcome, type Stored } from '../kit/agent-server.ts'
import { Application } from './application.ts'
import { outOfOrder, WrittenFrontiers } from './order.ts'
import { firstNameOf, judge, type Facts, type Gap } from './judge.ts'
import { unsaidDrops } from './drops.ts'
import { Random } from './random.ts'
import type { Action, Conditions, DiskMode, Schedule, ServerMode } from './schedule.ts'

const lineBytesMax = 1_500
const graceMs = 25_000
const directories = ['/', '/logs', '/logs/sub', '/state', '/nowhere']

const failing: Record<DiskMode, Partial<Record<Call, readonly string[]>>> = {
  ok: {},
  opens: { open: ['EMFILE'], list: ['EMFILE'], openDirectory: ['EMFILE'] },
  reads: {
    read: ['EIO', 'EINTR'],
    sizeOf: ['EIO'],
    factsOf: ['EIO'],
    look: ['EACCES', 'EINTR'],
    spaceOf: ['EIO'],
    lookIn: ['EIO'],
    removeIn: ['EIO'],
  },
  full: { replace: ['ENOSPC'], append: ['ENOSPC'] },
  short: {},
  slow: {},
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
  /** What is to happen at a later point. */
  #interrupts: { points: number; run: () => void }[] = []
  #mode: ServerMode = 'ok'
  #diskMode: DiskMode = 'ok'
  #alive = () => false
  /** Frontiers that this process has written. */
  #frontiers = new WrittenFrontiers()
  #starting = false
  #stopping = false
  /** It stops, and the time for that is up. */
  #cut = false
  /** What somebody has set the wall clock forward by. */
  #steppedMs = 0
  readonly #gaps: Gap[] = []
  #peaceful = true
  /** The last checkpoint could not be written. */
  #unsaved = false
  /** A process has ended that could not write its state. */
  #unwritten = false
  readonly #wide: boolean
  readonly #drops: boolean
  /** First names of files of which unshipped ones were deleted, as Remora said. */
  readonly #dropped = new Set<string>()
  readonly #lossy: boolean
  #hasStarted = false
  /** Refused for good, and a checkpoint has passed them. */
  readonly #refused = new Set<Stored>()
  /** A letter could not be written, and Remora said so. */
  #lettersLost = false
  /** Lines that processes which are gone have counted as taken for the first time. */
  #created = 0

  constructor({ conditions }: Schedule, logLevel: string) {
    this.#random = new Random(-1 - conditions.seed)
    this.#files = new MemoryFiles(() => this.#clock.wallMs, conditions.births)
    this.#files.makeFragile('/state')
    this.application = new Application(this.#files, conditions)
    this.#wide = conditions.wide
    this.#drops = conditions.volume?.policy === 'drop-oldest'
    if (this.#drops) this.#peaceful = false
    this.#lossy = conditions.lossy === true
    // Renamed before its first line was read, a file is a stranger then, and looks as if it were gone.
    if (conditions.births === 'none') this.#peaceful = false
    this.#server.travel = () => this.#travel(conditions.travelMs)
    this.#server.patience = () => new Promise((resolve) => this.#clock.after(10_000, resolve))
    this.#server.outcome = (documents) => this.#outcome(documents)
    this.harness = new AgentHarness({
      clock: this.#clock,
      server: this.#server,
      disk: (alive) => this.#disk(alive),
      settings: {
        paths: [conditions.wide ? '/logs/**/*.log*' : '/logs/**/*.log'],
        stateDir: '/state',
        podUid: conditions.lossy === true ? 'd9e7b1f0-77aa-4c5e-9d0c-6a1d64b1c0de' : undefined,
        lineBytesMax,
        scanIntervalMs: conditions.scanIntervalMs,
        volumeLimitBytes: conditions.volume?.limitBytes,
        volumePolicy: conditions.volume?.policy ?? 'keep',
      },
      slots: Math.max(conditions.slots, conditions.concurrency),
      concurrency: conditions.concurrency,
      batchBytes: conditions.batchBytes,
      random: () => this.#random.next(),
      logLevel,
      point: () => this.#point(),
      lookStepsMax: conditions.lookStepsMax,
    })
    this.#files.changed = (directory) => this.#changed(directory, conditions.hints)
  }

  /** Hints are only hints: lost, doubled, late, or of another directory. */
  #changed(directory: string, hints: Conditions['hints']): void {
    if (hints === 'none' || (hints !== 'all' && this.#random.chance(0.5))) return
    if (hints !== 'wild') return this.harness.hint(directory)
    const kind = this.#random.next()
    if (kind < 0.4) {
      const lateMs = this.#random.between(1, 3_000)
      this.#clock.after(lateMs, () => this.harness.hint(directory))
    } else this.harness.hint(kind < 0.8 ? directory : this.#random.pick(directories))
    if (kind > 0.3 && kind < 0.6) this.harness.hint(directory)
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
    this.#server.lookup = 'ok'
    this.#diskMode = 'ok'
    this.#server.travel = () => this.#travel(1)
    this.application.atLast()
    await this.#start()
    // Back-off, hold times, two rescans, and the rest that a deleted file is given.
    await this.harness.advance(120_000)
    if (this.#isBroken()) return
    this.broken.push(...judge(this.application, this.#server, this.#facts()), ...this.#unsaidDrops())
    if (this.broken.length > 0) return
    const before = this.#writtenOffsets()
    const summary = await this.harness.stop(graceMs)
    // At rest there is nothing that only the stop would write.
    for (const [generation, offset] of this.#writtenOffsets()) {
      if (offset > (before.get(generation) ?? offset)) this.broken.push(`the checkpoint of ${generation} was behind`)
    }
    if (summary?.heldLines !== 0) this.broken.push(`stopped with ${summary?.heldLines} lines held`)
    if (this.#isBroken()) return
    await this.#start()
    await this.harness.advance(20_000)
    if (this.#isBroken()) return
    this.broken.push(...judge(this.application, this.#server, this.#facts()))
    const { ledger } = this.harness.agent
    if (ledger.heldLines !== 0) this.broken.push(`lines are held: ${JSON.stringify(ledger)}`)
    this.broken.push(...this.#lettersMissing())
    this.harness.crash()
  }

  #writtenOffsets(): Map<string, number> {
    const [, body = '{"generations":[]}'] =
      this.#files.find('/state/checkpoint.json')?.bytes.toString().split('\n') ?? []
    const { generations } = JSON.parse(body) as State
    return new Map(
      // Without births, several contents that had one inode after the other differ in their names only.
      generations.map(({ inode, birthNs, epoch, path, id, anchor, offset }) => [
        `${path} ${inode}.${birthNs}.${epoch} ${id} ${anchor?.id}`,
        offset,
      ]),
    )
  }

  #facts(): Facts {
    this.#hearGaps()
    return { lineBytesMax, gaps: this.#gaps, wide: this.#wide, peaceful: this.#peaceful && !this.#wide }
  }

  #unsaidDrops(): string[] {
    const texts = new Set([...this.#server.documents.values()].map(({ message }) => message))
    for (const { message } of this.#server.refused.values()) texts.add(message)
    const said = new Set([...this.#dropped, ...this.#gaps.map(({ path }) => firstNameOf(path))])
    return unsaidDrops(this.application.lives, texts, said, lineBytesMax)
  }

  /** Documents of which nothing but their letter is left, and that is not there although Remora did not say so. */
  #lettersMissing(): string[] {
    if (this.#lossy || this.#lettersLost) return []
    const disk = memoryDisk(this.#files)
    const texts = new Set([...this.#server.documents.values()].map(({ message }) => message))
    for (const { path } of segmentsIn(disk, lettersDirectory('/state'))) {
      for (const { text } of linesOf(disk, path)) {
        const { source } = readLetter(text ?? '') ?? {}
        if (source !== undefined) texts.add((JSON.parse(source) as { message: string }).message)
      }
    }
    const missing = [...this.#refused].filter(({ message }) => !texts.has(message))
    return missing.map((document) => `refused, and no letter of it: ${JSON.stringify(document).slice(0, 300)}`)
  }

  #hearGaps(): void {
    for (const { code, path, text } of this.harness.messages.splice(0)) {
      if (code === 'DEAD_LETTER_LOST') this.#lettersLost = true
      if (code === 'VOLUME_DROPPED') this.#dropped.add(firstNameOf(path))
      const [, bytes, from] = code === 'GAP' ? (/(\d+) bytes .* from offset (\d+)/.exec(text) ?? []) : []
      if (bytes === undefined || from === undefined) continue
      this.#gaps.push({ path, from: Number(from), to: Number(from) + Number(bytes) })
    }
  }

  /** What has to hold after each step. */
  #isBroken(): boolean {
    const { failure, isUp } = this.harness
    if (failure !== undefined) this.broken.push(`it failed: ${messageOf(failure)}`)
    this.broken.push(...this.#server.complaints)
    if (isUp) this.#checkLedger(this.harness.agent.ledger)
    return this.broken.length > 0
  }

  #checkLedger(ledger: Ledger): void {
    const { acknowledgedLines, duplicateLines, heldLines, imbalance } = ledger
    const created = this.#created + acknowledgedLines - duplicateLines
    const { size } = this.#server.documents
    if (imbalance === 0 && heldLines >= 0 && created <= size) return
    this.broken.push(`the ledger, with ${size} documents: ${JSON.stringify({ created, heldLines, imbalance })}`)
  }

  /** The process is gone, and with it its ledger. */
  #ended(): void {
    if (!this.harness.isUp) return
    const { ledger } = this.harness.agent
    this.#checkLedger(ledger)
    this.#created += ledger.acknowledgedLines - ledger.duplicateLines
    this.#hearGaps()
    // What a checkpoint could not keep the next process does not know either.
    this.#forget()
  }

  #forget(): void {
    this.#peaceful = false
    if (this.#isUnsaved) this.#unwritten = true
    this.application.forgotten(this.#isUnsaved)
  }

  async #perform(action: Action): Promise<void> {
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others are the application's
    switch (action.do) {
      case 'wait':
        return this.harness.advance(action.ms)
      case 'server':
        this.#mode = action.mode
        this.#server.lookup = action.mode === 'failed' || action.mode === 'hang' ? 'failed' : 'ok'
        if (action.mode === 'lost' || action.mode === 'half' || action.mode === 'mixed') this.#peaceful = false
        return
      case 'disk':
        this.#diskMode = action.mode
        // What a state that cannot be written has sent, and where to, the next process does not know.
        if (this.#isUnsaved) this.#server.dropRollovers()
        this.application.blind = false
        if (this.#isBlind) this.application.goBlind()
        return
      case 'clock': {
        // Never to before the first start: what was born then is not known to be ours.
        const byMs = Math.max(-this.#steppedMs, action.byMs)
        this.#steppedMs += byMs
        if (byMs < 0) this.application.clockSetBack = true
        return this.#clock.stepWall(byMs)
      }
      case 'scan':
        for (const directory of [...directories, ...directories]) this.harness.hint(directory)
        return
      case 'rollover':
        // What a state that could not be written has sent, and where to, the next process does not know.
        if (!this.#unwritten && !this.#isUnsaved && !this.#lossy) this.#server.rollover()
        return
      case 'start':
        return this.#start()
      case 'lose':
        return this.#later(action.during, () => this.#lose(action.what))
      case 'stop':
        return this.#stop()
      case 'crash':
        return this.#later(action.during, () => this.#kill())
      case 'powerCut':
        return this.#later(action.during, () => {
          this.#kill()
          this.#files.cutPower(() => this.#random.next())
        })
      default:
        return this.#later(action.during, () => this.application.perform(action))
    }
  }

  get #isUnsaved(): boolean {
    return this.#unsaved || this.#diskMode === 'full'
  }

  get #isBlind(): boolean {
    return this.#diskMode === 'opens' || this.#diskMode === 'reads'
  }

  #kill(): void {
    this.#ended()
    this.harness.crash()
    this.application.down = true
  }

  #later(points: number | undefined, run: () => void): void {
    if (points === undefined || !this.harness.isUp) run()
    else this.#interrupts.push({ points, run })
  }

  #lose(what: 'checkpoint' | 'directory'): void {
    const directory = this.#files.find('/state')
    for (const name of directory?.entries?.keys() ?? []) {
      if (what === 'directory' || name !== 'instance') this.#files.remove(`/state/${name}`)
    }
    if (what === 'directory' && directory !== undefined) this.#files.remove('/state')
    this.#files.flushDirectory('/state')
    // It may just be about to read it.
    if (this.#starting) this.application.begunAnew()
  }

  /** What a process finds that starts without what those before it have written. */
  #noticeLoss(): void {
    if (!this.#lossy || !this.#hasStarted) return
    if (this.#files.find('/state/checkpoint.json') ?? this.#files.find('/state/checkpoint.previous.json')) return
    this.#peaceful = false
    this.application.begunAnew()
  }

  async #start(): Promise<void> {
    if (this.harness.isUp) return
    this.#noticeLoss()
    if (this.#hasStarted) this.application.restarted()
    this.#hasStarted = true
    this.#frontiers = new WrittenFrontiers()
    this.application.down = false
    this.#starting = true
    await this.harness.start()
    this.#starting = false
  }

  async #stop(): Promise<void> {
    if (!this.harness.isUp) return
    const startedMs = this.#clock.nowMs
    const deadline = this.#clock.after(graceMs - 1_500, () => (this.#cut = true))
    const { ledger } = this.harness.agent
    this.#stopping = true
    const summary = await this.harness.stop(graceMs)
    this.#stopping = false
    this.application.down = !this.harness.isUp
    deadline.cancel()
    if (summary !== undefined) {
      this.#checkLedger(ledger)
      this.#created += ledger.acknowledgedLines - ledger.duplicateLines
      if (summary.heldLines > 0) this.#peaceful = false
      if (this.#diskMode === 'full' || summary.checkpoint !== 'written') this.#forget()
    }
    this.#cut = false
    // A device that takes its time for each step of the last checkpoint cannot be hurried, nor left before it is safe.
    if (this.#clock.nowMs - startedMs > graceMs && this.#diskMode !== 'slow')
      this.broken.push('it took longer to stop than it was given')
  }

  #disk(alive: () => boolean) {
    this.#alive = alive
    return memoryDisk(this.#files, {
      before: (call, path) => {
        this.#point()
        if (!alive()) throw new Error('the process is dead')
        const codes = failing[this.#diskMode][call]
        if (codes === undefined || !this.#random.chance(0.3)) return
        if (call === 'replace') this.#unsaved = true
        throw diskError(this.#random.pick(codes), path)
      },
      step: async () => {
        this.#point()
        await this.#pause(this.#diskMode === 'slow' ? 2_000 : 2)
        if (!alive()) await new Promise(() => {})
      },
      listing: () => this.#point(),
      short: (length) => this.#short(length),
      // Into a slot: lines. Into a buffer: something to compare.
      read: (inode, into, to) => !Buffer.isBuffer(into) && this.application.read(inode, to),
      sized: (inode) => this.application.sized(inode),
      // A stop does not wait for a disk that refuses to read: what it had open and unread is reported, and gone.
      removed: (inode) => void this.broken.push(...this.application.removed(inode, this.#drops)),
      closed: (inode) => this.application.closed(inode, alive() && !this.#cut && !(this.#stopping && this.#isBlind)),
      replaced: (text) => {
        this.#unsaved = false
        this.broken.push(...this.#frontiers.check(text, this.#server))
        for (const document of this.#frontiers.passed(this.#server.told)) this.#refused.add(document)
        const { generations } = JSON.parse(text.split('\n')[1]!) as State
        this.application.saved(new Set(generations.map(({ inode }) => inode)))
      },
    })
  }

  #short(length: number): number {
    return this.#diskMode === 'short' && length > 0 && this.#random.chance(0.3)
      ? this.#random.between(1, length)
      : length
  }

  /**
   * Where the agent asks the disk, or waits: for a step of a checkpoint, an answer, a timer, its turn. What it does between
   * two of these nobody outside can see, so dying at a point is dying at any await.
   */
  #point(): void {
    if (this.application.interrupting || this.#interrupts.length === 0) return
    this.application.interrupting = true
    const due = this.#interrupts.filter((interrupt) => --interrupt.points <= 0)
    this.#interrupts = this.#interrupts.filter(({ points }) => points > 0)
    for (const { run } of due) run()
    this.application.interrupting = false
  }

  async #travel(mostMs: number): Promise<void> {
    this.#point()
    await this.#pause(mostMs)
  }

  async #pause(mostMs: number): Promise<void> {
    if (mostMs === 0) return
    const alive = this.#alive
    await new Promise<void>((resolve) => {
      this.#clock.after(this.#random.between(0, mostMs), () => alive() && resolve())
    })
  }

  #outcome(documents: readonly Stored[]): Outcome {
    this.broken.push(...outOfOrder(this.application, documents))
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
