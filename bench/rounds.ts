import type { AgentRun } from './agent.ts'
import type { Cpu } from '../src/bench/machine/procfs.ts'
import type { FloorRun } from '../src/bench/floor/floor.ts'
import { floorsAgree, type Spread, spreadOf } from '../src/bench/stats.ts'

/** A start-up run, then the agent between two floors. The second floor of a round is the first of the next. */
export interface Round {
  readonly before: FloorRun
  readonly startup: AgentRun
  readonly agent: AgentRun
  readonly after: FloorRun
  /** False when its floors differ too much: something else used the machine, and the round is no evidence. */
  readonly counts: boolean
}

export interface Contest {
  floor(): Promise<FloorRun>
  startup(): Promise<AgentRun>
  agent(): Promise<AgentRun>
}

export interface Series {
  readonly rounds: readonly Round[]
  /** Empty, or the failure that ended the series. */
  readonly failure: string
}

/** Rounds that do not count are repeated, but no more than this many times the rounds asked for. */
const attemptsPerRoundMax = 2

/** Alternates until `wanted` rounds count, attempts run out, or an agent fails. */
export async function alternate(contest: Contest, wanted: number, onRound: (round: Round) => void): Promise<Series> {
  const rounds: Round[] = []
  let before = await contest.floor()
  for (let attempt = 0; attempt < wanted * attemptsPerRoundMax; attempt++) {
    const startup = await contest.startup()
    if (startup.failure !== '') return { rounds, failure: `start-up run: ${startup.failure}` }
    const agent = await contest.agent()
    if (agent.failure !== '') return { rounds, failure: agent.failure }
    const after = await contest.floor()
    const round = { before, startup, agent, after, counts: floorsAgree(cpuUs(before), cpuUs(after)) }
    rounds.push(round)
    onRound(round)
    before = after
    if (rounds.filter(({ counts }) => counts).length === wanted) return { rounds, failure: '' }
  }
  const counted = rounds.filter(({ counts }) => counts).length
  return {
    rounds,
    failure: `only ${counted} of ${wanted} rounds had floors that agree: the machine is too busy to measure`,
  }
}

export function cpuUs(cpu: Cpu): number {
  return cpu.userUs + cpu.systemUs
}

/** The floor of a round: the mean of the one before and the one after. */
export function floorUs(round: Round): number {
  return (cpuUs(round.before) + cpuUs(round.after)) / 2
}

export interface Figures {
  /** Agent to floor in CPU, start-up taken off: what the budget is about. */
  readonly steadyRatio: Spread
  readonly wholeRatio: Spread
  readonly agentCpuUs: Spread
  readonly floorCpuUs: Spread
  /** From the start to the first document. */
  readonly startupCpuUs: Spread
  readonly startupWallMs: Spread
  /** Log bytes for each second between the first and the last bulk request. */
  readonly bytesPerSecond: Spread
  readonly peakAnonymousBytes: number
  readonly peakRssBytes: number
}

/** Of the rounds that count. @throws RangeError when none does */
export function figuresOf(rounds: readonly Round[], logBytes: number): Figures {
  const counted = rounds.filter(({ counts }) => counts)
  const startupCpuUs = spreadOf(counted.map(({ startup }) => cpuUs(startup.cpu)))
  const steadyUs = (round: Round) => cpuUs(round.agent.cpu) - startupCpuUs.median
  return {
    steadyRatio: spreadOf(counted.map((round) => steadyUs(round) / floorUs(round))),
    wholeRatio: spreadOf(counted.map((round) => cpuUs(round.agent.cpu) / floorUs(round))),
    agentCpuUs: spreadOf(counted.map(({ agent }) => cpuUs(agent.cpu))),
    floorCpuUs: spreadOf(counted.map(floorUs)),
    startupCpuUs,
    startupWallMs: spreadOf(counted.map(({ startup }) => startup.firstMs)),
    bytesPerSecond: spreadOf(counted.map(({ agent }) => speedOf(agent, logBytes))),
    peakAnonymousBytes: Math.max(...counted.map(({ agent }) => agent.peak.anonymousBytes)),
    peakRssBytes: Math.max(...counted.map(({ agent }) => Math.max(agent.peak.rssBytes, agent.peak.peakRssBytes))),
  }
}

/** Log bytes per second between the first and the last bulk request, so that starting is not part of it. */
export function speedOf(run: AgentRun, logBytes: number): number {
  return (logBytes * 1000) / Math.max(1, run.sink.lastAtMs - run.sink.firstAtMs)
}
