import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { remoraProgram } from '../src/bench/agent/remora.ts'
import type { Program } from '../src/bench/program.ts'
import { RemoraError } from '../src/base/errors.ts'

export const peersDirectory = fileURLToPath(new URL('peers/', import.meta.url))

/** An agent that is here, and which version of it. */
export interface Installed {
  readonly program: Program
  readonly version: string
}

export interface Found {
  /** Remora first. */
  readonly installed: readonly Installed[]
  /** Peers that are not, with how to install them. */
  readonly missing: readonly { readonly name: string; readonly why: string }[]
}

/**
 * Remora and each peer: a file in `peers/` is one, and so is each file in `more`.
 * @param only  names of peers; none: all of them
 * @throws RemoraError `PEER` when a file is none, or a name is nobody's
 */
export async function findPrograms(only: readonly string[], more: readonly string[] = []): Promise<Found> {
  const own = readdirSync(peersDirectory).filter((name) => name.endsWith('.ts'))
  const paths = [...own.toSorted().map((name) => join(peersDirectory, name)), ...more]
  const peers = await Promise.all(paths.map(peerIn))
  const unknown = only.find((name) => !peers.some((peer) => peer.name === name))
  if (unknown !== undefined) {
    const known = peers.map(({ name }) => name).join(', ')
    throw new RemoraError('PEER', `there is no peer ${JSON.stringify(unknown)}`, `There are: ${known}.`)
  }
  const remora = remoraProgram()
  const installed: Installed[] = [{ program: remora, version: await remora.version() }]
  const missing: { name: string; why: string }[] = []
  for (const program of peers) {
    if (only.length > 0 && !only.includes(program.name)) continue
    try {
      installed.push({ program, version: await program.version() })
    } catch (error) {
      if (!(error instanceof RemoraError)) throw error
      missing.push({ name: program.name, why: `${error.message}. ${error.wayOut}` })
    }
  }
  return { installed, missing }
}

async function peerIn(path: string): Promise<Program> {
  const { default: peer } = (await import(pathToFileURL(path).href)) as { readonly default?: unknown }
  if (!isProgram(peer)) {
    throw new RemoraError(
      'PEER',
      `${path} is no peer`,
      'Export a Program as its default; bench/peers/README.md has an example.',
    )
  }
  return peer
}

function isProgram(value: unknown): value is Program {
  const { name, version, command } = (value ?? {}) as Partial<Program>
  return typeof name === 'string' && name !== '' && typeof version === 'function' && typeof command === 'function'
}
