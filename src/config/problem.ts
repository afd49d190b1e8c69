/** One thing that is wrong with the environment, and the way out for the person who reads it. */
export interface Problem {
  /** The environment variable. */
  readonly variable: string
  /** What is wrong, one line; no secret is in it. */
  readonly message: string
  /** What to do now, one line. */
  readonly wayOut: string
}

/** For the terminal, before exit code 2: every problem on lines of its own. Ends with a line break. */
export function explainProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  const each = problems.map(
    ({ variable, message, wayOut }) => `${variable}\n  what is wrong: ${message}\n  way out:       ${wayOut}\n`,
  )
  return `Remora cannot start: ${count} in its settings.\n\n${each.join('\n')}`
}
