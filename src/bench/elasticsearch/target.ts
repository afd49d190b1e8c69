import type { Env } from '../../config/load.ts'
import { ExpectedLines } from '../sink/expected.ts'
import { Tally } from '../sink/tally.ts'
import type { Arrived, Target, Written } from '../target.ts'
import type { Account, Workload } from '../types.ts'
import { monotonicUs } from '../workload/clock.ts'
import { findHead } from '../workload/head.ts'
import { textsOf } from '../workload/lines.ts'
import { withKeptSample } from '../workload/sample.ts'
import { indexPrefix, remoteOf, settingsFor, throwAwayName } from './connection.ts'
import { IndexDocuments } from './index-documents.ts'
import { startKeeper } from './keeper.ts'

/** Each look costs the server something. */
const lookMs = 200
/** A server under load may leave so many in a row unanswered. */
const missedMax = 50

/**
 * A throw-away index on the user's own Elasticsearch, deleted when the target is closed or the bench is gone.
 *
 * It is counted by the server while it is filled, and line by line at the end: `message` of all documents is read back and
 * compared. Latency is not told: the server keeps no time of an answer, and the agent does not know when a line was written.
 *
 * @param env  has the credentials, as the agent's settings
 * @param say  is told once what the indices are called: should the keeper be killed too, somebody must know
 * @throws RemoraError when nobody answers there, the credentials do not suffice, or the index cannot be made
 */
export async function elasticsearchTarget(
  url: string,
  workload: Workload,
  env: Env,
  say: (text: string) => void = complain,
): Promise<Target> {
  const { seed, mix, files } = withKeptSample(workload)
  const expected = new ExpectedLines(textsOf(mix, seed), seed, files)
  const name = throwAwayName()
  const settings = settingsFor(env, url, name)
  const remote = remoteOf(settings)
  const index = new IndexDocuments(remote, name)
  try {
    await remote.greet()
  } catch (error) {
    await remote.close()
    throw error
  }
  const keeper = await startKeeper(name, settings)
  let isCounted = false
  const close = async () => {
    await remote.close()
    await keeper.remove(isCounted)
  }
  tellNames(say)
  try {
    await index.create()
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
  const looking = new Looking(index, expected.meanBytes)
  return {
    settings,
    begin: () => Promise.resolve(),
    measureFrom: () => Promise.resolve(),
    arrived: () => looking.arrived(),
    async account(written) {
      const account = await accountOf(index, expected, written)
      isCounted = true
      return account
    },
    latency: () => Promise.resolve(undefined),
    close,
  }
}

const complain = (text: string): void => void process.stderr.write(`${text}\n`)
let isTold = false

function tellNames(say: (text: string) => void): void {
  if (isTold) return
  isTold = true
  say(`indices   ${indexPrefix}*, each deleted after its run; if one stays: GET /_cat/indices/remora-bench-*`)
}

/** What the server says of its counts, and when that was first and last another number. */
class Looking {
  readonly #index: IndexDocuments
  readonly #meanBytes: number
  #at = -Infinity
  #now: Promise<Arrived> | undefined
  #documents = 0
  #firstAtMs = 0
  #lastAtMs = 0
  #requests = 0
  #missed = 0

  constructor(index: IndexDocuments, meanBytes: number) {
    this.#index = index
    this.#meanBytes = meanBytes
  }

  /** As of so many ms ago at most. Its bytes are those of as many lines of mean length. */
  arrived(): Promise<Arrived> {
    const nowMs = monotonicUs() / 1e3
    if (this.#now === undefined || nowMs - this.#at >= lookMs) {
      this.#at = nowMs
      this.#now = this.#look()
      this.#now.catch(() => (this.#now = undefined))
    }
    return this.#now
  }

  async #look(): Promise<Arrived> {
    let documents = this.#documents
    try {
      const counts = await this.#index.counts()
      documents = counts.documents
      this.#requests = counts.requests
      this.#missed = 0
    } catch (error) {
      if (++this.#missed > missedMax) throw error
    }
    const nowMs = monotonicUs() / 1e3
    if (documents > this.#documents) {
      this.#documents = documents
      this.#lastAtMs = nowMs
      if (this.#firstAtMs === 0) this.#firstAtMs = nowMs
    }
    return {
      storedLines: this.#documents,
      storedBytes: Math.round(this.#documents * this.#meanBytes),
      isGuess: true,
      requests: this.#requests,
      bodyBytes: 0,
      firstAtMs: this.#firstAtMs,
      lastAtMs: this.#lastAtMs,
      cpuUs: 0,
      failure: '',
    }
  }
}

/** Line by line: what is there, read back. A line that is there twice has two ids, for one id is one document. */
async function accountOf(index: IndexDocuments, expected: ExpectedLines, written: Written): Promise<Account> {
  const tally = new Tally()
  for await (const page of index.messages(expected.meanBytes)) {
    for (const message of page) {
      const head = findHead(message)
      if (head === undefined || head.file >= expected.files || head.number === 0) {
        tally.wrong++
        continue
      }
      if (!expected.isText(message, head.at, head.file, head.number)) tally.wrong++
      tally.store(head.file, head.number, 0, 0)
    }
  }
  tally.again = (await index.counts()).conflicts
  return tally.account(written)
}
