import { expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { limits } from '../../src/base/limits.ts'
import { systemVolumeDisk } from '../../src/base/volume-disk.ts'
import { diskError } from '../kit/agent-files.ts'
import { temporaryTree } from '../kit/agent-tree.ts'
import { Scene } from './volume-scene.ts'

test.each([
  ['EACCES', 'fsGroup'],
  ['EIO', 'dmesg'],
])('a volume that answers %s cannot be measured: said once, shown, and said when it is over', async (code, wayOut) => {
  const tree = temporaryTree()
  let fails = true
  const disk = {
    ...systemDisk,
    spaceOf: (path: string) => {
      if (fails && path === tree.at('logs')) throw diskError(code, path)
      return systemVolumeDisk.spaceOf(path)
    },
  }
  const scene = new Scene('delete-shipped', {}, tree, disk)
  await scene.agent.start()
  await scene.rotations(3, 6_000)
  const [text, ...more] = scene.said('VOLUME_UNMEASURED')
  expect(more).toEqual([])
  for (const part of [tree.at('logs'), code, 'REMORA_VOLUME_LIMIT (400Ki)', wayOut, 'nothing is deleted'])
    expect(text).toContain(part)
  const { agent } = scene.agent
  expect(agent.figures()).toMatchObject({ volumesInDoubt: 1, volumeUsedBytes: 0 })
  const doubt = { kind: 'unmeasured', path: tree.at('logs'), code }
  expect(agent.detail).toMatchObject({ volume: { usedBytes: null, doubts: { [tree.at('logs')]: doubt } } })
  fails = false
  await scene.agent.advance(limits.troubleIntervalMs)
  expect(scene.said('VOLUME_MEASURED')).toHaveLength(1)
  expect(agent.figures().volumesInDoubt).toBe(0)
  expect(agent.figures().volumeUsedBytes).toBeGreaterThan(0)
  expect(agent.detail).toMatchObject({ volume: { doubts: {} } })
  fails = true
  await scene.agent.advance(2 * limits.troubleIntervalMs)
  expect(scene.said('VOLUME_UNMEASURED')).toHaveLength(2)
  expect(scene.said('VOLUME_UNMEASURED')[1]).not.toContain('nothing is known')
})

test('where the mounts cannot be read', async () => {
  const tree = temporaryTree()
  const disk = {
    ...systemDisk,
    mounts: () => {
      throw diskError('EMFILE', '/proc/self/mountinfo')
    },
  }
  const scene = new Scene('keep', {}, tree, disk)
  await scene.agent.start()
  await scene.agent.advance(10_000)
  expect(scene.said('VOLUME_UNMEASURED')).toHaveLength(1)
  expect(scene.said('VOLUME_UNMEASURED')[0]).toContain('ulimit -n')
})

test('without a limit a probe shows nothing of it', async () => {
  const scene = new Scene('keep', { volumeLimitBytes: undefined })
  await scene.agent.start()
  expect(scene.agent.agent.detail).not.toHaveProperty('volume')
})
