/** What is kept of one generation between two runs. Written by `settle/`, understood by `follow/`. */
export interface SavedGeneration {
  /** Begins each `_id`; null, as the fingerprint, while its first line was not complete. */
  readonly id: string | null
  readonly path: string
  readonly currentPath: string | null
  readonly epoch: number
  /** Decimal, for JSON has no 64-bit integers. */
  readonly inode: string
  readonly birthNs: string
  readonly fingerprint: { readonly hash: string; readonly bytes: number } | null
  /** Every line before has a final verdict. */
  readonly offset: number
  readonly skipping: boolean
  /** Hash of the bytes just before `offset`. */
  readonly guardHash: string
  readonly sizeBytes: number
  /** Nothing more was expected of it. */
  readonly finished: boolean
}
