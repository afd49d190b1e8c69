import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { containersHere } from '../../../src/bench/container/look.ts'
import { imageProgram } from '../../../src/bench/container/program.ts'
import { realParts } from '../../../src/bench/parts.ts'
import { run } from '../../../src/bench/run.ts'
import { type Enforcement, plainShape, type RunPlan } from '../../../src/bench/types.ts'
import { version } from '../../../src/version.ts'

/** Slow to make, and not everywhere possible: as in test/scenario/image.test.ts. */
const image = process.env['TEST_IMAGE'] ?? ''
const containers = image === '' ? undefined : await containersHere(image)
if (containers?.available === false) throw new Error(`TEST_IMAGE: ${containers.reason}`)

const plan: RunPlan = {
  limits: { cpus: 0.5, memoryBytes: 64 * 2 ** 20 },
  workload: {
    seed: 1,
    mix: { kind: 'mixed' },
    rate: { kind: 'fixed', bytesPerSecond: 500_000 },
    files: 1,
    activeFiles: 1,
    rotation: { kind: 'none' },
    end: { seconds: 3 },
  },
  destination: { kind: 'null', shape: plainShape },
  settings: {},
  killsAtMs: [],
  warmUpMs: 200,
  drainMsMax: 10_000,
}

describe.skipIf(containers === undefined)('the agent in a container', { timeout: 60_000 }, () => {
  const engine = containers?.available === true ? containers.engine : ({ name: 'podman', isRootless: false } as const)
  const enforcement = { kind: 'container', engine: engine.name, image, isRootless: engine.isRootless } as const
  const options = (held: Enforcement = enforcement) => ({
    program: imageProgram(enforcement),
    parts: realParts({}),
    enforcement: held,
    signal: new AbortController().signal,
  })
  const left = () =>
    spawnSync(engine.name, ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter((name) => name.startsWith(`remora-bench-${process.pid}-`))

  test('is of the image’s version', async () => {
    expect(await imageProgram(enforcement).version()).toBe(version)
  })

  test('killed and started again: every line, what both have taken, and nothing is left', async () => {
    const result = await run({ ...plan, killsAtMs: [1_000] }, options())
    expect(result.failure).toBe('')
    expect(result.account).toMatchObject({ lostLines: 0, twiceLines: 0, wrongLines: 0 })
    expect(result.memory.peakBytes).toBeGreaterThan(10 * 2 ** 20)
    expect(result.memory.peakBytes).toBeLessThan(64 * 2 ** 20)
    expect(result.cpu.userUs + result.cpu.systemUs).toBeGreaterThan(200_000)
    expect(left()).toEqual([])
  })

  test('killed for lack of memory: the engine is asked, and it is said', async () => {
    const result = await run({ ...plan, limits: { cpus: 1, memoryBytes: 16 * 2 ** 20 } }, options())
    expect(result.failure).toContain('killed for lack of memory')
    expect(left()).toEqual([])
  })
})
