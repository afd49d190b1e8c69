import PQueue from 'p-queue'
import { fieldsOf, Notices, textOf, type Notice } from './admin/logger.ts'
import type { Figures } from './admin/figures.ts'
import { BackpressureWatch } from './agent/backpressure-watch.ts'
import { Bell } from './agent/bell.ts'
import { Delivery } from './agent/delivery.ts'
import { Drain, stopTimes } from './agent/drain.ts'
import { FileEvents } from './agent/events.ts'
import { figuresOf } from './agent/figures.ts'
import type { FileSources } from './agent/file-list.ts'
import { Frontiers } from './agent/frontiers.ts'
import { leftOf } from './agent/left.ts'
import { Letters } from './agent/letters.ts'
import { Looking } from './agent/looking.ts'
import { Loop } from './agent/loop.ts'
import { MemoryKeeper } from './agent/memory.ts'
import { Resumption } from './agent/resumption.ts'
import { Saving } from './agent/saving.ts'
import { staticFields } from './config/static-fields.ts'
import { Stopping } from './agent/stopping.ts'
import * as texts from './agent/texts.ts'
import { Telling } from './agent/telling.ts'
import { Unreadable } from './agent/unreadable.ts'
import type { Said } from './agent/troubles.ts'
import { Volume } from './agent/volume.ts'
import type { AgentOptions, Summary, World } from './agent/world.ts'
import { limits } from './base/limits.ts'
import { hasDate } from './base/placeholders.ts'
import type { SavedGeneration } from './base/state.ts'
import { Discovery } from './discover/discovery.ts'
import { Globs } from './discover/globs.ts'
import type { Watch } from './discover/watch.ts'
import { Kernel } from './encode/kernel.ts'
import { Templates } from './encode/template.ts'
import type { Generation } from './follow/generation.ts'
import { Names } from './follow/names.ts'
import { realPlaceOf } from './follow/opening.ts'
import { Registry } from './follow/registry.ts'
import type { Happening } from './follow/seen.ts'
import { Schedule } from './follow/schedule.ts'
import { Unpacking, unpackingSizes } from './follow/unpacking.ts'
import { Pump } from './pump.ts'
import { Arena } from './queue/arena.ts'
import type { MemoryPlan } from './queue/plan.ts'
import { begin } from './settle/begin.ts'
import { Checkpoint, type State } from './settle/checkpoint.ts'
import { Ledger } from './settle/ledger.ts'
import { Doubts } from './ship/doubts.ts'
import { Shipper, type Health } from './ship/shipper.ts'

export type { AgentOptions, Summary, World }

/** The whole way of a byte; the one place that knows all stages. */
export class Agent {
  readonly ledger = new Ledger()
  readonly #o: AgentOptions
  readonly #notices: Notices
  readonly #events: FileEvents
  readonly #bell: Bell
  readonly #discovery: Discovery
  readonly #schedule = new Schedule()
  readonly #arena: Arena<Kernel>
  readonly #memory: MemoryKeeper<Kernel>
  readonly #requests: PQueue
  readonly #shipper: Shipper
  /** Undefined when documents have no ids, or name their index. */
  readonly #doubts: Doubts | undefined
  readonly #resumption = new Resumption()
  readonly #letters: Letters
  readonly #checkpoint: Checkpoint
  readonly #frontiers = new Frontiers()
  readonly #abort = new AbortController()
  readonly #disk: Unpacking
  #names!: Names<Generation>
  #registry!: Registry
  #pump!: Pump
  #saving!: Saving
  #looking!: Looking
  #delivery!: Delivery
  #volume!: Volume
  #watch: Watch | undefined
  #state: Omit<State, 'generations'> = { instance: '', incarnation: '', sinceMs: 0, names: '', indices: null }
  #health: Health = { state: 'unknown' }
  readonly #telling: Telling
  readonly #unreadable = new Unreadable((level, notice) => this.#say(level, notice))
  readonly #backpressure: BackpressureWatch
  /** Where the state really is. */
  #ownDirectories: readonly string[] = []
  #ready = false
  /** The first look is whole. */
  #begun = false
  /** A look ends where it is: its time is better spent on the checkpoint. */
  #isLookOver = false
  #drain: Drain | undefined
  #failure: unknown
  readonly #failing = Promise.withResolvers<unknown>()
  #starting: Promise<void> = Promise.resolve()
  #loop: Promise<void> = Promise.resolve()

  constructor(options: AgentOptions) {
    const { settings, plan, world, logger } = options
    this.#o = options
    this.#notices = new Notices(logger)
    this.#telling = new Telling(world.clock)
    this.#backpressure = this.#watchBackpressure()
    this.#events = new FileEvents(logger)
    this.#bell = new Bell(world.clock)
    const make = (of: MemoryPlan) => () => new Kernel(of.inputBytes, of.batchBytes, settings.lineBytesMax)
    this.#arena = new Arena(plan.slots, make(plan))
    this.#requests = new PQueue({ concurrency: plan.concurrency })
    this.#disk = new Unpacking(world.disk, unpackingSizes(settings.lineBytesMax), (descriptor) => {
      this.#looking.between(() => this.#registry.progressed(descriptor))
      this.#bell.ring()
    })
    const { ledger } = this
    const run = world.newInstanceId()
    this.#letters = new Letters({ world, settings, run, ledger, notices: this.#notices, logger })
    this.#checkpoint = new Checkpoint({
      disk: world.disk,
      clock: world.clock,
      directory: settings.stateDir,
      writer: run,
      say: ({ level, ...notice }) => this.#say(level, notice),
      first: () => this.#letters.flush(),
    })
    // A plain index is never rolled over: it answers 409 by itself, also when each day has its own.
    const isDoubtful = settings.documentId === 'offset' && !hasDate(settings.target)
    this.#doubts = isDoubtful ? new Doubts(world.lookup, world.clock, settings.target) : undefined
    this.#shipper = new Shipper({
      clock: world.clock,
      random: world.random,
      send: world.send,
      target: settings.target,
      severalIndices: hasDate(settings.target),
      batchBytes: plan.batchBytes,
      concurrencyMax: plan.concurrency,
      nodes: Math.max(1, settings.elasticsearchUrls.length),
      health: (health) => this.#onHealth(health),
      deadLetter: (letter) => this.#letters.keep(letter),
      doubts: this.#doubts,
      blind: (why) => this.#notices.warn(texts.blind(settings.target, why)),
      outcome: (outcome, durationMs, bytes) => {
        this.#backpressure.request(outcome)
        options.request?.(outcome, durationMs, bytes)
      },
    })
    this.#memory = new MemoryKeeper({
      clock: world.clock,
      memory: world.memory,
      plan,
      arena: this.#arena,
      make,
      replanned: ({ batchBytes, concurrency }) => {
        this.#requests.concurrency = concurrency
        this.#shipper.resize({ batchBytes, concurrencyMax: concurrency })
      },
      logger,
    })
    this.#discovery = new Discovery({
      disk: world.disk,
      clock: world.clock,
      globs: new Globs(settings.paths, settings.exclude, [settings.stateDir]),
      watch: {
        add: (directory) => this.#watch?.add(directory),
        remove: (directory) => this.#watch?.remove(directory),
        close: () => Promise.resolve(),
      },
      scanIntervalMs: settings.scanIntervalMs,
      obstacle: (obstacle) => this.#refused(obstacle),
      ownOutput: world.ownOutput,
    })
  }

  /** Resolves when the loop runs. @throws RemoraError, or whatever the disk says about the state directory's absence */
  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const { settings, world } = this.#o
    try {
      world.disk.makeDirectory(settings.stateDir)
    } catch (error) {
      this.#notices.warn(texts.stateDirUnavailable(settings.stateDir, error))
    }
    this.#ownDirectories = [realPlaceOf(world.disk, settings.stateDir)]
    this.#letters.start()
    const saved = this.#load()
    this.#doubts?.refresh(this.#abort.signal)
    this.#registry = this.#makeRegistry(saved.generations, saved.first)
    this.#saving = this.#makeSaving()
    this.#delivery = this.#makeDelivery()
    this.#volume = this.#makeVolume()
    const { clock, lookStepsMax: stepsMax } = world
    const turns = { clock, yield: () => world.yield(), isOver: () => this.#isLookOver, stepsMax }
    const touch = () => this.#saving.touch()
    this.#looking = new Looking(turns, this.#discovery, this.#registry, touch, () => this.#unreadable.looked())
    this.#pump = this.#makePump()
    this.#watch = world.watch(
      (directory, isEvent = true) => {
        this.#looking.hinted(directory, isEvent)
        this.#bell.ring()
      },
      (directory, error) => {
        this.#discovery.unwatchable(directory)
        this.#bell.ring()
        this.#notices.warn(texts.watchFailed(directory, error))
      },
    )
    // What is known of some files only is no beginning: the state stays as it was.
    if (!(await this.#looking.look(true))) return
    this.#begun = true
    // Before anything is sent: ids, and where a first start began, must come out the same after a crash.
    await this.#saving.save()
    if (this.#registry.generations.size === 0) this.#notices.warn(texts.noFiles(settings))
    this.#ready = true
    if (this.#drain === undefined) this.#volume.start()
    this.#loop = this.#makeLoop()
      .run()
      .catch((error: unknown) => this.#fail(error))
  }

  /** Resolves with what went wrong when the program itself is at fault; otherwise never. */
  get failed(): Promise<unknown> {
    return this.#failing.promise
  }

  /** New credentials or certificates are in use: what waits for the server or the target is tried at once. */
  reconnected(): void {
    this.#shipper.wake()
  }

  get isReady(): boolean {
    return this.#ready
  }

  /** For a probe that asks for details: nothing that costs a look at each file. */
  get detail(): object {
    const { state, cause, forSeconds, lagSeconds, heldSeconds } = this.#backpressure.figures()
    const rounded = Object.entries({ forSeconds, lagSeconds, heldSeconds }).map(([name, s]) => [name, Math.round(s)])
    const volume = this.#volume?.detail
    const unreadable = this.#unreadable.detail
    return {
      elasticsearch: this.#health,
      ...(unreadable && { unreadable }),
      ...(volume && { volume }),
      backpressure: { state, cause, ...Object.fromEntries(rounded) },
    }
  }

  figures(): Figures {
    return figuresOf({
      ledger: this.ledger,
      registry: this.#registry,
      discovery: this.#discovery,
      arena: this.#arena,
      memory: this.#memory.figures(),
      checkpoint: this.#checkpoint,
      nowMs: this.#o.world.clock.nowMs(),
      monotonicMs: this.#o.world.clock.monotonicMs(),
      openFilesMax: this.#o.world.openFilesMax ?? limits.openFilesMax,
      requestsUnderWay: this.#requests.pending,
      pace: this.#shipper.pace,
      health: this.#health,
      phase: this.#drain !== undefined ? 'draining' : this.#ready ? 'shipping' : 'starting',
      events: this.#events.counts,
      letters: this.#letters.figures(),
      backpressure: this.#backpressure.figures(),
      volume: this.#volume.figures(),
      denied: this.#unreadable.denied,
      unsaidMessages: this.#o.unsaid?.() ?? 0,
    })
  }

  /** Whether there is memory for a page, or for metrics. */
  hasRoom(): boolean {
    return this.#memory.hasRoomFor(limits.adminMakeBytes)
  }

  /** What a person may look at file by file. */
  get fileSources(): FileSources {
    return { ledger: this.ledger, registry: this.#registry, frontiers: this.#frontiers }
  }

  /**
   * Reads to the end of every file, ships, awaits the answers and writes the checkpoint: within `graceMs`, whatever hangs.
   *
   * @param now  aborts: stop at once, with the checkpoint safe
   */
  async stop(graceMs: number, now?: AbortSignal): Promise<Summary> {
    const { settings, world } = this.#o
    const times = stopTimes(graceMs, settings.drainQuietMs)
    const stopping = new Stopping(world.clock, times, () => this.#cut(), now)
    this.#volume?.stop()
    this.#drain = new Drain(world.clock.monotonicMs(), settings.drainQuietMs, times)
    if (this.#ready) this.#looking.between(() => this.#registry.hurry())
    this.#ready = false
    void this.failed.then(() => stopping.hurry())
    this.#bell.ring()
    const checkpoint = await stopping.inTime(this.#end())
    // It was cut off, and the checkpoint came first: for the last message what the files have by now, if there is time.
    if (checkpoint === 'written' && this.#abort.signal.aborted && !stopping.hurried) await this.#lookOnce(stopping)
    // A question in the background may still be under way: nobody waits for its answer.
    this.#abort.abort()
    const summary = { failure: this.#failure, checkpoint, ledger: this.ledger, ...leftOf(this.#registry, this.ledger) }
    this.#registry.close()
    await stopping.inTime(Promise.resolve(this.#watch?.close()))
    stopping.over()
    return summary
  }

  /** As far as the time goes: nothing is opened after it. */
  async #lookOnce(stopping: Stopping): Promise<void> {
    this.#isLookOver = false
    await stopping.inTime(this.#looking.look(true).catch((error: unknown) => this.#fail(error)))
    this.#isLookOver = true
  }

  /** The last of the loop and of the requests, and the last checkpoint. */
  async #end(): Promise<Summary['checkpoint']> {
    await this.#starting
    // It was stopped while it started.
    this.#looking.between(() => this.#registry.hurry())
    this.#bell.ring()
    await this.#loop
    await this.#requests.onIdle()
    await this.#letters.stop(this.#abort.signal)
    try {
      // For the last message, and the checkpoint: what the files have by now. Thousands of them take longer than is left after
      // the cut, and a checkpoint that is not written is worth more than a count.
      if (!this.#abort.signal.aborted) await this.#looking.look(true)
    } catch (error) {
      this.#fail(error)
    }
    if (this.#failure !== undefined || !this.#begun) return 'kept'
    return (await this.#saving.save()) ? 'written' : 'failed'
  }

  #load(): { generations: readonly SavedGeneration[]; first: boolean } {
    const { world } = this.#o
    const { state, first, reports } = begin(this.#checkpoint.load(), world.clock.nowMs(), world.newInstanceId)
    for (const { level, ...notice } of reports) this.#say(level, notice)
    const { generations, ...rest } = state
    this.#state = rest
    this.#doubts?.resume(state.indices)
    return { generations, first }
  }

  #makeRegistry(saved: readonly SavedGeneration[], first: boolean): Registry {
    const { settings, world } = this.#o
    const { instance, incarnation, names } = this.#state
    this.#names = new Names(settings.podUid ?? instance, incarnation, names)
    // The volume is as old as the Pod: whatever was rotated in it is ours, also when the state is lost.
    const isPods = settings.podUid !== undefined && settings.startAt === 'beginning'
    return new Registry(
      {
        disk: this.#disk,
        clock: world.clock,
        roots: () => this.#discovery.roots,
        own: () => this.#ownDirectories,
        ...(world.openFilesMax === undefined ? {} : { openFilesMax: world.openFilesMax }),
        isUnsure: (path) => this.#discovery.isUnsure(path),
        sinceMs: isPods ? 0 : this.#state.sinceMs,
        startAtEnd: first && settings.startAt === 'end',
        happened: (happening) => this.#onHappening(happening),
        restored: (generation) => this.#resumption.add(generation),
        lookAgain: (directory) => this.#hint(directory),
        names: this.#names,
        namesBefore: (path) => this.#discovery.namesBefore(path),
        readable: (generation) => this.#schedule.offer(generation),
        settled: (generation) => this.#frontiers.isSettled(generation),
      },
      saved,
    )
  }

  #hint(directory: string): void {
    this.#discovery.hint(directory)
    this.#bell.ring()
  }

  #makeSaving(): Saving {
    return new Saving({
      clock: this.#o.world.clock,
      checkpoint: this.#checkpoint,
      registry: this.#registry,
      frontiers: this.#frontiers,
      head: () => ({ ...this.#state, names: this.#names.text, indices: this.#indices() }),
      written: (durationMs) => {
        this.#o.timed?.('checkpoint', durationMs)
        if (this.ledger.isFull) this.#foldLedger()
        this.#bell.ring()
      },
    })
  }

  #watchBackpressure(): BackpressureWatch {
    const { world } = this.#o
    const around = () => ({
      server: this.#health.state,
      heldSinceMs: this.#delivery?.heldSinceMs,
      stateSinceMs: this.#saving?.awaitedSinceMs,
      slotsWithheld: this.#memory.slotsPlanned - this.#arena.slots,
      serverLimited: this.#requests.pending >= this.#shipper.pace.concurrency,
    })
    return new BackpressureWatch(world.clock, world.load, around, (condition) =>
      this.#tell(this.#telling.backpressure(condition, () => leftOf(this.#registry, this.ledger).unreadBytes)),
    )
  }

  #makeDelivery(): Delivery {
    return new Delivery({
      clock: this.#o.world.clock,
      requests: this.#requests,
      shipper: this.#shipper,
      frontiers: this.#frontiers,
      saving: this.#saving,
      resumption: this.#resumption,
      ledger: this.ledger,
      arena: this.#arena,
      signal: this.#abort.signal,
      delivered: () => this.#bell.ring(),
      took: (durationMs) => this.#o.timed?.('delivery', durationMs),
    })
  }

  #makeVolume(): Volume {
    return new Volume({
      ...this.#o,
      ledger: this.ledger,
      notices: this.#notices,
      discovery: this.#discovery,
      registry: this.#registry,
      saving: this.#saving,
      isSettled: (generation) => this.#frontiers.isSettled(generation),
      looked: () => this.#looking.over,
      lookAgain: (directory) => this.#hint(directory),
      failed: (error) => this.#fail(error),
    })
  }

  #makePump(): Pump {
    const { settings, world } = this.#o
    return new Pump({
      disk: this.#disk,
      clock: world.clock,
      registry: this.#registry,
      schedule: this.#schedule,
      templates: new Templates(staticFields(settings), settings.target),
      arena: this.#arena,
      ledger: this.ledger,
      lineBytesMax: settings.lineBytesMax,
      withIds: settings.documentId === 'offset',
      sealed: (batch) => void this.#delivery.ship(batch).catch((error: unknown) => this.#fail(error)),
      started: (generation) => {
        this.#frontiers.of(generation)
        this.#resumption.started(generation)
      },
      failed: (...failure) => this.#notices.warn(texts.readFailed(...failure)),
      cut: (generation) => this.#notices.warn(texts.lineCut(generation, settings.lineBytesMax)),
      hole: (generation) => this.#notices.warn(texts.holeSkipped(generation)),
      binary: (generation) => this.#notices.warn(texts.binaryFile(generation)),
    })
  }

  #makeLoop(): Loop {
    const { settings, world } = this.#o
    return new Loop({
      clock: world.clock,
      yield: world.yield,
      batchLingerMs: settings.batchLingerMs,
      bell: this.#bell,
      memory: this.#memory,
      looking: this.#looking,
      registry: this.#registry,
      schedule: this.#schedule,
      unpacking: this.#disk,
      pump: this.#pump,
      requests: this.#requests,
      delivery: this.#delivery,
      saving: this.#saving,
      backpressure: this.#backpressure,
      drain: () => this.#drain,
      signal: this.#abort.signal,
      failed: (error) => this.#fail(error),
    })
  }

  /** At most once for each checkpoint: makes room for the files to come. */
  #foldLedger(): void {
    this.ledger.fold((path) => this.#registry.hasPath(path))
  }

  /** The indices behind the target, as the next process must know them if this one dies now. */
  #indices(): readonly string[] | null {
    if (this.#doubts === undefined) return null
    return this.#doubts.toSave(this.#resumption.isOpen(this.#registry, this.#frontiers))
  }

  #onHealth(health: Health): void {
    this.#health = health
    this.#tell(this.#telling.health(health))
  }

  #tell(said: Said | undefined): void {
    if (said !== undefined) this.#say(said.level, said.notice)
  }

  #onHappening(happening: Happening): void {
    if (happening.kind === 'refused') {
      this.#refused(happening)
      return
    }
    if (happening.kind === 'unopened') {
      const { path, bytes, refusal } = happening
      this.ledger.gap(path, bytes)
      this.#say('error', texts.gapUnopened(path, bytes, refusal))
      return
    }
    const { kind, generation } = happening
    this.#events.take(happening)
    this.#saving.touch()
    if (kind === 'found' || kind === 'resumed') {
      this.#unreadable.opened(generation.currentPath)
    }
    if (kind === 'gap') {
      this.ledger.gap(generation.path, happening.bytes)
      this.#say('error', texts.gap(generation, happening.bytes, happening.why))
    }
  }

  #refused(notice: Notice & { readonly path: string }): void {
    if (!this.#unreadable.take(notice)) this.#notices.warn(texts.cannotOpen(notice))
  }

  #say(level: 'info' | 'warn' | 'error', notice: Notice): void {
    this.#o.logger[level](fieldsOf(notice), textOf(notice))
  }

  #cut(): void {
    this.#isLookOver = true
    this.#abort.abort()
    this.#bell.ring()
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#cut()
    this.#failing.resolve(error)
  }
}
