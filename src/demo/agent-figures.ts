/** What the agent says of itself while it runs, from its `/metrics`. */

/** Of the lines that the agent took up, how many ended where. */
export interface AgentAccount {
  readonly readLines: number
  readonly acknowledgedLines: number
  /** Of the acknowledged ones, those that the server had already. */
  readonly duplicateLines: number
  readonly deadLetteredLines: number
  readonly lostLines: number
  readonly heldLines: number
}

export interface AgentFigures extends AgentAccount {
  readonly unreadBytes: number
  readonly requestsUnderWay: number
  readonly memoryInUseBytes: number
  readonly arenaBytes: number
  /** Renamed, and copied and truncated, so far. */
  readonly rotations: number
}

const answerBytesMax = 1024 * 1024

/**
 * Undefined when a figure is missing: it is not the agent that has answered.
 * Source: Prometheus documentation, "Exposition formats", text-based format.
 */
export function parseFigures(text: string): AgentFigures | undefined {
  const series = new Map<string, number>()
  for (const [, name = '', value] of text.matchAll(/^(remora_\w+(?:\{[^}\n]*\})?) ([\d.e+-]+)$/gm)) {
    series.set(name, Number(value))
  }
  const of = (name: string) => series.get(`remora_${name}`) ?? NaN
  // By the reason, too.
  const events = (kind: string) =>
    [...series]
      .filter(([name]) => name.startsWith(`remora_file_events_total{kind="${kind}",`))
      .reduce((sum, [, count]) => sum + count, 0)
  const figures: AgentFigures = {
    readLines: of('read_lines_total'),
    acknowledgedLines: of('acknowledged_lines_total'),
    duplicateLines: of('duplicate_lines_total'),
    // Letters that had to go are counted there still, and among the lost ones.
    deadLetteredLines:
      of('dead_lettered_lines_total') - (of('dead_letters_expired_total') - of('dead_letters_expired_earlier_total')),
    lostLines: of('lost_lines_total'),
    heldLines: of('held_lines'),
    unreadBytes: of('unread_bytes'),
    requestsUnderWay: of('requests_under_way'),
    memoryInUseBytes: of('memory_in_use_bytes'),
    arenaBytes: of('arena_bytes'),
    rotations: events('rotated') + events('replaced'),
  }
  return Object.values(figures).some(Number.isNaN) ? undefined : figures
}

/** Asks the agent on this machine. Undefined when it does not answer in time: it may be starting, or ending. */
export async function askFigures(port: number, timeoutMs: number): Promise<AgentFigures | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(timeoutMs) })
    if (!answer.ok || Number(answer.headers.get('content-length') ?? 0) > answerBytesMax) return undefined
    return parseFigures(await answer.text())
  } catch {
    return undefined
  }
}
