/** One protection, and how the sources look without it. */
export interface Mutant {
  readonly name: string
  readonly edits: readonly Edit[]
}

interface Edit {
  /** Stands exactly once in the sources. */
  readonly text: string
  readonly instead: string
}

const one = (name: string, text: string, instead = ''): Mutant => ({
  name,
  edits: [{ text, instead }],
})

/** What keeps the promises, one by one. */
export const mutants: readonly Mutant[] = [
  one('the bytes before the offset, at each read', 'generation.guard.compare(input, 0, guard) === 0 &&', 'true &&'),
  one('the bytes before the offset, at a restart', 'guardHolds: hashOf(guard) === saved.guardHash', 'guardHolds: true'),
  one(
    'the fingerprint, at a restart',
    'sameBeginning: saved.fingerprint === null ? undefined : beginsWith(disk, descriptor, saved.fingerprint)',
    'sameBeginning: undefined',
  ),
  one('birth times', 'return a === b || a === 0n || b === 0n', 'return true'),
  one('the frontier without gaps', 'if (!first.settled) break', 'void 0'),
  one('the flush of the checkpoint', 'await draft.flush()'),
  one('the flush of its directory', "await steps.flushDirectory(path.slice(0, path.lastIndexOf('/')))"),
  one('the flush of dead letters before a checkpoint', 'await this.#o.first?.()'),
  one('a checkpoint before the first line of a generation', 'await saving.knows(spans.map(({ source }) => source))'),
  one('the first checkpoint again when it fails', 'if (!written) this.#dirty = true'),
  one('the open descriptor of a deleted file', 'if (generation.unreadBytes > 0 && !generation.finished) return'),
  one('predecessors first', 'if (predecessor.readable || predecessor.countsUntilMs !== undefined) return true'),
  {
    name: 'the number of truncations in the id, and the names that were given out',
    edits: [
      { text: 'String(epoch), fingerprintHash]', instead: 'fingerprintHash]' },
      { text: 'if (this.#used.has(name) && salt < limits.nameTriesMax) continue', instead: '' },
    ],
  },
  one('409 is done', 'return status === 409 || (status', 'return (status'),
  one('a partial answer matched by position', 'for (const kept of keep) {', 'for (const kept of keep.toReversed()) {'),
  {
    name: 'a slot is free after its verdicts',
    edits: [
      { text: 'await saving.knows(', instead: 'arena.give(slot)\n    await saving.knows(' },
      { text: 'saving.touch()\n    arena.give(slot)', instead: 'saving.touch()' },
    ],
  },
  {
    name: 'the frontier after the verdict',
    edits: [
      {
        text: 'await saving.knows(',
        instead: 'for (const span of settle) span()\n    await saving.knows(',
      },
      { text: 'if (outcome.held === 0) settle[at]!()', instead: '' },
    ],
  },
  one(
    'the checkpoint is of the frontier, not of what was read',
    'offset: mark?.offset ?? generation.offset',
    'offset: generation.offset',
  ),
  one('copies are known', "if (facts.copyOfKnown) return 'copy'"),
  one(
    'the rest is looked for in a copy',
    'if (!mayBe || !holdsRestOf(disk, generation, opened.descriptor)) return false',
    'return false',
  ),
  one('a cut line is known after a restart', 'skipping: mark?.skipping ?? generation.skipping', 'skipping: false'),
  one(
    'the tail of what was searched',
    'if (got < tail.length || tail.compare(input, 0, tail.length) !== 0) return true',
  ),
  {
    name: 'written without growing',
    edits: [
      {
        text: 'if (rewritten && !unread && known.descriptor !== -1) this.#compareAgain(known)',
        instead: '',
      },
      { text: '((silent || isShorter) && !isIntact', instead: '(isShorter && !isIntact' },
    ],
  },
  one(
    'missing twice before it is gone',
    'if (this.#absent.has(saved)) missing.push(saved)\n      else this.#absent.add(saved)',
    'missing.push(saved)',
  ),
  one(
    'too early for strangers while something is missing',
    'if (looksRotated && early && !this.#hasWaited(file)) return this.#p.elders.undecided(file)',
    '',
  ),
  one('a rotated file that was never seen', "return facts.hasFingerprint ? 'missed' : 'wait'", "return 'ignore'"),
  one(
    'only who is settled is forgotten',
    "if (generation.stage === 'live' || !this.#p.settled(generation)) return",
    "if (generation.stage === 'live') return",
  ),
  one(
    'lines in memory keep their generation',
    'if (generation.wanted === undefined || !this.#p.settled(generation)) return false',
    'if (generation.wanted === undefined) return false',
  ),
  one(
    'the last size of a content that is gone',
    'if (generation.fingerprint !== undefined) generation.sizeBytes = Math.max(generation.offset, generation.provenBytes)',
  ),
  one('a question after a crash: what is there', 'resumption.mayHaveSent(spans)', 'false'),
  one('a question after a time-out: what is there', "if (sent.kind !== 'failed' || sent.reached) this.#doubt(range)"),
  one(
    'the fingerprint up to the first line that tells',
    'if (fingerprint === undefined || to <= fingerprint.bytes || to > head.length) return',
    'return',
  ),
  one('a name is given out once', 'return alone && !this.#used.has(name) ? name', 'return alone ? name'),
  one('names by what lines say', 'return alone && !this.#used.has(name) ? name', 'return false ? name'),
  one(
    'an archive is known as a form of its file',
    '.find((generation) => !isTooYoung(generation, file.facts, nowMs) && this.#isPackedForm(inside, generation))',
    '.find(() => false)',
  ),
  one('the rest is looked for in an archive', 'if (!holdsPacked(inside, generation)) return false', 'return false'),
  one(
    'an inode that was given again is of whoever has its bytes',
    "here.some((saved) => this.#resume(saved, file, 'resume')) ||",
  ),
  one('a successor waits for further looks', "generation.waitsFor = 'look'"),
  one('a successor waits for a decision', "generation.waitsFor = 'decision'", 'void 0'),
  one('a line that may count waits for the next one', 'patient && search.offset < search.end', 'false'),
  one('the state knows what was shipped before its name could be told', 'generation.bannerTo = saved.bannerTo'),
  one('a checkpoint knows the last renaming', 'if (generation.renamings === count) generation', 'generation'),
  one('a name is given out with the first line', 'if (anchorUsed || anchorHash === undefined) return', 'return'),
  one(
    'where nothing tells, a copy is not shorter than what was known',
    'return anchor === undefined && copyBytes < sizeBytes',
    'return false',
  ),
  one(
    'a copy was there before its content was gone',
    'return bornMs > wantedSinceMs && bornMs <= nowMs',
    'return false',
  ),
  one('a piece of a line is no beginning', 'return !head.subarray(0, offset).includes(newline)', 'return false'),
  one(
    'the last comparison before the end',
    'if (generation.descriptor === -1 || isIntact(this.#p.disk, generation)) return true',
    'return true',
  ),
  one(
    'what is read is compared before it is named',
    'if (isIntact(this.#p.disk, generation)) this.#name(generation, head)',
    'this.#name(generation, head)',
  ),
  one(
    'a file found rotated is read before the one that has its name',
    'if (!hasName && !told) return',
    'if (true) return',
  ),
  {
    name: 'the volume: what is deleted as shipped has ended',
    edits: [
      {
        text: 'return finished && offset === sizeBytes && this.#p.settled(generation)',
        instead: 'return true',
      },
      { text: 'return this.#endedAt.get(generation) === generation.offset', instead: 'return true' },
    ],
  },
  one('the volume: a drop is said', "this.#say('error', texts.dropped(", 'void (texts.dropped('),
]
