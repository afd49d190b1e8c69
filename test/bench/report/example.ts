import { type Report, reportSchema, reportVersion } from '../../../src/bench/report/report.ts'
import { spreadOf } from '../../../src/bench/stats.ts'
import type { Figure, Latency, Limits, Moment, Row } from '../../../src/bench/types.ts'

const mib = 2 ** 20

export function figure(name: string, unit: string, values: readonly number[], rest: Partial<Figure> = {}): Figure {
  return { name, unit, values, spread: spreadOf(values), better: 'less', isRatio: unit === '×', ...rest }
}

export function row(name: string, figures: readonly Figure[], rest: Partial<Row> = {}): Row {
  const limits: Limits = { cpus: undefined, memoryBytes: undefined }
  const plain = { limits, moments: [], outages: [], runs: 3, failures: [], notes: [], latency: undefined }
  return { ...plain, name, figures, ...rest }
}

/** Log-normal, so that there is a tail. */
export function latency(p50Ms: number, lines: number): Latency {
  const histogram = Array.from({ length: 80 }, (_, n) => {
    const upToMs = p50Ms * 10 ** ((n - 30) / 20)
    const share = 1 / (1 + (upToMs / p50Ms) ** -3.2)
    return { upToMs, lines: n === 79 ? lines : Math.floor(share * lines) }
  })
  return { lines, p50Ms, p90Ms: p50Ms * 2, p99Ms: p50Ms * 4.2, maxMs: histogram[76]!.upToMs, histogram }
}

/** A run with one outage from 3 to 8 s. */
export function moments(count: number, limitBytes: number, hasOutage: boolean): Moment[] {
  let [cpuUs, storedBytes, lagBytes] = [0, 0, 0]
  return Array.from({ length: count }, (_, n) => {
    const atMs = -1000 + (n * 14_000) / count
    const isAway = hasOutage && atMs > 3000 && atMs < 8000
    lagBytes = isAway
      ? lagBytes + 4e6 * (14 / count)
      : Math.max(2e4 * (1 + Math.sin(n * 1.7)), lagBytes - 2.2e7 * (14 / count))
    storedBytes += isAway ? 0 : 4e6 * (14 / count)
    cpuUs += isAway ? 2000 : (0.14 + 0.05 * Math.sin(n / 5)) * 1e6 * (14 / count)
    const usedBytes = limitBytes * (0.52 + (isAway ? 0.2 : 0) + 0.06 * Math.sin(n / 9))
    return { atMs, usedBytes, lagBytes, storedBytes, cpuUs: Math.round(cpuUs) }
  })
}

function around(middle: number): number[] {
  return [middle, middle * 0.95, middle * 1.07]
}

function capacity(limits: Limits, rate: number): Row {
  const name = `${(limits.cpus ?? 1) * 1000}m CPU, ${(limits.memoryBytes ?? 0) / mib} MiB`
  return row(
    name,
    [
      figure('highest rate', 'MB/s', around(rate), { better: 'more' }),
      figure('lines', 'lines/s', around(rate * 7250), { better: 'more' }),
      figure('CPU', 's/GB', around(5.1)),
      figure('CPU to the copy floor', '×', around(5.2)),
      figure('latency p50', 'ms', around(210)),
      figure('latency p99', 'ms', around(940)),
      figure('peak memory', 'MiB', around(((limits.memoryBytes ?? 0) / mib) * 0.8)),
      figure('peak memory to the limit', '×', around(0.8)),
      figure('throttled', '%', around(62 / (1 + (limits.cpus ?? 1) * 4))),
      figure('lost', 'lines', [0, 0, 0]),
      figure('stored twice', 'lines', [0, 0, 0]),
    ],
    { limits, latency: latency(210 / rate, 480_000), moments: moments(1400, limits.memoryBytes ?? 0, false) },
  )
}

/** As a whole bench makes it; no figure of it was measured. */
export function exampleReport(rest: Partial<Report> = {}): Report {
  const limits: Limits = { cpus: 0.2, memoryBytes: 64 * mib }
  const away = row(
    'away for 5 s, 4 MB/s',
    [
      figure('caught up after', 's', around(1.1)),
      figure('behind at most', 'MB', around(20), { better: 'none' }),
      figure('CPU to the copy floor', '×', around(6.4)),
      figure('peak memory to the limit', '×', around(0.76)),
      figure('lost', 'lines', [0, 0, 0]),
    ],
    { limits, moments: moments(1400, 64 * mib, true), outages: [{ fromMs: 3000, toMs: 8000 }] },
  )
  const rates = [10, 1000, 20_000].map((rate, at) =>
    row(
      `${rate.toLocaleString('en')} lines/s`,
      ['p50', 'p90', 'p99', 'max'].map((name, n) => figure(`latency ${name}`, 'ms', around(8 * (at + 1) * 2 ** n))),
      { limits, latency: latency(8 * (at + 1), [150, 15_000, 300_000][at]!), moments: moments(700, 64 * mib, false) },
    ),
  )
  return {
    schema: reportSchema,
    version: reportVersion,
    remora: '0.1.0',
    commit: { hash: '62e33ea0123456789abcdef0123456789abcdef0', isDirty: false },
    machine: {
      processor: 'AMD EPYC 7R13 Processor',
      processors: 2,
      memoryBytes: 8 * 2 ** 30,
      memoryLimit: { bytes: 8 * 2 ** 30, origin: 'the machine' },
      kernel: '6.1.0',
      node: 'v26.10.0',
      loadBefore: 0.42,
    },
    limits,
    limitsFrom: '--cpu and --memory',
    enforcement: { kind: 'cgroup', version: 2 },
    seed: 1,
    options: { form: 'long' },
    measuring: { agentUs: 81.2e6, sinkUs: 30.4e6, writerUs: 22.1e6, benchUs: 9.7e6, wallMs: 1_510_000 },
    floor: { kind: 'c', explain: 'C, by cc -O2' },
    scenarios: [
      {
        name: 'saturation',
        about:
          'The highest rate that the agent keeps up with inside the limits: its lag does not grow. 10 % more, and it does.',
        rows: [capacity(limits, 38)],
        seconds: 61,
      },
      {
        name: 'latency',
        about: 'From the write of a line to the acknowledgement of the request that has it, at steady rates.',
        rows: rates,
        seconds: 140,
      },
      {
        name: 'outage',
        about: 'Elasticsearch is away while the application goes on writing: memory stays where it is.',
        rows: [away],
        seconds: 50,
      },
      {
        name: 'memory-sweep',
        about: 'The highest rate by memory limit, with the CPU limit as it is.',
        rows: [48, 64, 128].map((each, at) => capacity({ cpus: 0.2, memoryBytes: each * mib }, [31, 38, 40][at]!)),
        seconds: 200,
      },
      {
        name: 'cpu-sweep',
        about: 'The highest rate by CPU limit, with the memory limit as it is.',
        rows: [0.1, 0.2, 0.5, 1].map((cpus) => capacity({ cpus, memoryBytes: 64 * mib }, 190 * cpus)),
        seconds: 260,
      },
    ],
    skipped: [],
    startedAt: '2026-11-26T04:00:00.000Z',
    endedAt: '2026-11-26T04:25:10.000Z',
    failures: [],
    ...rest,
  }
}
