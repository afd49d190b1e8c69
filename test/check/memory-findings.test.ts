import { expect, test } from 'vitest'
import { RemoraError } from '../../src/base/errors.ts'
import { memoryFindings, type MemoryFacts } from '../../src/check/memory-findings.ts'

const mib = 1024 * 1024
const container = { bytes: 64 * mib, origin: 'cgroup v2 memory.max' }
const machine = { bytes: 8192 * mib, origin: "the machine's memory" }
const good: MemoryFacts = { machine: container, cgroupVersion: 2, settingBytes: undefined, plan: 'the plan' }

test.each([
  [{}, ['ok: the plan']],
  [{ settingBytes: 48 * mib }, ['ok: the plan']],
  [
    { settingBytes: 64 * mib },
    [
      'ok: the plan',
      "warning: REMORA_MEMORY_LIMIT (64 MiB) is not less than the container's limit (64 MiB), which counts",
    ],
  ],
  [{ machine }, ['ok: the plan', "warning: no memory limit is set (cgroup v2): planned with the machine's 8192 MiB"]],
  [
    { machine, cgroupVersion: undefined },
    ['ok: the plan', "warning: no memory limit is set (no cgroups here): planned with the machine's 8192 MiB"],
  ],
  [
    { machine, settingBytes: 64 * mib },
    ['ok: the plan', 'ok: the container itself has no memory limit (cgroup v2): nothing but Remora keeps this one'],
  ],
] as const)('%j', (facts, texts) => {
  expect(memoryFindings({ ...good, ...facts }).map(({ level, text }) => `${level}: ${text}`)).toEqual(texts)
})

test('a limit that is too small is bad configuration, as `remora run` says', () => {
  const plan = new RemoraError('MEMORY_LIMIT_TOO_SMALL', 'too small', 'raise it')
  expect(memoryFindings({ ...good, plan })).toEqual([
    { level: 'error', text: 'too small', wayOut: 'raise it', configuration: true },
  ])
})
