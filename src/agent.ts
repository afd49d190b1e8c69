import PQueue from 'p-queue'
import { fieldsOf, Notices, textOf, type Logger, type Notice } from './admin/logger.ts'
import type { Figures } from './admin/metrics.ts'
import type { Clock } from './base/clock.ts'
import type { Disk } from './base/disk.ts'
import { assert, messageOf } from './base/errors.ts'
import { limits } from './base/limits.ts'
import { memoryInUse } from './base/memory.ts'
import type { SavedGeneration } from './base/state.ts'
import type { Settings } from './config/types.ts'
import { Discovery } from './discover/discovery.ts'
import { Globs } from './discover/globs.ts'
import type { Watch } from './discover/watch.ts'
import { Kernel } from './encode/kernel.ts'
import { generationIdOf, Templates } from './encode/template.ts'
import type { Generation } from './follow/generation.ts'
import { hashOf } from './follow/identity.ts'
import { Registry, type Happening } from './follow/registry.ts'
import { Schedule } from './follow/schedule.ts'
import { Pump, type Filled } from './pump.ts'
import { Arena } from './queue/arena.ts'
import type { MemoryPlan } from './queue/plan.ts'
import { sealAfterMs } from './queue/sealing.ts'
import { Checkpoint, checkpointDelayMs, type State } from './settle/checkpoint.ts'
import { Frontier } from './settle/frontier.ts'
import { Ledger } from './settle/ledger.ts'
import { DeadLetters } from './ship/dead-letter.ts'
import { Shipper, type Health } from './ship/shipper.ts'
import type { Send } from './ship/transport.ts'

/** The world: in a test, one that the test owns. */
export interface World {
  readonly disk: Disk
  readonly clock: Clock
  /** [0, 1) */
  readonly random: () => number
  readonly newInstanceId: () => string
  readonly watch: (hint: (directory: string) => void, failed: (directory: string, error: unknown) => void) => Watch
  readonly send: Send
  /** Lets input and output take place, then goes on. */
  readonly yield: () => Promise<void>
}

export interface AgentOptions {
  readonly settings: Settings
  readonly plan: MemoryPlan
  readonly world: World
  readonly logger: Logger
  readonly request?: (outcome: string, durationMs: number, bytes: number) => void
}

/** What is left when the agent stops. */
export interface Summary {
  /** What went wrong in the program itself, while draining too. */
  readonly failure: unknown
  readonly heldLines: number
  readonly unreadBytes: number
  readonly unreadFiles: readonly string[]
  readonly ledger: Ledger
}

/** The whole way of a byte; the one place that knows all stages. */
export class Agent {
  readonly ledger = new Ledger()
  readonly #o: AgentOptions
  readonly #notices: Notices
  readonly #discovery: Discovery
  readonly #schedule = new Schedule()
  readonly #arena: Arena<Kernel>
  readonly #requests: PQueue
  readonly #shipper: Shipper
  readonly #deadLetters: DeadLetters
  readonly #checkpoint: Checkpoint
  readonly #frontiers = new WeakMap<Generation, Frontier>()
  readonly #rotations: Record<string, number> = {}
  readonly #abort = new AbortController()
  #registry!: Registry
  #pump!: Pump
  #watch: Watch | undefined
  #state: Omit<State, 'generations'> = { instance: '', sinceMs: 0 }
  #health: Health = { state: 'unknown' }
  #ready = false
  #draining = false
  #drainLooks = 0
  #stopped = false
  #dirty = false
  #nextCheckpointMs = 0
  #nextLookMs = 0
  #lookedAtMs = 0
  #saving: Promise<void> | undefined
  #wake: (() => void) | undefined
  #woken = false
  #failure: unknown
  readonly #failing = Promise.withResolvers<unknown>()
  #loop: Promise<void> = Promise.resolve()

  constructor(options: AgentOptions) {
    const { settings, plan, world, logger } = options
    this.#o = options
    this.#notices = new Notices(logger)
    this.#arena = new Arena(plan.slots, () => new Kernel(plan.inputBytes, plan.batchBytes, settings.lineBytesMax))
    this.#requests = new PQueue({ concurrency: plan.concurrency })
    this.#deadLetters = new DeadLetters(world.disk, world.clock, settings.stateDir, settings.deadLetterBytesMax)
    this.#checkpoint = new Checkpoint(
      world.disk,
      world.clock,
      settings.stateDir,
      (message) =>
        this.#say('warn', {
          code: 'CHECKPOINT_FAILED',
          message: `the checkpoint could not be written: ${message}`,
          wayOut:
            'Shipping goes on; after a crash now, lines would be sent again and answered as duplicates. Make room in, or rights to, REMORA_STATE_DIR.',
        }),
      () => this.#say('info', { code: 'CHECKPOINT_RECOVERED', message: 'checkpoints are written again' }),
    )
    this.#shipper = new Shipper({
      clock: world.clock,
      random: world.random,
      send: world.send,
      target: settings.target,
      health: (health) => this.#onHealth(health),
      deadLetter: (letter) => this.#onRefused(this.#deadLetters.keep(letter), letter.status, letter.errorType),
      outcome: (outcome, durationMs, bytes) => options.request?.(outcome, durationMs, bytes),
    })
    this.#discovery = new Discovery({
      disk: world.disk,
      clock: world.clock,
      globs: new Globs(settings.paths, [...settings.exclude, `${settings.stateDir}/**`]),
      watch: {
        add: (directory) => this.#watch?.add(directory),
        remove: (directory) => this.#watch?.remove(directory),
        close: () => Promise.resolve(),
      },
      scanIntervalMs: settings.scanIntervalMs,
      obstacle: (obstacle) => this.#notices.warn(obstacle),
    })
  }

  /** Resolves when the loop runs. @throws RemoraError, or whatever the disk says about the state directory's absence */
  async start(): Promise<void> {
    const { settings, world } = this.#o
    try {
      world.disk.makeDirectory(settings.stateDir)
    } catch (error) {
      this.#notices.warn({
        code: 'STATE_DIR_UNAVAILABLE',
        path: settings.stateDir,
        message: `REMORA_STATE_DIR cannot be made: ${messageOf(error)}`,
        wayOut: 'Mount a writable volume there; without it every restart sends all files again.',
      })
    }
    const saved = this.#load()
    this.#registry = this.#makeRegistry(saved.generations, saved.first)
    this.#pump = this.#makePump()
    this.#watch = world.watch(
      (directory) => {
        this.#discovery.hint(directory)
        this.#wakeUp()
      },
      (directory, error) => {
        this.#discovery.unwatchable(directory)
        this.#notices.warn({
          code: 'WATCH_FAILED',
          path: directory,
          message: `the directory cannot be watched: ${messageOf(error)}`,
          wayOut:
            'It is looked at once a second instead; fs.inotify.max_user_watches or max_user_instances may be too small.',
        })
      },
    )
    this.#look(true)
    // Before anything is sent: ids, and where a first start began, must come out the same after a crash.
    await this.#save()
    if (this.#registry.generations.size === 0) {
      this.#notices.warn({
        code: 'NO_FILES',
        message: `no file matches ${settings.paths.join(', ')} yet`,
        wayOut: `It is looked for every ${settings.scanIntervalMs / 1000} s. If the application writes elsewhere, set REMORA_PATHS.`,
      })
    }
    this.#ready = true
    this.#loop = this.#run().catch((error: unknown) => this.#fail(error))
  }

  /** Resolves with what went wrong when the program itself is at fault; otherwise never. */
  get failed(): Promise<unknown> {
    return this.#failing.promise
  }

  get isReady(): boolean {
    return this.#ready
  }

  get health(): Health {
    return this.#health
  }

  /**
   * Reads to the end of every file, ships, awaits the answers and writes the checkpoint: within `graceMs`.
   *
   * @param now  aborts: stop at once, with the checkpoint safe
   */
  async stop(graceMs: number, now?: AbortSignal): Promise<Summary> {
    const { clock } = this.#o.world
    this.#draining = true
    this.#ready = false
    const deadline = clock.after(Math.max(0, graceMs - limits.shutdownReserveMs), () => this.#cut())
    now?.addEventListener('abort', () => this.#cut())
    if (now?.aborted === true) this.#cut()
    if (this.#failure === undefined) this.#look(true)
    this.#wakeUp()
    await this.#loop
    await this.#requests.onIdle()
    deadline.cancel()
    await this.#save()
    const summary = this.#summary()
    this.#registry.close()
    await this.#watch?.close()
    return summary
  }

  figures(): Figures {
    const { ledger } = this
    const { plan } = this.#o
    const { writtenAtMs } = this.#checkpoint
    return {
      readLines: ledger.readLines,
      readBytes: ledger.readBytes,
      acknowledgedLines: ledger.acknowledgedLines,
      duplicateLines: ledger.duplicateLines,
      deadLetteredLines: ledger.deadLetteredLines,
      lostLines: ledger.lostLines,
      heldLines: ledger.heldLines,
      cutLines: ledger.cutLines,
      gapBytes: ledger.gapBytes,
      gaps: ledger.gaps,
      unreadBytes: this.#unread().bytes,
      files: this.#registry.generations.size,
      openFiles: this.#registry.openFiles,
      directories: this.#discovery.directories,
      slots: this.#arena.slots,
      slotsTaken: this.#arena.taken,
      requestsUnderWay: this.#requests.pending,
      memoryInUseBytes: memoryInUse(),
      memoryLimitBytes: plan.limitBytes,
      arenaBytes: plan.arenaBytes,
      checkpointAgeSeconds: writtenAtMs && (this.#o.world.clock.nowMs() - writtenAtMs) / 1000,
      checkpointFailures: this.#checkpoint.failures,
      health: this.#health.state,
      rotations: this.#rotations,
    }
  }

  #load(): { generations: readonly SavedGeneration[]; first: boolean } {
    const { world } = this.#o
    const loaded = this.#checkpoint.load()
    if (loaded.kind === 'loaded') {
      const { instance, sinceMs, generations } = loaded.state
      this.#state = { instance, sinceMs }
      if (loaded.setAside !== undefined) {
        this.#say('warn', {
          code: 'STATE_FALLBACK',
          path: loaded.setAside,
          message: `the newest checkpoint cannot be read and was set aside; ${loaded.from} is used`,
          wayOut: 'Nothing is lost: some lines are sent again and answered as duplicates.',
        })
      }
      return { generations, first: false }
    }
    this.#state = { instance: world.newInstanceId(), sinceMs: world.clock.nowMs() - 1000 }
    if (loaded.why === undefined) return { generations: [], first: true }
    this.#say('error', {
      code: 'STATE_UNREADABLE',
      ...(loaded.setAside !== undefined && { path: loaded.setAside }),
      message: `the checkpoint cannot be read: ${loaded.why}`,
      wayOut:
        'Every file is sent again from its start. With REMORA_POD_UID set, what Elasticsearch has already is answered as a duplicate; without, it is stored twice.',
    })
    // Not a first start: the end of a file is no place to begin when lines before it may not have been sent.
    return { generations: [], first: false }
  }

  #makeRegistry(saved: readonly SavedGeneration[], first: boolean): Registry {
    const { settings, world } = this.#o
    const instance = settings.podUid ?? this.#state.instance
    return new Registry(
      {
        disk: world.disk,
        clock: world.clock,
        roots: () => this.#discovery.roots,
        isUnsure: (path) => this.#discovery.isUnsure(path),
        sinceMs: this.#state.sinceMs,
        startAtEnd: first && settings.startAt === 'end',
        happened: (happening) => this.#onHappening(happening),
        lookAgain: (directory) => this.#discovery.hint(directory),
        name: (generation, fingerprint) =>
          generationIdOf([
            instance,
            String(generation.inode),
            String(generation.birthNs),
            fingerprint.hash,
            String(generation.epoch),
          ]),
        readable: (generation) => this.#schedule.offer(generation),
        settled: (generation) => this.#isSettled(generation),
      },
      saved,
    )
  }

  #makePump(): Pump {
    const { settings, world } = this.#o
    return new Pump({
      disk: world.disk,
      clock: world.clock,
      registry: this.#registry,
      schedule: this.#schedule,
      templates: new Templates(staticFields(settings)),
      arena: this.#arena,
      ledger: this.ledger,
      lineBytesMax: settings.lineBytesMax,
      withIds: settings.documentId === 'offset',
      sealed: (batch) => this.#ship(batch),
      started: (generation) => this.#frontierOf(generation),
      failed: (generation, code, message) =>
        this.#notices.warn({
          code: `READ_${code}`,
          path: generation.currentPath ?? generation.path,
          message: `it cannot be read: ${message}`,
          wayOut: 'It is tried again; the other files go on.',
        }),
      cut: (generation) =>
        this.#notices.warn({
          code: 'LINE_CUT',
          path: generation.path,
          message: `it has lines of more than ${settings.lineBytesMax} bytes; they are cut there and marked with log.flags: truncated`,
          wayOut: 'Raise REMORA_MAX_LINE_BYTES to keep them whole; remora_cut_lines_total counts them.',
        }),
      binary: (generation) =>
        this.#notices.warn({
          code: 'BINARY_FILE',
          path: generation.path,
          message: 'it looks binary: it is shipped with what is no UTF-8 replaced',
          wayOut: 'Leave it out with REMORA_EXCLUDE if it is not a log.',
        }),
    })
  }

  async #run(): Promise<void> {
    const { clock } = this.#o.world
    for (;;) {
      if (this.#stopped) return
      this.#lookAround()
      const more = this.#pump.fill()
      this.#settleEmpty()
      const sealMs = this.#sealAfter()
      if (sealMs === 0) this.#pump.seal()
      this.#writeCheckpoint()
      if (more) {
        await this.#o.world.yield()
        continue
      }
      if (this.#draining && this.#isDrained()) return
      const nowMs = clock.monotonicMs()
      await this.#sleep(Math.min(sealMs || Infinity, this.#nextLookMs - nowMs, this.#checkpointDueMs() - nowMs))
    }
  }

  /** Everything is answered for, and a last look has found nothing more; an application that writes on is not waited for. */
  #isDrained(): boolean {
    if (this.#pump.batch !== undefined || this.#schedule.size > 0) return false
    if (this.#requests.pending > 0 || this.#requests.size > 0) return false
    if (this.#drainLooks++ >= limits.drainLooksMax) return true
    this.#look(true)
    return this.#schedule.size === 0
  }

  /** Looks at the disk when its time has come, or a hint came; never more often than the shortest poll interval. */
  #lookAround(): void {
    if (this.#discovery.hinted)
      this.#nextLookMs = Math.min(this.#nextLookMs, this.#lookedAtMs + limits.pollIntervalMinMs)
    if (this.#o.world.clock.monotonicMs() >= this.#nextLookMs) this.#look(false)
  }

  #look(everything: boolean): void {
    const { clock } = this.#o.world
    const listings = this.#discovery.look(everything || this.#registry.searching)
    if (listings.length > 0) this.#registry.observe(listings, this.#discovery.sawEverything)
    const watched = (directory: string) => this.#discovery.isWatched(directory)
    for (const directory of this.#registry.poll(watched, everything)) {
      this.#discovery.busy(directory)
      // The size is known now: of what is lost later it tells how much.
      this.#dirty = true
    }
    const nowMs = clock.monotonicMs()
    this.#lookedAtMs = nowMs
    const nextMs = Math.min(this.#discovery.nextLookMs(), this.#registry.nextPollMs(watched))
    this.#nextLookMs = Math.max(nowMs + limits.pollIntervalMinMs, this.#registry.searching ? 0 : nextMs)
  }

  #sealAfter(): number | undefined {
    const { batch } = this.#pump
    if (batch === undefined) return undefined
    return sealAfterMs(
      {
        documents: batch.documents,
        ageMs: this.#o.world.clock.monotonicMs() - batch.openedAtMs,
        busy: this.#requests.pending > 0,
        draining: this.#draining,
      },
      this.#o.settings.batchLingerMs,
      limits.idleLingerMs,
    )
  }

  /** A batch without a document (the rest of a cut line, or nothing) has nothing to wait for. */
  #settleEmpty(): void {
    const { batch } = this.#pump
    if (batch === undefined || batch.documents > 0) return
    this.#pump.discard()
    for (const span of batch.spans) this.#frontierOf(span.source).issue(span.from, span.to)()
    if (batch.spans.length > 0) this.#dirty = true
    this.#arena.give(batch.slot)
  }

  #frontierOf(generation: Generation): Frontier {
    let frontier = this.#frontiers.get(generation)
    if (frontier === undefined) {
      const { offset, skipping, guard } = generation
      frontier = new Frontier({ offset, skipping, guard })
      this.#frontiers.set(generation, frontier)
    }
    return frontier
  }

  #isSettled(generation: Generation): boolean {
    const frontier = this.#frontiers.get(generation)
    return frontier === undefined || (frontier.settled && frontier.mark.offset === generation.offset)
  }

  #ship(batch: Filled): void {
    const settle = batch.spans.map((span) => this.#frontierOf(span.source).issue(span.from, span.to))
    const deliver = async () => {
      await this.#saved(batch.spans.map(({ source }) => source))
      const signal = this.#abort.signal
      const delivered = await this.#shipper.deliver(batch.slot.output, batch.bytes, batch.documents, signal)
      this.ledger.acknowledge(delivered.done, delivered.duplicates)
      this.ledger.deadLetter(delivered.deadLettered)
      this.ledger.lose(delivered.lost)
      assert(this.ledger.imbalance === 0, `the ledger does not balance: ${JSON.stringify(this.ledger)}`)
      if (delivered.held === 0) for (const span of settle) span()
      this.#dirty = true
      this.#arena.give(batch.slot)
      this.#wakeUp()
    }
    this.#requests.add(deliver).catch((error: unknown) => this.#fail(error))
  }

  #checkpointDueMs(): number {
    return this.#dirty ? this.#nextCheckpointMs : Infinity
  }

  #writeCheckpoint(): void {
    if (this.#o.world.clock.monotonicMs() < this.#checkpointDueMs()) return
    this.#dirty = false
    this.#nextCheckpointMs = Infinity
    this.#save().catch((error: unknown) => this.#fail(error))
  }

  /**
   * Returns when the state knows these generations, if it can be written: after a crash one that it does not know would
   * be a stranger, and rotated or truncated meanwhile would get other ids. One write serves all that wait for it.
   */
  async #saved(generations: readonly Generation[]): Promise<void> {
    const known = this.#registry.generations
    while (generations.some((generation) => !generation.durable && known.has(generation))) {
      await (this.#saving ??= this.#save().finally(() => (this.#saving = undefined)))
    }
  }

  /** Writes a checkpoint of this moment. A failure was reported and is tried again; nothing waits for it. */
  async #save(): Promise<void> {
    const generations = [...this.#registry.generations].filter(({ id }) => id !== undefined)
    const written = await this.#checkpoint.write(this.#snapshot())
    for (const generation of generations) generation.durable = true
    if (!written) this.#dirty = true
    const delayMs = checkpointDelayMs(written ? 0 : this.#checkpoint.failures)
    this.#nextCheckpointMs = this.#o.world.clock.monotonicMs() + delayMs
    this.#wakeUp()
  }

  #snapshot(): State {
    const generations: SavedGeneration[] = [...this.#registry.waiting]
    for (const generation of this.#registry.generations) {
      const { id, fingerprint } = generation
      const mark = this.#frontiers.get(generation)?.mark
      generations.push({
        id: id ?? null,
        path: generation.path,
        currentPath: generation.currentPath ?? null,
        epoch: generation.epoch,
        inode: String(generation.inode),
        birthNs: String(generation.birthNs),
        fingerprint: fingerprint ?? null,
        offset: mark?.offset ?? generation.offset,
        skipping: mark?.skipping ?? generation.skipping,
        guardHash: mark === undefined ? generation.guardHash() : hashOf(mark.guard),
        sizeBytes: generation.sizeBytes,
        finished: generation.finished && this.#isSettled(generation),
      })
    }
    return { ...this.#state, generations }
  }

  #onHealth(health: Health): void {
    const before = this.#health
    this.#health = health
    if (before.state === health.state) return
    if (health.state === 'ok') {
      if (before.state !== 'unknown')
        this.#say('info', { code: 'ELASTICSEARCH_OK', message: 'Elasticsearch takes documents again' })
      return
    }
    if (health.state === 'unknown') return
    const texts = {
      unreachable: [
        'Elasticsearch does not answer',
        'Check REMORA_ELASTICSEARCH_URL and the network; `remora check` tells more.',
      ],
      overloaded: [
        'Elasticsearch asks for time',
        'Its write load is more than it can take; lines wait in their files.',
      ],
      holding: [
        'Elasticsearch refuses the target',
        'Mend the credentials (REMORA_API_KEY, or REMORA_USERNAME and REMORA_PASSWORD), their privileges, or the index; `remora check` tells which.',
      ],
    } as const
    const [message, wayOut] = texts[health.state]
    this.#say('warn', {
      code: `ELASTICSEARCH_${health.state.toUpperCase()}`,
      message: `${message}: ${health.detail}. Nothing is given up: it is tried again until it works`,
      wayOut,
    })
  }

  #onRefused(why: string | undefined, status: number, errorType: string): string | undefined {
    this.#notices.warn(
      why === undefined
        ? {
            code: 'DEAD_LETTER',
            message: `Elasticsearch refuses a document for good (${status} ${errorType})`,
            wayOut: `It is kept in ${this.#deadLetters.path}; see remora_dead_lettered_lines_total.`,
          }
        : {
            code: 'DEAD_LETTER_LOST',
            message: `Elasticsearch refuses a document for good (${status} ${errorType}) and it could not be kept: ${why}`,
            wayOut: 'Make room in REMORA_STATE_DIR; see remora_lost_lines_total.',
          },
    )
    return why
  }

  #onHappening(happening: Happening): void {
    if (happening.kind === 'refused') {
      this.#notices.warn(happening)
      return
    }
    const { kind, generation } = happening
    this.#rotations[kind] = (this.#rotations[kind] ?? 0) + 1
    this.#dirty = true
    if (kind === 'found' || kind === 'resumed') {
      for (const code of ['EACCES', 'EPERM', 'EMFILE']) this.#notices.resolved(code, generation.currentPath)
    }
    if (kind === 'gap') {
      this.ledger.gap(happening.bytes)
      this.#say('error', {
        code: 'GAP',
        path: generation.path,
        message: `${happening.bytes} bytes at the least were not shipped, from offset ${generation.offset}: ${happening.why}`,
        wayOut: 'They are gone. Keep rotated files for longer than Elasticsearch may be away.',
      })
      return
    }
    this.#o.logger.debug(
      { 'event.code': `FILE_${kind.toUpperCase()}`, 'file.path': generation.path },
      `${generation.path}: ${kind} (inode ${generation.inode}, offset ${generation.offset}, size ${generation.sizeBytes})`,
    )
  }

  #say(level: 'info' | 'warn' | 'error', notice: Notice): void {
    this.#o.logger[level](fieldsOf(notice), textOf(notice))
  }

  #unread(): { bytes: number; files: string[] } {
    let bytes = 0
    const files: string[] = []
    for (const generation of this.#registry.generations) {
      if (generation.finished || generation.unreadBytes === 0) continue
      bytes += generation.unreadBytes
      files.push(generation.currentPath ?? generation.path)
    }
    return { bytes, files }
  }

  #summary(): Summary {
    const unread = this.#unread()
    const { heldLines } = this.ledger
    return {
      failure: this.#failure,
      heldLines,
      unreadBytes: unread.bytes,
      unreadFiles: unread.files,
      ledger: this.ledger,
    }
  }

  #cut(): void {
    this.#stopped = true
    this.#abort.abort()
    this.#wakeUp()
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#cut()
    this.#failing.resolve(error)
  }

  #wakeUp(): void {
    this.#woken = true
    this.#wake?.()
  }

  async #sleep(delayMs: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = delayMs === Infinity ? undefined : this.#o.world.clock.after(Math.max(1, delayMs), resolve)
        this.#wake = () => {
          timer?.cancel()
          resolve()
        }
      })
      this.#wake = undefined
    }
    this.#woken = false
  }
}

function staticFields(settings: Settings): ReadonlyMap<string, string> {
  const facts: [string, string | undefined][] = [
    ['kubernetes.namespace', settings.podNamespace],
    ['kubernetes.pod.name', settings.podName],
    ['kubernetes.pod.uid', settings.podUid],
    ['kubernetes.node.name', settings.nodeName],
    ['service.name', settings.serviceName],
  ]
  return new Map([...facts.filter((fact): fact is [string, string] => fact[1] !== undefined), ...settings.fields])
}
