/**
 * What became of the lines: read = acknowledged + filtered + dead-lettered + lost + held, at all times. Lines that are
 * read again after a restart count again, and come back as duplicates.
 */
export class Ledger {
  readLines = 0
  readBytes = 0
  /** Answered for by Elasticsearch, with those it had already. */
  acknowledgedLines = 0
  /** Of these, the ones that were there already (409). */
  duplicateLines = 0
  filteredLines = 0
  deadLetteredLines = 0
  lostLines = 0
  /** In a batch, without a final verdict. */
  heldLines = 0
  /** Lines that were longer than the limit and were cut. */
  cutLines = 0
  /** Bytes of files that vanished before they were read: how many lines they held nobody knows. */
  gapBytes = 0
  gaps = 0

  read(lines: number, bytes: number, cutLines: number): void {
    this.readLines += lines
    this.readBytes += bytes
    this.cutLines += cutLines
    this.heldLines += lines
  }

  acknowledge(lines: number, duplicates: number): void {
    this.heldLines -= lines
    this.acknowledgedLines += lines
    this.duplicateLines += duplicates
  }

  deadLetter(lines: number): void {
    this.heldLines -= lines
    this.deadLetteredLines += lines
  }

  lose(lines: number): void {
    this.heldLines -= lines
    this.lostLines += lines
  }

  gap(bytes: number): void {
    this.gaps++
    this.gapBytes += bytes
  }

  /** Lines in no account; anything but 0 is a bug. */
  get imbalance(): number {
    return (
      this.readLines -
      this.acknowledgedLines -
      this.filteredLines -
      this.deadLetteredLines -
      this.lostLines -
      this.heldLines
    )
  }
}
