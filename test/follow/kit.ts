import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { AgentHarness, type HarnessOptions } from '../kit/agent.ts'
import { realDisk, type Tree } from '../kit/agent-tree.ts'

/** The real agent over real files, in virtual time. */
export function agentOver(
  tree: Tree,
  options: Partial<HarnessOptions['settings']> = {},
  disk: Disk = systemDisk,
  more: Partial<HarnessOptions> = {},
): AgentHarness {
  tree.directory('logs')
  return new AgentHarness({
    disk: () => realDisk(disk),
    wallMs: () => Date.now(),
    settings: { paths: [tree.at('logs/**/*.log')], stateDir: tree.at('state'), ...options },
    ...more,
  })
}

/** `first` to `last`, a line each. */
export function numbered(first: number, last: number, prefix = 'line'): string {
  return Array.from({ length: last - first + 1 }, (_, n) => `${prefix} ${first + n}\n`).join('')
}

export function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1)
}
