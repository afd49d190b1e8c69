import fs from 'node:fs'
import zlib from 'node:zlib'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { limits } from '../../src/base/limits.ts'
import { deserialize } from '../../src/settle/state-text.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { AgentHarness, type HarnessOptions } from '../kit/agent.ts'
import { realDisk, type Tree } from '../kit/agent-tree.ts'

/** The real agent over real files, in virtual time. */
export function agentOver(
  tree: Tree,
  options: Partial<HarnessOptions['settings']> = {},
  disk: Disk = systemDisk,
  more: Partial<HarnessOptions> = {},
): AgentHarness {
  tree.directory('logs')
  return new AgentHarness({
    disk: () => realDisk(disk),
    wallMs: () => Date.now(),
    settings: { paths: [tree.at('logs/**/*.log')], stateDir: tree.at('state'), ...options },
    ...more,
  })
}

/** The same; its wall clock goes on from the real time with the virtual one, for what depends on the age of files. */
export function agentInStep(
  tree: Tree,
  options: Partial<HarnessOptions['settings']> = {},
): { agent: AgentHarness; wallMs: () => number } {
  const clock = new VirtualClock()
  const aheadMs = Date.now() - clock.nowMs
  const wallMs = () => clock.nowMs + aheadMs
  return { agent: agentOver(tree, options, systemDisk, { clock, wallMs }), wallMs }
}

/** `first` to `last`, a line each. */
export function numbered(first: number, last: number, prefix = 'line'): string {
  return Array.from({ length: last - first + 1 }, (_, n) => `${prefix} ${first + n}\n`).join('')
}

export function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1)
}

/** All that the server has, of whatever file, sorted. */
export function storedLines(agent: AgentHarness): string[] {
  const all = Object.values(agent.stored()).flat()
  return all.map(({ message }) => message).toSorted()
}

/** The files that the checkpoint has, by the names that their lines were written under, sorted. */
export function savedPaths(tree: Tree): string[] {
  const { state } = deserialize(fs.readFileSync(tree.at('state/checkpoint.json'), 'utf8'))
  return state.generations.map(({ path }) => path).toSorted()
}

export const pack = { gz: zlib.gzipSync, zst: zlib.zstdCompressSync } as const

/** As gzip and zstd do: the archive is complete, and carries the time of what it was made of, before that is deleted. */
export function compress(tree: Tree, name: string, kind: keyof typeof pack, keep = false): void {
  const { mtime, atime } = fs.statSync(tree.at(name))
  fs.writeFileSync(tree.at(`${name}.${kind}`), pack[kind](fs.readFileSync(tree.at(name))))
  fs.utimesSync(tree.at(`${name}.${kind}`), atime, mtime)
  if (!keep) tree.remove(name)
}

/** The times that the tests' files carry are real ones: an archive must be older than this to count as complete. */
export function old(tree: Tree, name: string): void {
  const then = new Date(Date.now() - 2 * limits.archiveQuietMs)
  fs.utimesSync(tree.at(name), then, then)
}

export function rotate(tree: Tree, name: string, keep: number, suffix = ''): void {
  makeRoom(tree, name, keep, suffix)
  tree.rename(name, `${name}.1`)
}

export function copyTruncate(tree: Tree, name = 'logs/app.log', keep = 5): void {
  makeRoom(tree, name, keep)
  tree.copyTruncate(name, `${name}.1`)
}

function makeRoom(tree: Tree, name: string, keep: number, suffix = ''): void {
  for (let n = keep; n >= 1; n--) {
    if (fs.existsSync(tree.at(`${name}.${n}${suffix}`)))
      tree.rename(`${name}.${n}${suffix}`, `${name}.${n + 1}${suffix}`)
  }
}
