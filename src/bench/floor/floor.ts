import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onExit, outputOf } from '../machine/process.ts'
import { temporaryDirectory } from '../machine/temporary.ts'

export type FloorKind = 'c' | 'node'

/** How the floor is run here. `explain` says in words which floor it is and why. */
export interface FloorTool {
  readonly kind: FloorKind
  readonly command: string
  readonly args: readonly string[]
  readonly explain: string
}

/** What one floor cost: user and system time of that process only, by its own getrusage. */
export interface FloorRun {
  readonly userUs: number
  readonly systemUs: number
  readonly wallUs: number
  readonly bodyBytes: number
  readonly requests: number
  readonly answerBytes: number
}

const compileMsMax = 30_000
const runMsMax = 120_000

// Each as a URL of its own: the image renames scripts that stand so.
const source = fileURLToPath(new URL('floor.c', import.meta.url))
const script = fileURLToPath(new URL('floor-node.ts', import.meta.url))

/** The floor in C where a compiler is, else in Node. @throws Error when C was asked for and cannot be had */
export async function makeFloor(wanted: FloorKind | 'auto'): Promise<FloorTool> {
  const complaints: string[] = []
  if (wanted !== 'node') {
    for (const compiler of ['cc', 'gcc', 'clang']) {
      const made = await build(compiler).catch((error: unknown) => String(error))
      if (typeof made !== 'string') return made
      complaints.push(made)
    }
    if (wanted === 'c') throw new Error(`no C compiler made the floor: ${complaints.join('; ')}`)
  }
  const why = wanted === 'node' ? 'as asked' : 'no C compiler here'
  const explain = `the same loop in Node, less its start (${why}): higher than C's, so ratios come out lower`
  return { kind: 'node', command: process.execPath, args: [script], explain }
}

/** By compiler: once in a process is enough. */
const built = new Map<string, Promise<FloorTool>>()

function build(compiler: string): Promise<FloorTool> {
  const before = built.get(compiler)
  if (before !== undefined) return before
  const now = compile(compiler)
  built.set(compiler, now)
  return now
}

/** Into a directory of this process's own: what lies under a name that others know may be theirs, and is run as this user. */
async function compile(compiler: string): Promise<FloorTool> {
  const directory = temporaryDirectory('compiled')
  onExit(() => rmSync(directory, { recursive: true, force: true }))
  const binary = join(directory, 'floor')
  await outputOf(compiler, ['-O2', '-o', binary, source], compileMsMax)
  return { kind: 'c', command: binary, args: [], explain: `C, by ${compiler} -O2` }
}

/** Reads `path` and sends `bodyBytes` to the sink at `port`. @throws Error when it fails or is late */
export async function runFloor(tool: FloorTool, port: number, path: string, bodyBytes: number): Promise<FloorRun> {
  const output = await outputOf(tool.command, [...tool.args, String(port), path, String(bodyBytes)], runMsMax)
  const run: FloorRun = JSON.parse(output)
  if (run.bodyBytes !== bodyBytes) throw new Error(`the floor sent ${run.bodyBytes} bytes instead of ${bodyBytes}`)
  return run
}
