import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { cgroupsAvailable } from '../../../src/bench/machine/cgroup.ts'
import { realParts } from '../../../src/bench/parts.ts'
import { parseTuneOptions } from '../../../src/bench/tune/options.ts'
import { pasteText, tuneText } from '../../../src/bench/tune/text.ts'
import { tune } from '../../../src/bench/tune/tune.ts'
import type { TuneOptions } from '../../../src/bench/tune/options.ts'

const directory = mkdtempSync(join(tmpdir(), 'remora-tune-real-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** One small request at a time to a server that is far away: the processor has nothing to do, so that no load hides the gain. */
const manifest = `
kind: Pod
spec:
  containers:
    - name: remora
      env:
        - { name: REMORA_CONCURRENCY, value: "1" }
        - { name: REMORA_BATCH_BYTES, value: 512Ki }
      resources: { limits: { memory: 64Mi } }
`

test.skipIf(!cgroupsAvailable().available)(
  'a distant server: that several requests at once are faster is found, by runs of the real agent',
  async () => {
    const path = join(directory, 'pod.yaml')
    writeFileSync(path, manifest)
    const argv = ['--manifest', path, '--latency', '20ms', '--only', 'REMORA_CONCURRENCY']
    const steps: string[] = []
    const report = await tune(parseTuneOptions(argv) as TuneOptions, {
      parts: realParts({}),
      env: {},
      signal: new AbortController().signal,
      watcher: { begin: () => undefined, step: (_, about) => steps.push(about) },
      begins: ({ effect }) => expect(effect).toMatchObject({ concurrency: 1, batchBytes: 512 * 1024 }),
      effort: {
        budgetSeconds: 150,
        runSeconds: 0.3,
        rules: { roundsMax: 6, confirmRounds: { least: 4, most: 4 }, passes: 1 },
        tried: { concurrency: [4], batch: [], levels: [], linger: [] },
      },
    })
    expect(report.block).toEqual({ REMORA_CONCURRENCY: '4' })
    expect(pasteText(report, 'kubernetes')).toBe('- name: REMORA_CONCURRENCY\n  value: "4"')
    expect(tuneText(report, 100)).toContain('This setting is better')
    const { before, final } = report.confirmation!
    expect([before.values.length, final!.values.length]).toEqual([4, 4])
    expect(before.beside.every(({ peakBytes = 0 }) => peakBytes > 10 * 2 ** 20)).toBe(true)
    expect(before.beside.every(({ sentPerLogByte = 0 }) => sentPerLogByte > 1)).toBe(true)
    expect(steps.length).toBe(report.runs)
  },
)
