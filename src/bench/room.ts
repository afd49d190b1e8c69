import { statfsSync } from 'node:fs'
import { RemoraError } from '../base/errors.ts'
import type { RunPlan } from './types.ts'

export const noRoomCode = 'NO_ROOM'

/** What the agent writes beside the logs, and what is better not used up. */
const besideBytes = 128e6
/** The least that a file takes, its directory entry included. */
const fileBytes = 4_096 + 512

/**
 * On the disk, for one run: all lines that are written. What a rotation deletes is no room again for as long as the agent
 * has it open.
 */
export function neededBytes({ workload }: Pick<RunPlan, 'workload'>): number {
  const { rate, end, files } = workload
  const lines = 'bytes' in end ? end.bytes : rate.kind === 'backlog' ? 0 : Math.ceil(rate.bytesPerSecond * end.seconds)
  return lines + files * fileBytes
}

/** @throws RemoraError `NO_ROOM` @param free  of a directory's disk, bytes */
export function mustHaveRoom(needed: number, directory: string, free: (at: string) => number = freeBytes): void {
  const there = free(directory)
  if (there >= needed + besideBytes) return
  throw noRoom(
    `${megabytes(needed + besideBytes)} MB are needed in ${directory} for the lines of a run, and ${megabytes(there)} MB are free`,
  )
}

/** Bytes of lines that one run may write there. */
export function roomFor(directory: string, free: (at: string) => number = freeBytes): number {
  return Math.max(0, free(directory) - besideBytes)
}

export function noRoom(message: string): RemoraError {
  return new RemoraError(noRoomCode, message, 'Set TMPDIR to a directory with more room, or free some.')
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6)
}
