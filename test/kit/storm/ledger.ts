/** What one process has to account for, out of its metrics. */
export interface LedgerSums {
  readonly read: number
  readonly acknowledged: number
  readonly filtered: number
  readonly deadLettered: number
  readonly lost: number
  readonly held: number
}

/** @param metrics  values of series without labels, by name  @throws Error naming the one that is not there */
export function ledgerFrom(metrics: ReadonlyMap<string, number>): LedgerSums {
  const of = (name: string) => {
    const value = metrics.get(name)
    if (value === undefined) throw new Error(`/metrics has no ${name}`)
    return value
  }
  return {
    read: of('remora_read_lines_total'),
    acknowledged: of('remora_acknowledged_lines_total'),
    filtered: of('remora_filtered_lines_total'),
    // Those that had to go are counted there still, and among the lost ones.
    deadLettered:
      of('remora_dead_lettered_lines_total') -
      (of('remora_dead_letters_expired_total') - of('remora_dead_letters_expired_earlier_total')),
    lost: of('remora_lost_lines_total'),
    held: of('remora_held_lines'),
  }
}

/** Every line that was read is somewhere. */
export function isBalanced({ read, acknowledged, filtered, deadLettered, lost, held }: LedgerSums): boolean {
  return read === acknowledged + filtered + deadLettered + lost + held
}

/** Empty when every line that was read is accounted for, and none of them badly; else what is wrong. */
export function ledgerFault(sums: LedgerSums): string {
  const { deadLettered, lost, held } = sums
  if (!isBalanced(sums)) return `the ledger does not balance: ${JSON.stringify(sums)}`
  if (deadLettered + lost + held > 0) return `lines are not acknowledged in the end: ${JSON.stringify(sums)}`
  return ''
}
