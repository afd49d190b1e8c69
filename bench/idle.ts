import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sleep, systemClock } from '../src/base/clock.ts'
import { LivingAgent } from './living.ts'
import { keptDir } from '../src/bench/machine/kept.ts'
import { wholeOf } from '../src/bench/option-values.ts'
import { freePort, onExit, runMain } from '../src/bench/machine/process.ts'
import { sleepsOf } from '../src/bench/machine/procfs.ts'
import { spreadText, table } from './report.ts'
import { SinkProcess } from './sink-client.ts'
import { spreadOf } from '../src/bench/stats.ts'

const help = `node bench/idle.ts [options]

What an agent with one file costs that has nothing to do: wake-ups and CPU, each second; with the server there, with it gone
and nothing to send, and with it gone and lines that wait. Nobody asks its endpoints.

  --rounds N      so many rounds (2)
  --seconds N     watched in each state, after as many for it to settle, 20 at most (30)
  --agent FILE    another entry than this checkout's, for a comparison
  --help
`

const line = '2026-11-22 17:30:00,000 INFO  [main] c.e.shop.Main : Started\n'
const settleMsMax = 20_000
const statesOf = ['server there', 'server gone, nothing to send', 'server gone, lines waiting'] as const
type State = (typeof statesOf)[number]

interface Cost {
  readonly wakeUpsPerSecond: number
  readonly cpuMsPerSecond: number
}

async function costOf(state: State, watchedMs: number, sink: SinkProcess, entry: string | undefined): Promise<Cost> {
  const directory = mkdtempSync(join(keptDir(), 'idle-'))
  const remove = onExit(() => rmSync(directory, { recursive: true, force: true }))
  mkdirSync(join(directory, 'logs'))
  const logPath = join(directory, 'logs', 'app.log')
  const waits = state === 'server gone, lines waiting'
  writeFileSync(logPath, state === 'server there' ? line : '')
  const url = state === 'server there' ? sink.url : `http://127.0.0.1:${await freePort()}`
  const agent = await LivingAgent.start({
    env: {
      REMORA_PATHS: `${directory}/logs/*.log`,
      REMORA_STATE_DIR: join(directory, 'state'),
      REMORA_ELASTICSEARCH_URL: url,
    },
    outputPath: join(directory, 'agent.out'),
    ...(entry !== undefined && { main: entry }),
  })
  try {
    await agent.answers()
    if (waits) appendFileSync(logPath, line)
    await sleep(systemClock, Math.min(settleMsMax, watchedMs))
    const pid = agent.child.pid!
    const [sleeps, cpuUs, fromMs] = [sleepsOf(pid), agent.cpuUs(), performance.now()]
    await sleep(systemClock, watchedMs)
    const seconds = (performance.now() - fromMs) / 1000
    if (!agent.alive) throw new Error(`the agent has ended: ${agent.lastWords()}`)
    return {
      wakeUpsPerSecond: (sleepsOf(pid) - sleeps) / seconds,
      cpuMsPerSecond: (agent.cpuUs() - cpuUs) / 1000 / seconds,
    }
  } finally {
    await agent.end('SIGKILL')
    remove()
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '2' },
      seconds: { type: 'string', default: '30' },
      agent: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const rounds = wholeOf('--rounds', values.rounds, 1, 50)
  const watchedMs = wholeOf('--seconds', values.seconds, 5, 3_600) * 1000
  const sink = await SinkProcess.start(false)
  try {
    const rows: string[][] = [['', 'wake-ups a second', 'CPU, ms a second']]
    const costs = new Map<State, Cost[]>(statesOf.map((state) => [state, []]))
    for (let round = 0; round < rounds; round++) {
      for (const state of statesOf) costs.get(state)!.push(await costOf(state, watchedMs, sink, values.agent))
    }
    for (const [state, found] of costs) {
      const wakeUps = spreadOf(found.map(({ wakeUpsPerSecond }) => wakeUpsPerSecond))
      const cpu = spreadOf(found.map(({ cpuMsPerSecond }) => cpuMsPerSecond))
      rows.push([state, spreadText(wakeUps), spreadText(cpu, 1, 2)])
    }
    process.stdout.write(`${table(rows)}\n`)
    return 0
  } finally {
    await sink.stop()
  }
}

await runMain('idle', help, main)
