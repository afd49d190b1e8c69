import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Agent, type World } from '../../src/agent.ts'
import { bulkAnswer } from '../../src/bench/sink/answers.ts'
import { messageOf } from '../../src/base/errors.ts'
import { sleep, systemClock } from '../../src/base/clock.ts'
import { systemDisk } from '../../src/base/disk.ts'
import { systemVolumeDisk } from '../../src/base/volume-disk.ts'
import { planFor } from '../../src/commands/plan.ts'
import { loadSettings } from '../../src/config/load.ts'
import { AnswerReader } from '../../src/ship/answer.ts'
import type { Send } from '../../src/ship/transport.ts'
import { allocatedEver, threadNs } from './counters.ts'

/** What lines cost on their way from a file to their verdict, the network left out. */
export interface WayCost {
  /** Lines that it was measured on: those of the first batches are not among them. */
  readonly lines: number
  readonly bodyBytes: number
  /** CPU time of this thread. */
  readonly cpuNs: number
  /** On the heap of JavaScript. */
  readonly allocatedBytes: number
}

const podUid = '6f1c2f0a-9f5e-4a5e-8d53-7c1d2b8e4f60'
const batchBytes = '4Mi'
/** Before them slots are made and first code runs. */
const batchesToWarm = 4
const waitMsMax = 30_000
const stopMsMax = 5_000
const chunkBytes = 65_536

/**
 * The whole agent in this process, on a real file: all but the connection, in whose place every request is answered at once,
 * and that answer is read as one from a server.
 *
 * @param lines  of the file: it is over when all of them have their verdict
 * @throws Error when they have not after half a minute, or when there are too few to measure
 */
export async function measureWay(logPath: string, lines: number): Promise<WayCost> {
  const directory = mkdtempSync(join(tmpdir(), 'remora-micro-'))
  /** Each look costs something: there are two, when what is steady begins, and when the last batch leaves. */
  const looks: WayCost[] = []
  let [sent, sentLines, bodyBytes] = [0, 0, 0]
  const send: Send = async (body, documents) => {
    if (sent === batchesToWarm || sentLines + documents >= lines) {
      looks.push({ lines: sentLines, bodyBytes, cpuNs: threadNs(), allocatedBytes: allocatedEver() })
    }
    sent++
    sentLines += documents
    bodyBytes += body.length
    return { kind: 'answered', answer: answerTo(documents) }
  }
  let failure = ''
  const agent = agentOf(logPath, join(directory, 'state'), send)
  try {
    void agent.failed.then((error: unknown) => (failure = messageOf(error)))
    await agent.start()
    const untilMs = systemClock.monotonicMs() + waitMsMax
    while (agent.ledger.acknowledgedLines < lines) {
      const isLate = systemClock.monotonicMs() > untilMs
      if (isLate) failure = `${agent.ledger.acknowledgedLines} of ${lines} lines have a verdict after ${waitMsMax} ms`
      if (failure !== '') throw new Error(failure)
      await sleep(systemClock, 10)
    }
  } finally {
    await agent.stop(stopMsMax)
    rmSync(directory, { recursive: true, force: true })
  }
  const [from, to] = looks
  if (from === undefined || to === undefined) throw new Error(`${sent} batches are too few to measure`)
  return {
    lines: to.lines - from.lines,
    bodyBytes: to.bodyBytes - from.bodyBytes,
    cpuNs: to.cpuNs - from.cpuNs,
    allocatedBytes: to.allocatedBytes - from.allocatedBytes,
  }
}

function answerTo(documents: number) {
  const reader = new AnswerReader(documents)
  for (const piece of bulkAnswer(documents).pieces) {
    for (let at = 0; at < piece.length; at += chunkBytes) reader.feed(piece.subarray(at, at + chunkBytes))
  }
  return reader.end()
}

function agentOf(logPath: string, stateDir: string, send: Send): Agent {
  const given = {
    REMORA_PATHS: logPath,
    REMORA_STATE_DIR: stateDir,
    REMORA_ELASTICSEARCH_URL: 'http://127.0.0.1:9',
    REMORA_POD_UID: podUid,
    REMORA_BATCH_BYTES: batchBytes,
    REMORA_ADMIN_PORT: '0',
  }
  const { settings } = loadSettings(given, () => '')
  if (settings === undefined) throw new Error('the settings of the bench are wrong')
  const limit = { bytes: 2 ** 30, origin: 'bench' }
  const plan = planFor(settings, limit)
  const nobody = { kind: 'refused', why: 'there is no server' } as const
  const world: World = {
    disk: systemDisk,
    volumeDisk: systemVolumeDisk,
    clock: systemClock,
    random: Math.random,
    newInstanceId: () => 'bench',
    watch: () => ({ add: () => {}, remove: () => {}, close: async () => {} }),
    send,
    lookup: { indices: async () => nobody, present: async () => nobody },
    memory: {
      sample: () => ({ limit, usedBytes: 0, roomBytes: limit.bytes, ooms: 0, stalledMs: undefined }),
      collect: () => false,
      plan: () => plan,
      leastPlan: () => plan,
    },
    yield: () => new Promise((resolve) => setImmediate(resolve)),
  }
  return new Agent({ settings, plan, world, logger: pino({ level: 'silent' }) })
}
