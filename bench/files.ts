import { parseArgs } from 'node:util'
import { mibText } from '../src/queue/plan.ts'
import { measureActive, type ActiveResult } from './files-active.ts'
import { baseFiles, measureIdle } from './files-idle.ts'

/**
 * Many files: what idle ones cost, and whether active ones among them are shipped in time and none behind the others.
 * The server is the strict null sink, in this process, which also plays the application.
 */

const mib = 1024 * 1024

const layouts = {
  flat: { files: 10_000, directories: 1, depth: 1, unmatched: 0 },
  wide: { files: 10_000, directories: 100, depth: 2, unmatched: 0 },
  deep: { files: 10_000, directories: 1_000, depth: 8, unmatched: 0 },
} as const

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      idle: { type: 'boolean', default: false },
      active: { type: 'boolean', default: false },
      crowd: { type: 'boolean', default: false },
      layout: { type: 'string', default: '' },
      memory: { type: 'string', default: '96' },
      seconds: { type: 'string', default: '' },
      env: { type: 'string', multiple: true, default: [] },
    },
  })
  const every = !values.idle && !values.active && !values.crowd
  const memoryBytes = Number(values.memory) * mib
  const env = Object.fromEntries(values.env.map((each) => each.split('=', 2) as [string, string]))
  let good = true
  const say = (what: string, result: unknown, isGood: boolean) => {
    process.stdout.write(`${what}${isGood ? '' : '  (short of its row)'}\n${JSON.stringify(result, null, 2)}\n`)
    good &&= isGood
  }
  if (every || values.idle) {
    const seconds = Number(values.seconds || (values.short ? 20 : 60))
    const result = await measureIdle({ files: 1_000, directories: 10, depth: 2, unmatched: 0 }, seconds)
    say(
      `1,000 idle files: ${(result.cpuShare * 100).toFixed(2)} % of a core (${baseFiles} files: ${(result.baseCpuShare * 100).toFixed(2)} %), ${(result.bytesPerFile / 1024).toFixed(1)} KiB each, and ${((result.kernelBytesPerFile ?? NaN) / 1024).toFixed(1)} in the kernel`,
      result,
      result.cpuShare <= 0.005 && result.bytesPerFile <= 4096,
    )
  }
  const shapes = Object.entries(layouts).filter(([name]) =>
    values.layout === '' ? !values.short || name === 'wide' : name === values.layout,
  )
  for (const [name, layout] of every || values.active ? shapes : []) {
    const seconds = Number(values.seconds || (values.short ? 5 : 20))
    const result = await measureActive({ layout, active: 1_000, seconds, burstLines: 200, memoryBytes, env })
    const { trickle, burst } = result
    say(
      `${name}: 10,000 files, 1,000 active, ${values.memory} MiB: ${result.arrived} of ${result.lines} lines, ${result.duplicates} twice, peak ${mibText(result.peakBytes)}; ` +
        `first document after ${Math.round(result.firstMs)} ms, all files after ${Math.round(result.allMs)}; ` +
        `trickle ${trickle.medianMs.toFixed(0)} ms, slowest ${trickle.slowestMs.toFixed(0)} (${trickle.ratio.toFixed(1)}x), ${(result.cpuShare * 100).toFixed(0)} % of a core; ` +
        `burst ${burst.medianMs.toFixed(0)} ms, slowest ${burst.slowestMs.toFixed(0)} (${burst.ratio.toFixed(1)}x)`,
      result,
      isWhole(result) && trickle.ratio <= 3 && burst.ratio <= 3,
    )
  }
  if (every || values.crowd) {
    const layout = { files: 100, directories: 1, depth: 1, unmatched: 20_000 }
    const result = await measureActive({ layout, active: 100, seconds: 5, burstLines: 200, memoryBytes: 64 * mib })
    say(`a crowd of 20,000 unmatched files at 64 MiB: peak ${mibText(result.peakBytes)}`, result, isWhole(result))
  }
  process.exitCode = good ? 0 : 1
}

function isWhole({ arrived, lines, duplicates, oomKills, exit }: ActiveResult): boolean {
  return arrived === lines && duplicates === 0 && oomKills === 0 && exit === 'code 0'
}
