import type { Cpu } from '../machine/procfs.ts'

/** One look at what the agent has and takes. */
export interface Use {
  /** Anonymous, kernel and socket memory. */
  readonly usedBytes: number
  readonly cpu: Cpu
  readonly throttledMs: number
  readonly oomKills: number
}

export const nothingUsed: Use = { usedBytes: 0, cpu: { userUs: 0, systemUs: 0 }, throttledMs: 0, oomKills: 0 }
