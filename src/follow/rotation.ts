/** Facts about an open file at one look, against what is known of the generation that was being read from it. */
export interface LookFacts {
  readonly sizeBytes: number
  /** Where reading stands. */
  readonly offsetBytes: number
  /** How many bytes from the start are known: the read ones, or before that the fingerprint's. */
  readonly knownBytes: number
  /** The known bytes are what they were, as far as they were compared; undefined when nobody has looked. */
  readonly guardHolds: boolean | undefined
}

/**
 * - `same`: nothing to read
 * - `grown`: bytes behind the offset
 * - `replaced`: the content is another one (copytruncate, or refilled past the old offset): the generation has ended
 */
export type Look = 'same' | 'grown' | 'replaced'

export function lookAt(facts: LookFacts): Look {
  if (facts.sizeBytes < facts.knownBytes || facts.guardHolds === false) return 'replaced'
  return facts.sizeBytes > facts.offsetBytes ? 'grown' : 'same'
}

/** Facts about a file with a known inode when Remora starts again. */
export interface ResumeFacts {
  /** Birth times agree, or one of them is not known. */
  readonly sameBirth: boolean
  /** The file begins with the bytes of the generation's fingerprint; undefined: it had none yet. */
  readonly sameBeginning: boolean | undefined
  readonly sizeBytes: number
  readonly offsetBytes: number
  readonly guardHolds: boolean
}

/**
 * - `resume`: go on at the saved offset
 * - `replaced`: same inode, another content: the generation's rest may be in a copy, a new generation begins at 0
 * - `other`: the inode was given to another file: the generation is gone, this file is new
 */
export type Resume = 'resume' | 'replaced' | 'other'

export function resumeAt(facts: ResumeFacts): Resume {
  if (!facts.sameBirth) return 'other'
  const isLonger = facts.sizeBytes >= facts.offsetBytes
  return facts.sameBeginning !== false && isLonger && facts.guardHolds ? 'resume' : 'replaced'
}

/** Facts about a file, not an archive, whose inode nobody knows. */
export interface StrangerFacts {
  /** A glob matches its name. */
  readonly matched: boolean
  /** Its name looks like the rotated form of a name that matches. */
  readonly looksRotated: boolean
  /** It may be a copy of a file that is followed, going by their names. */
  readonly mayBeCopy: boolean
  /** It came into being after Remora first started here; undefined when the file system does not tell. */
  readonly bornSince: boolean | undefined
  /** Its first line is complete. */
  readonly hasFingerprint: boolean
  /** A known generation has these bytes up to the end of one of the two: a copy, perhaps still being made. */
  readonly copyOfKnown: boolean
}

/**
 * - `new`: a generation of its own, read from its start
 * - `missed`: the same, of a file that was created and rotated away before anybody looked
 * - `copy`: the same lines as a generation that is known: never read as its own
 * - `wait`: too early to say
 * - `ignore`: not ours
 */
export type Stranger = 'new' | 'missed' | 'copy' | 'wait' | 'ignore'

export function strangerIs(facts: StrangerFacts): Stranger {
  if (!facts.matched && !facts.looksRotated) return 'ignore'
  if (facts.copyOfKnown) return 'copy'
  // Half made, a copy tells nothing yet.
  if (facts.matched) return facts.mayBeCopy && !facts.hasFingerprint ? 'wait' : 'new'
  if (facts.bornSince !== true) return 'ignore'
  return facts.hasFingerprint ? 'missed' : 'wait'
}
