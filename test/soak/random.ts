import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { runRandom, type RandomRunResult } from '../kit/storm/random-run.ts'

const rotateBytes = 32e6

export interface RandomSaid {
  readonly text: string
  readonly ok: boolean
}

/** Random bytes; what they leave behind is removed only when every line is there once. */
export async function soakRandom(
  lines: number,
  kills: number,
  seed: number,
  report: (text: string) => void,
): Promise<RandomSaid> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-random-'))
  const result = await runRandom({ directory, seed, lines, kills, rotateBytes, report })
  const ok = result.stored.count === result.expected.count && result.stored.digest === result.expected.digest
  if (ok) fs.rmSync(directory, { recursive: true, force: true })
  else report(`seed ${seed}: what the agent said and its state are in ${directory}`)
  return { text: sayOf(result, ok), ok }
}

function sayOf({ expected, stored, bytes, cut, rotations, again, durationMs }: RandomRunResult, ok: boolean): string {
  const sums = ok ? 'every text as the reference has it' : `FAULT sums ${stored.digest}, expected ${expected.digest}`
  const seconds = (durationMs / 1000).toFixed(0)
  return `${stored.count} of ${expected.count} lines (${(bytes / 1e6).toFixed(0)} MB, ${cut} over the limit), ${sums}; ${rotations} rotations, ${again} sent again, ${seconds} s`
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      lines: { type: 'string', default: '10000000' },
      kills: { type: 'string', default: '12' },
      seed: { type: 'string' },
    },
  })
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6))
  print(`random bytes, seed ${seed}`)
  const { text, ok } = await soakRandom(Number(values.lines), Number(values.kills), seed, print)
  print(text)
  process.exitCode = ok ? 0 : 1
}
