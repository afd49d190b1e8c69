/** Whether a command that is run beside the agent, in the same container and so in the same limit, has memory enough to begin. */
import { statSync } from 'node:fs'
import { limits } from '../base/limits.ts'
import { anonymousBytes, memoryInUse, memoryLimit, type MemoryLimit } from '../base/memory.ts'
import { sizeText } from '../check/words.ts'
import { checkpointPath } from '../settle/reading.ts'

interface Need {
  /** Beside what the process has when it is asked. */
  readonly bytes: number
  /** What is not done without it, as a sentence. */
  readonly refusal: string
  /** What to do instead, as the first part of a sentence. */
  readonly instead: string
}

/** @returns why there is too little, for a person; undefined: there is enough */
export function tightness(need: Need, limit: MemoryLimit, inUseBytes: number): string | undefined {
  const leftBytes = limit.bytes - inUseBytes
  if (leftBytes >= need.bytes) return undefined
  const left = `${sizeText(Math.max(0, leftBytes))} of ${sizeText(limit.bytes)} of memory (${limit.origin}) are left`
  return `${need.refusal}: ${left}, and this may take ${sizeText(need.bytes)}; the kernel would end Remora as well.\n  ${need.instead}, or use --anyway.`
}

/** As of now, here. */
export function tightnessNow(need: Need): string | undefined {
  return tightness(need, memoryLimit(), memoryInUse())
}

/** For who looks at a state directory: the more files there are, the more it takes. @param ownBytes  what this process has already */
export function needToLook(stateDir: string, ownBytes = anonymousBytes()): Need {
  return {
    bytes: Math.max(0, limits.lookMemoryBytes + limits.lookMemoryShare * checkpointBytes(stateDir) - ownBytes),
    refusal: 'Nothing was looked at',
    instead: 'Ask the port for probes (`/readyz`, and `/` in a browser), raise the memory limit of the container',
  }
}

function checkpointBytes(stateDir: string): number {
  try {
    return statSync(checkpointPath(stateDir)).size
  } catch {
    return 0
  }
}
