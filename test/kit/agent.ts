import { pino } from 'pino'
import { Agent, type Summary, type World } from '../../src/agent.ts'
import type { Memory } from '../../src/agent/memory.ts'
import type { Disk } from '../../src/base/disk.ts'
import type { Load } from '../../src/base/load.ts'
import type { VolumeDisk } from '../../src/base/volume-disk.ts'
import { assert } from '../../src/base/errors.ts'
import type { Settings } from '../../src/config/types.ts'
import type { Watch } from '../../src/discover/watch.ts'
import type { MemoryPlan } from '../../src/queue/plan.ts'
import { drained, VirtualClock } from './agent-clock.ts'
import { MemoryServer, type Stored } from './agent-server.ts'

/** `drop` is what the kernel does when a process dies. */
export type HarnessDisk = Disk & VolumeDisk & { drop?(): void }

export interface HarnessOptions {
  /** A process's view of the disk; `drop` is what the kernel does when the process dies. */
  readonly disk: (alive: () => boolean) => HarnessDisk
  readonly clock?: VirtualClock
  readonly server?: MemoryServer
  readonly settings: Partial<Settings> & Pick<Settings, 'paths' | 'stateDir'>
  readonly slots?: number
  /** Descriptors that tailing may hold. */
  readonly openFilesMax?: number
  /** Each checkpoint takes so much longer, in virtual time. */
  readonly beforeWrite?: () => Promise<void>
  readonly concurrency?: number
  readonly batchBytes?: number
  readonly random?: () => number
  /** For a real disk, whose files carry real times: a wall clock other than the virtual one. */
  readonly wallMs?: () => number
  readonly logLevel?: string
  /** Where the time of the process goes. */
  readonly load?: () => Load
  /** What the kernel says of memory; room enough when left out. */
  readonly memory?: Memory
  /** Where the agent awaits something that is neither disk nor server: it may die here, or the world may change. */
  readonly point?: () => void
  /** What others do between two turns of a look or the loop: virtual time may pass. */
  readonly turn?: () => Promise<void>
  /** Steps of a look in one turn; as many as there is time for when left out, and here no time passes. */
  readonly lookStepsMax?: number | undefined
}

/** What Remora said of itself. */
export interface Message {
  /** Virtual, monotonic. */
  readonly atMs: number
  readonly level: string
  readonly code: string
  readonly path: string
  readonly text: string
}

const limitBytes = 64 * 2 ** 20

const roomy: Memory = {
  sample: () => ({
    limit: { bytes: limitBytes, origin: 'test' },
    usedBytes: 0,
    roomBytes: limitBytes,
    ooms: 0,
    stalledMs: undefined,
  }),
  collect: () => true,
  heapBytes: () => 0,
  plan() {
    throw new Error('the limit stays as it is')
  },
  leastPlan() {
    throw new Error('the limit stays as it is')
  },
}

/** Turns of the agent's loop at one moment; more are a loop without an end. */
const yieldsMax = 100_000

/** The real agent in this process, in a world that the test owns: time, disk, watches and server. */
export class AgentHarness {
  readonly clock: VirtualClock
  readonly server: MemoryServer
  readonly messages: Message[] = []
  readonly #o: HarnessOptions
  readonly #watched = new Map<string, () => void>()
  #agent: Agent | undefined
  #disk: HarnessDisk | undefined
  /** Changes with each process; what belongs to another is dead. */
  #life = 0
  #yields = 0
  #ids = 0
  #writes = 0
  failure: unknown

  constructor(options: HarnessOptions) {
    this.#o = options
    this.clock = options.clock ?? new VirtualClock()
    this.server = options.server ?? new MemoryServer()
  }

  get agent(): Agent {
    assert(this.#agent !== undefined, 'the agent runs')
    return this.#agent
  }

  get isUp(): boolean {
    return this.#agent !== undefined
  }

  async start(): Promise<void> {
    assert(this.#agent === undefined, 'one agent at a time')
    const life = ++this.#life
    const alive = () => this.#life === life
    const { settings, random = () => 0.5, wallMs } = this.#o
    this.#disk = this.#counting(this.#o.disk(alive))
    const world: World = {
      disk: this.#disk,
      volumeDisk: this.#disk,
      clock: this.clock.view(alive, wallMs, this.#o.point),
      random,
      newInstanceId: () => `instance-${++this.#ids}`,
      watch: (hint) => this.#watch(hint),
      ...(this.#o.load === undefined ? {} : { load: this.#o.load }),
      ...(this.#o.openFilesMax === undefined ? {} : { openFilesMax: this.#o.openFilesMax }),
      send: this.server.connect(alive),
      lookup: this.server.connectLookup(alive),
      memory: this.#o.memory ?? roomy,
      lookStepsMax: this.#o.lookStepsMax,
      yield: async () => {
        if (this.#yields++ > yieldsMax) throw new Error('the loop does not come to rest')
        this.#o.point?.()
        await this.#o.turn?.()
        if (!alive()) await new Promise(() => {})
      },
    }
    const agent = new Agent({
      settings: { ...defaults, ...settings },
      plan: this.#plan(settings.lineBytesMax ?? defaults.lineBytesMax),
      world,
      logger: this.#logger(alive),
    })
    this.#agent = agent
    void agent.failed.then((error) => (alive() ? (this.failure = error) : undefined))
    await this.#until(agent.start(), alive)
  }

  /** SIGTERM: virtual time passes until it has stopped; undefined when it was killed meanwhile. */
  async stop(graceMs = 25_000): Promise<Summary | undefined> {
    const life = this.#life
    const summary = await this.#until(this.agent.stop(graceMs), () => this.#life === life)
    if (summary !== undefined) this.#dead()
    return summary
  }

  /** SIGKILL: no step further, and the kernel closes its files. */
  crash(): void {
    this.#dead()
  }

  #dead(): void {
    this.#life++
    this.#agent = undefined
    this.#watched.clear()
    this.#disk?.drop?.()
  }

  /** Lets time pass. */
  async advance(forMs: number): Promise<void> {
    await this.clock.advanceTo(this.clock.nowMs + forMs, () => this.#rest())
  }

  /** Lets time pass until something holds. @returns whether it does */
  async until(holds: () => boolean, mostMs = 60_000): Promise<boolean> {
    const endMs = this.clock.nowMs + mostMs
    await this.#rest()
    while (!holds() && this.clock.nextMs <= endMs) await this.clock.advanceTo(this.clock.nextMs, () => this.#rest())
    return holds()
  }

  /** Tells a directory's watcher, if there is one, that something happened. */
  hint(directory: string): void {
    this.#watched.get(directory)?.()
  }

  isWatched(directory: string): boolean {
    return this.#watched.has(directory)
  }

  /** What the server has of each file, in the order of the lines. */
  stored(): Record<string, Stored[]> {
    const all = [...this.server.documents.values()]
    const files = Object.groupBy(all, ({ path }) => path) as Record<string, Stored[]>
    for (const documents of Object.values(files)) documents.sort((a, b) => a.offset - b.offset)
    return files
  }

  /** The messages of each file, in the order of the lines; several lives of a file one after the other. */
  lines(path: string): string[] {
    return (this.stored()[path] ?? []).map(({ message }) => message)
  }

  /** Undefined when the process died before. */
  async #until<T>(promise: Promise<T>, alive: () => boolean): Promise<T | undefined> {
    const state = { ended: false }
    const settled = promise.finally(() => (state.ended = true))
    settled.catch(() => {})
    await this.#rest()
    for (let steps = 0; !state.ended && alive(); steps++) {
      assert(this.clock.nextMs < Infinity && steps < 1e5, 'time alone ends it')
      await this.clock.advanceTo(this.clock.nextMs, () => this.#rest())
    }
    return alive() ? settled : undefined
  }

  async #rest(): Promise<void> {
    this.#yields = 0
    do await drained()
    while (this.#writes > 0)
  }

  #counting(disk: HarnessDisk): HarnessDisk {
    return {
      ...disk,
      replace: (path, previous, text) => {
        // Only a real disk takes real time; one in memory waits for virtual time, and must not be waited for.
        if (this.#o.wallMs === undefined) return disk.replace(path, previous, text)
        const write = () => {
          this.#writes++
          return disk.replace(path, previous, text).finally(() => this.#writes--)
        }
        return this.#o.beforeWrite === undefined ? write() : this.#o.beforeWrite().then(write)
      },
      unpack: (descriptor, packing) => {
        const unpacked = disk.unpack(descriptor, packing)
        return this.#o.wallMs === undefined ? unpacked : this.#awaited(unpacked)
      },
    }
  }

  /** The same pieces, and virtual time stands still until each is there. */
  async *#awaited(pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    const iterator = pieces[Symbol.asyncIterator]()
    try {
      for (;;) {
        this.#writes++
        const next = await iterator.next().finally(() => this.#writes--)
        if (next.done === true) return
        yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }

  #watch(hint: (directory: string) => void): Watch {
    return {
      add: (directory) => void this.#watched.set(directory, () => hint(directory)),
      remove: (directory) => void this.#watched.delete(directory),
      close: async () => this.#watched.clear(),
    }
  }

  #plan(lineBytesMax: number): MemoryPlan {
    const { slots = 4, concurrency = 2, batchBytes = 64 * 1024 } = this.#o
    const inputBytes = lineBytesMax + 4096
    const slotBytes = inputBytes + batchBytes
    return {
      limitBytes,
      limitOrigin: 'test',
      reserveBytes: 0,
      batchBytes,
      inputBytes,
      slotBytes,
      slots,
      concurrency,
      arenaBytes: slots * slotBytes,
    }
  }

  #logger(alive: () => boolean) {
    const write = (line: string) => {
      if (!alive()) return
      const { level, message, ...rest } = JSON.parse(line) as Record<string, unknown>
      this.messages.push({
        atMs: this.clock.nowMs,
        level: asText(level),
        code: asText(rest['event.code']),
        path: asText(rest['file.path']),
        text: asText(message),
      })
    }
    const formatters = { level: (level: string) => ({ level }) }
    return pino({ level: this.#o.logLevel ?? 'info', base: null, messageKey: 'message', formatters }, { write })
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

const defaults: Settings = {
  paths: [],
  exclude: [],
  stateDir: '/state',
  elasticsearchUrls: ['http://127.0.0.1:9200'],
  apiKey: undefined,
  username: undefined,
  password: undefined,
  bearerToken: undefined,
  caFile: undefined,
  caFingerprint: undefined,
  clientCertFile: undefined,
  clientKeyFile: undefined,
  compression: 'none',
  compressionLevel: 1,
  proxies: new Map(),
  target: 'logs-generic-default',
  pipeline: undefined,
  routing: undefined,
  setup: 'never',
  retentionMs: undefined,
  podName: undefined,
  podNamespace: undefined,
  podUid: undefined,
  nodeName: undefined,
  serviceName: undefined,
  fields: new Map(),
  documentId: 'offset',
  batchBytes: undefined,
  batchLingerMs: 200,
  concurrency: undefined,
  memoryLimitBytes: undefined,
  startAt: 'beginning',
  shutdownGraceMs: 25_000,
  drainQuietMs: 0,
  requestTimeoutMs: 60_000,
  lineBytesMax: 4096,
  scanIntervalMs: 10_000,
  deadLetterBytesMax: 1024 * 1024,
  deadLetterIndex: undefined,
  volumeLimitBytes: undefined,
  volumePolicy: 'keep',
  logLevel: 'debug',
  logFormat: 'auto',
  adminPort: 0,
}
