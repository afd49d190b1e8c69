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
  /** The same before a few places that reading has passed, in growing order. */
  readonly marks: readonly { readonly offset: number; readonly hash: string }[]
  readonly sizeBytes: number
  /** Nothing more was expected of it. */
  readonly finished: boolean
  /** From this offset on `_id`s begin with this name instead, made of what the line there says; null: not known yet. */
  readonly anchor: { readonly offset: number; readonly id: string } | null
  /** No line before this has the anchor's name: a line that may count was shipped before the next one came. */
  readonly bannerTo: number
  /** The inode is an archive of it: offsets count the bytes that come out. */
  readonly packing: 'gzip' | 'zstd' | null
  /** Wall clock when it was first seen, epoch milliseconds: the date in the name of its index. States of before have none. */
  readonly seenMs?: number
}

/** Everything that outlives the process. */
export interface State {
  /** Outside Kubernetes the name of this installation, made once: begins the ids where no Pod UID is known. */
  readonly instance: string
  /** Made with each state that begins anew: tells apart what an earlier, lost state may have named. */
  readonly incarnation: string
  /** Wall clock of the first start, epoch milliseconds; 0: it is not known, and anything may be ours. */
  readonly sinceMs: number
  /** Opaque text (base64) of `follow/`: which names were given out. Empty at first. */
  readonly names: string
  /** Concrete indices behind the target as last known; null: not known. */
  readonly indices: readonly string[] | null
  readonly generations: readonly SavedGeneration[]
}
