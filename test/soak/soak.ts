import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { elasticsearchAvailable, startElasticsearch } from '../kit/elasticsearch.ts'
import { messageOf } from '../../src/base/errors.ts'
import { soakRandom, type RandomSaid } from './random.ts'
import { runStormOn, sayOf, stormServer } from './storm.ts'

/**
 * Everything that searches for counter-examples, in turn, with ever new seeds, until the time is over: the model, the
 * storms, the random bytes. What fails is said with its seed; the others go on.
 */

interface Row {
  readonly what: string
  runs: number
  failed: number
  durationMs: number
  readonly failures: string[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const modelSeeds = 2_000
const stormKills = 30
const randomLines = 1_000_000
const failuresMax = 5
const seedMax = 2 ** 30

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' }, elasticsearch: { type: 'string' } },
})
const report = (text: string) => process.stdout.write(`${text}\n`)
const untilMs = performance.now() + Number(values.minutes) * 60_000
let seed = Number(values.seed ?? Math.floor(Math.random() * seedMax))
const withElasticsearch = values.elasticsearch !== 'no' && elasticsearchAvailable().available

/** One file of vitest's, for which the seed comes from the environment. */
async function vitest(file: string, env: Readonly<Record<string, string>>): Promise<RandomSaid> {
  const bin = path.join(root, 'node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [bin, 'run', file], { cwd: root, env: { ...process.env, ...env } })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  await once(child, 'close')
  process.off('exit', kill)
  const ok = child.exitCode === 0
  return { ok, text: ok ? 'ok' : Buffer.concat(chunks).toString('utf8').slice(-6_000) }
}

const works: readonly (readonly [string, (seed: number) => Promise<RandomSaid>])[] = [
  [
    `model, ${modelSeeds} seeds`,
    (first) =>
      vitest('test/model/model.test.ts', { REMORA_MODEL_SEED: String(first), REMORA_MODEL_SEEDS: String(modelSeeds) }),
  ],
  ...(['rename', 'copytruncate', 'mixed'] as const).flatMap((mode) =>
    (withElasticsearch ? (['null', 'elasticsearch'] as const) : (['null'] as const)).map(
      (sink) =>
        [
          `storm, ${mode} into ${sink}, ${stormKills} kills`,
          async (first: number) => {
            const server = sink === 'null' ? undefined : await startElasticsearch(stormServer)
            try {
              const run = { mode, kills: stormKills, sink, seed: first, bytesPerSecond: undefined, report }
              const result = await runStormOn(run, server)
              return { ok: result.fault === '', text: sayOf(result) }
            } finally {
              await server?.remove()
            }
          },
        ] as const,
    ),
  ),
  [`random bytes, ${randomLines} lines`, (first) => soakRandom(randomLines, 4, first, report)],
]

const rows: Row[] = works.map(([what]) => ({ what, runs: 0, failed: 0, durationMs: 0, failures: [] }))
for (let turn = 0; performance.now() < untilMs; turn++) {
  const [what, work] = works[turn % works.length]!
  const row = rows[turn % works.length]!
  const startedMs = performance.now()
  report(`--- ${what}, seed ${seed}`)
  let said: RandomSaid
  try {
    said = await work(seed)
  } catch (error) {
    said = { ok: false, text: messageOf(error) }
  }
  report(said.text)
  row.runs++
  row.durationMs += performance.now() - startedMs
  if (!said.ok) {
    row.failed++
    if (row.failures.length < failuresMax) row.failures.push(`seed ${seed}`)
  }
  // The model has used up so many; the next turn must not begin with one of them.
  seed = (seed + modelSeeds) % seedMax
}

report(`\n${'what'.padEnd(46)} ${'runs'.padStart(5)} ${'failed'.padStart(7)} ${'minutes'.padStart(8)}`)
for (const { what, runs, failed, durationMs, failures } of rows) {
  const minutes = (durationMs / 60_000).toFixed(1)
  const line = `${what.padEnd(46)} ${String(runs).padStart(5)} ${String(failed).padStart(7)} ${minutes.padStart(8)}`
  report(`${line}  ${failures.join(', ')}`.trimEnd())
}
process.exitCode = rows.some(({ failed }) => failed > 0) ? 1 : 0
