/** What the demo says before and after. */
import type { Account } from './account.ts'
import { accountTable } from './account-table.ts'
import type { AgentAccount } from './agent-figures.ts'
import type { ApplicationAccount } from './application.ts'
import type { Destination } from './destination.ts'
import type { Prepared } from './prepare.ts'
import type { Screen } from './screen.ts'
import { bytesText, countText, wholeMib } from './text.ts'
import type { Extremes } from './watcher.ts'

export function sayOpening(
  screen: Screen,
  { seconds, rate }: { readonly seconds: number; readonly rate: number },
  { destination, unused }: Prepared,
): void {
  screen.say(
    [
      screen.style('bold', 'Remora demo'),
      '',
      `  application  writes ${countText(rate)} lines/s for ${seconds} s into two logs, and rotates them:`,
      '               orders.log by renaming, payments.log by copying and truncating',
      '  agent        remora run, in its default configuration',
      `  server       ${destination.name}`,
      ...(unused.length === 0 ? [] : [`  not used     ${unused.join(', ')}: the demo has its own`]),
      '',
    ].join('\n'),
  )
}

export function sayAccount(screen: Screen, account: Account, { memoryBytes, budgetBytes, lagBytes }: Extremes): void {
  screen.say(`\n${accountTable(account)}`)
  if (memoryBytes === 0) return
  const memory = `${wholeMib(memoryBytes)} of its ${wholeMib(budgetBytes)} MiB of memory`
  screen.say(`At the most the agent used ${memory}, and was ${bytesText(lagBytes)} behind.`)
}

/** What is known when the documents could not be read back. */
export function sayUncounted(screen: Screen, written: ApplicationAccount, agent: AgentAccount | undefined): void {
  const [read, acknowledged] = [agent?.readLines, agent?.acknowledgedLines].map((lines) =>
    lines === undefined ? 'unknown' : countText(lines),
  )
  screen.say(
    `\n  written ${countText(written.lines)}, read ${read}, acknowledged ${acknowledged}, arrived unknown: not counted\n`,
  )
}

export function sayVerdict(screen: Screen, wrong: readonly string[]): void {
  if (wrong.length === 0) {
    screen.say(
      screen.style(['bold', 'green'], 'All agree: every line arrived, once, and its text is what was written.'),
    )
    return
  }
  screen.say(screen.style(['bold', 'red'], 'Something is wrong:'))
  for (const each of wrong) screen.say(`  - ${each}`)
}

/** The agent's own warnings, and where all of its messages are. */
export function sayComplaints(screen: Screen, complaints: readonly string[], logPath: string): void {
  screen.say(`\nThe agent's messages are in ${logPath}${complaints.length === 0 ? ', no warning among them' : ':'}`)
  for (const complaint of complaints) screen.say(`  ${complaint}`)
}

export function sayNext(screen: Screen, destination: Destination): void {
  const { next } = destination
  screen.say(
    ['', destination.remains(), '', screen.style('bold', 'Try next'), ...next.map((line) => `  ${line}`)].join('\n'),
  )
}
