import fs from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { systemVolumeDisk } from '../../src/base/volume-disk.ts'
import { volumeFactsOf, volumeFindings, type VolumeFacts } from '../../src/check/volume.ts'
import { temporaryTree } from '../kit/agent-tree.ts'
import { mayMount, mountSmall, remount } from '../kit/mount.ts'

const mib = 2 ** 20
const volume = (usedMib: number | undefined, unsure = false): VolumeFacts => ({
  volumes: [{ path: '/logs', usedBytes: usedMib === undefined ? undefined : usedMib * mib, unsure }],
  closed: [{ path: '/logs/app', code: 'EROFS' }],
})
const writable = (usedMib: number): VolumeFacts => ({ ...volume(usedMib), closed: [] })

test.each([
  [undefined, 'keep', volume(99), []],
  [100, 'keep', volume(80), ['ok: the volume /logs holds 80 MiB of 100Mi (REMORA_VOLUME_LIMIT); policy keep']],
  [100, 'keep', volume(81), ['warning: the volume /logs holds 81 MiB of 100Mi (REMORA_VOLUME_LIMIT)']],
  [100, 'keep', volume(undefined), ['warning: the volume /logs could not be measured']],
  [
    100,
    'keep',
    volume(1, true),
    ['ok: the volume /logs holds more than 1.0 MiB of 100Mi (REMORA_VOLUME_LIMIT); policy keep'],
  ],
  [
    100,
    'delete-shipped',
    volume(1),
    [
      'ok: the volume /logs holds 1.0 MiB of 100Mi (REMORA_VOLUME_LIMIT); policy delete-shipped',
      'warning: /logs/app is mounted read-only: REMORA_VOLUME_POLICY=delete-shipped can delete nothing in it',
    ],
  ],
  [100, 'drop-oldest', writable(90), ['warning: the volume /logs holds 90 MiB of 100Mi (REMORA_VOLUME_LIMIT)']],
] as const)('limit %s MiB, policy %s', (limitMib, volumePolicy, facts, texts) => {
  const volumeLimitBytes = limitMib === undefined ? undefined : limitMib * mib
  const findings = volumeFindings(facts, { volumeLimitBytes, volumePolicy })
  expect(findings.map(({ level, text }) => `${level}: ${text}`)).toEqual(texts)
})

test.skipIf(!mayMount)('a real volume, read-only', async () => {
  const tree = temporaryTree()
  onTestFinished(mountSmall(tree.directory('volume'), 'size=4m'))
  tree.write('volume/logs/a.log', 'x'.repeat(100_000))
  tree.write('volume/other', 'x'.repeat(4_096))
  const root = tree.at('volume/logs')
  const facts = () => volumeFactsOf([root], systemVolumeDisk, systemClock)
  const { blocks, bfree, bsize } = fs.statfsSync(root)
  const volumes = [{ path: tree.at('volume'), usedBytes: (blocks - bfree) * bsize, unsure: false }]
  expect(await facts()).toEqual({ volumes, closed: [] })
  remount(tree.at('volume'), 'ro')
  expect(await facts()).toEqual({ volumes, closed: [{ path: root, code: 'EROFS' }] })
})
