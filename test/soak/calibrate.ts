import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startAgent } from '../kit/agent-process.ts'
import type { Elasticsearch } from '../kit/elasticsearch.ts'
import { intoElasticsearch } from '../kit/storm/destinations.ts'
import { StormLines } from '../kit/storm/lines.ts'

const lines = 1_500_000
const warmUpMs = 10_000
const measuredMs = 15_000
const lookMs = 200

/** Lines a second that this server takes from this agent, both on the processors that the storm has too. */
export async function calibrate(server: Elasticsearch, lineBytes: number): Promise<number> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-calibrate-'))
  const index = path.basename(directory).toLowerCase()
  const storm = new StormLines(1, lineBytes)
  writeLines(path.join(directory, 'app.log'), storm)
  const destination = intoElasticsearch(server, index, storm)
  const agent = startAgent({
    REMORA_PATHS: `${directory}/*.log`,
    REMORA_STATE_DIR: `${directory}/state`,
    REMORA_ELASTICSEARCH_URL: server.url,
    REMORA_INDEX: index,
  })
  try {
    // The first seconds are the compiler's.
    const beganMs = performance.now()
    while (performance.now() - beganMs < warmUpMs) await delay(lookMs)
    const [fromMs, from] = [performance.now(), await destination.stored()]
    let [toMs, to] = [fromMs, from]
    while (toMs - fromMs < measuredMs && to < lines) {
      await delay(lookMs)
      to = await destination.stored()
      toMs = performance.now()
    }
    return ((to - from) / (toMs - fromMs)) * 1000
  } finally {
    await agent.end('SIGKILL')
    fs.rmSync(directory, { recursive: true, force: true })
    await server.request('DELETE', `/${index}`)
  }
}

function writeLines(to: string, storm: StormLines): void {
  const descriptor = fs.openSync(to, 'w')
  const block = Buffer.allocUnsafe(1 << 21)
  let end = 0
  for (let number = 1; number <= lines; number++) {
    end = storm.put(block, end, number)
    if (end < 1 << 20 && number < lines) continue
    fs.writeSync(descriptor, block, 0, end)
    end = 0
  }
  fs.closeSync(descriptor)
}
