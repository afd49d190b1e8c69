/** A document that Elasticsearch will never take as it is; `letters/` keeps it. */
export interface DeadLetter {
  readonly status: number
  readonly errorType: string
  /** The server's words; they may repeat the offending value, so they go to the letter and nowhere else. */
  readonly reason?: string | undefined
  readonly target: string
  /** The action line and the source line as they were sent: enough to send them again. */
  readonly action: string
  readonly source: string
}
