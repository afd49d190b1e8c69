import type { MeasuringCost } from './report/report.ts'
import type { RunResult } from './types.ts'

/** What measuring has cost, all runs together. */
export class Cost {
  runs = 0
  sum: MeasuringCost = { agentUs: 0, sinkUs: 0, writerUs: 0, benchUs: 0, wallMs: 0 }

  add(result: RunResult): RunResult {
    const { cpu, others, wallMs } = result
    const { sum } = this
    this.runs += 1
    this.sum = {
      agentUs: sum.agentUs + cpu.userUs + cpu.systemUs,
      sinkUs: sum.sinkUs + others.sinkUs,
      writerUs: sum.writerUs + others.writerUs,
      benchUs: sum.benchUs + others.benchUs,
      wallMs: sum.wallMs + wallMs,
    }
    return result
  }
}
