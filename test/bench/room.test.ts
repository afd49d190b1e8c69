import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mustHaveRoom, neededBytes, roomFor } from '../../src/bench/room.ts'
import type { Workload } from '../../src/bench/types.ts'
import { startWriter } from '../../src/bench/workload/writer-process.ts'

const workload: Workload = {
  seed: 1,
  mix: { kind: 'short' },
  rate: { kind: 'fixed', bytesPerSecond: 10e6 },
  files: 1,
  activeFiles: 1,
  rotation: { kind: 'none' },
  end: { seconds: 8 },
}

test.each<[string, Partial<Workload>, number]>([
  ['a rate for a time', {}, 80e6],
  ['bursts', { rate: { kind: 'bursts', bytesPerSecond: 10e6, times: 5, periodMs: 1_000 } }, 80e6],
  ['a backlog', { rate: { kind: 'backlog' }, end: { bytes: 512e6 } }, 512e6],
  ['many files', { files: 10_000 }, 120e6],
])('%s needs its lines', (_, over, bytes) => {
  const needed = neededBytes({ workload: { ...workload, ...over } })
  expect(needed).toBeGreaterThanOrEqual(bytes)
  expect(needed).toBeLessThan(bytes * 1.1)
})

test('too little room is told with how much is needed and where', () => {
  expect(() => mustHaveRoom(80e6, '/some/tmp', () => 80e6)).toThrow(
    '208 MB are needed in /some/tmp for the lines of a run, and 80 MB are free',
  )
  expect(() => mustHaveRoom(80e6, '/some/tmp', () => 208e6)).not.toThrow()
  expect(() => mustHaveRoom(0, tmpdir())).not.toThrow()
})

const free = () => 500e6

test('what fits is what has room', () => {
  expect(() => mustHaveRoom(roomFor('/some/tmp', free), '/some/tmp', free)).not.toThrow()
  expect(() => mustHaveRoom(roomFor('/some/tmp', free) + 1, '/some/tmp', free)).toThrow('are needed')
  expect(roomFor('/some/tmp', () => 1)).toBe(0)
})

test.runIf(process.platform === 'linux')('a disk that fills up is not the agent’s failure', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'remora-room-'))
  try {
    symlinkSync('/dev/full', join(directory, 'app-0000.log'))
    const writer = await startWriter({ ...workload, end: { seconds: 1 } }, directory)
    writer.begin().catch(() => undefined)
    await expect(writer.ended).rejects.toMatchObject({
      code: 'NO_ROOM',
      wayOut: 'Set TMPDIR to a directory with more room, or free some.',
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
})
