import { systemClock } from '../../base/clock.ts'
import { type Held, originOf, type Wanted } from '../limits/choose.ts'
import { type Commit, commitHere, type Machine, machineHere } from '../machine/facts.ts'
import type { Enforcement, Limits } from '../types.ts'

/** Of what, where and under which limits something was measured: the same in each report. */
export interface Provenance {
  /** Version of the program that was measured. */
  readonly remora: string
  /** Undefined where there is no git or no repository, and for an image: that of an image is not known. */
  readonly commit: Commit | undefined
  readonly machine: Machine
  /** Where none hold, those that were meant. */
  readonly limits: Limits
  /** Where they are from: `--cpu and --memory`, a manifest's name, the bench's own cgroup. */
  readonly limitsFrom: string
  readonly enforcement: Enforcement
  readonly seed: number
  /** As given, by name, and the manifest's settings; never a credential. */
  readonly options: Readonly<Record<string, string>>
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly endedAt: string
}

/** Asked at the start, for the load before is part of it. @returns what is asked at the end */
export function provenanceFrom(
  remora: string,
  { wanted, held }: { readonly wanted: Wanted; readonly held: Held },
  given: { readonly seed: number; readonly options: Readonly<Record<string, string>>; readonly startedAtMs: number },
): { readonly machine: Machine; readonly end: () => Promise<Provenance> } {
  const machine = machineHere()
  const { enforcement } = held
  return {
    machine,
    end: async () => ({
      remora,
      commit: enforcement.kind === 'container' ? undefined : await commitHere(),
      machine,
      limits: enforcement.kind === 'none' ? wanted.limits : held.limits,
      limitsFrom: originOf(wanted, held),
      enforcement,
      seed: given.seed,
      options: { ...given.options, ...wanted.settings },
      startedAt: new Date(given.startedAtMs).toISOString(),
      endedAt: new Date(systemClock.nowMs()).toISOString(),
    }),
  }
}
