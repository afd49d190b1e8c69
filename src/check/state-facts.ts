/** Looks at the state directory, and leaves it as it was. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { checkpointPath, findInstallation, findState, instancePath, previousPath } from '../settle/reading.ts'
import type { CheckpointFacts, StateFacts, StateObstacle } from './state-findings.ts'

/** Larger than a block, so that a full disk shows. */
const probeBytes = 64 * 1024
/** Source: linux/magic.h. */
const fileSystems: ReadonlyMap<number, StateFacts['fileSystem']> = new Map([
  [0x794c7630, 'overlay'],
  [0x01021994, 'tmpfs'],
])

export function stateFactsOf(directory: string, disk: Disk, clock: Clock): StateFacts {
  let made: string | undefined
  let obstacle: StateObstacle | undefined
  let space: { freeBytes: number | undefined; fileSystem: StateFacts['fileSystem'] }
  try {
    // The first directory that had to be made: those below it are new as well.
    made = mkdirSync(directory, { recursive: true })
    tryToWrite(directory)
  } catch (error) {
    obstacle = { code: codeOf(error), message: messageOf(error) }
  } finally {
    space = spaceOf(directory)
    if (made !== undefined) removeMade(directory, made)
  }
  return {
    directory,
    presence: made === undefined ? 'there' : 'made',
    obstacle,
    ...space,
    checkpoint: checkpointOf(directory, disk, clock),
    identity: `uid ${process.getuid?.()} with groups ${process.getgroups?.().join(', ')}`,
  }
}

function tryToWrite(directory: string): void {
  const probe = path.join(directory, `.remora-check-${randomUUID()}`)
  try {
    writeFileSync(probe, Buffer.alloc(probeBytes, 1), { flag: 'wx', mode: 0o600, flush: true })
  } finally {
    rmSync(probe, { force: true })
  }
}

/** Only empty directories go: an agent that starts at this moment keeps what it has put there. */
function removeMade(directory: string, made: string): void {
  try {
    for (let at = directory; at.length >= made.length; at = path.dirname(at)) rmdirSync(at)
  } catch {
    // Somebody has begun to use it.
  }
}

function spaceOf(directory: string): Pick<StateFacts, 'freeBytes' | 'fileSystem'> {
  try {
    const { bavail, bsize, type } = statfsSync(directory)
    return { freeBytes: bavail * bsize, fileSystem: fileSystems.get(type) ?? 'other' }
  } catch {
    return { freeBytes: undefined, fileSystem: 'other' }
  }
}

/** As the agent loads it, but for setting aside what cannot be read: a check changes nothing. */
function checkpointOf(directory: string, disk: Disk, clock: Clock): CheckpointFacts {
  const installation = findInstallation(disk, directory)
  const broken: string[] = []
  if (installation.kind === 'unreadable') broken.push(`${instancePath(directory)}: ${installation.why}`)
  let why: string | undefined
  for (const file of [checkpointPath(directory), previousPath(directory)]) {
    const found = findState(disk, file)
    if (found.kind === 'unreadable') why ??= `${file}: ${found.why}`
    if (found.kind !== 'readable') continue
    const { state, version, dropped } = found.value
    return {
      kind: 'readable',
      version,
      generations: state.generations.length,
      finished: state.generations.filter(({ finished }) => finished).length,
      ageMs: clock.nowMs() - (disk.look(file)?.modifiedMs ?? clock.nowMs()),
      fallback: why === undefined ? undefined : { why },
      broken: [...dropped, ...broken],
    }
  }
  if (why !== undefined || broken.length > 0) return { kind: 'unreadable', why: why ?? broken[0]! }
  return installation.kind === 'readable' ? { kind: 'lost' } : { kind: 'none' }
}
