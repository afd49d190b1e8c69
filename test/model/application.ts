import { gzipSync } from 'node:zlib'
import { limits } from '../../src/base/limits.ts'
import { findAnchor } from '../../src/follow/names.ts'
import type { Births, Inode, MemoryFiles } from '../kit/agent-files.ts'
import { descends, inheritedFrom, Life, linesOf, mark } from './lives.ts'
import { filePaths, type FileAction } from './schedule.ts'

const subdirectory = '/logs/sub'
const symlink = '/logs/current.log'
const banner = 'the application starts, and says the same each time'

const alike = 'a beginning that others have, while no agent looked, or could'
const unseen = 'there was a copy while the disk did not always answer'

export interface Habits {
  /** Every file begins with the same line. */
  readonly banner: boolean
  /** It holds a number. */
  readonly numbered?: boolean
  /** Lines end with CR and LF. */
  readonly crlf: boolean
  readonly births: Births
}

/** Writes and rotates files, and remembers what was written, and what was destroyed while nobody could read it. */
export class Application {
  readonly lives: Life[] = []
  readonly habits: Habits
  readonly #files: MemoryFiles
  readonly #lifeOf = new Map<Inode, Life>()
  readonly #copies = new Set<Inode>()
  /** How much of its life a packed file holds. */
  readonly #packed = new Map<Inode, number>()
  #copying: { from: Inode; to: Inode } | undefined
  readonly #moved = new Set<Inode>()
  /** What the agent was told last. */
  readonly #sizes = new WeakMap<Inode, number>()
  #orphan: Inode | undefined
  /** Deleted or moved out of sight, and held open by the agent. */
  readonly #held = new Set<Inode>()
  /** By the number that they begin with. */
  readonly #lifeOfLine: Life[] = []
  #lines = 0
  #names = 0
  /** Numbers that inodes have had, and how many inodes there were. */
  readonly #numbers = new Set<bigint>()
  readonly #copyNumbers = new Set<bigint>()
  #begun = 0
  /** The disk refuses to tell at times. */
  blind = false
  #confused = false
  #hasRestarted = false
  /** No agent runs. */
  down = false
  /** What is younger may seem to be born before. */
  clockSetBack = false
  /** Between two calls of the agent: a descriptor may be about to be closed. */
  interrupting = false

  constructor(files: MemoryFiles, habits: Habits) {
    this.#files = files
    this.habits = habits
    files.makeDirectory('/logs/sub')
  }

  /** The line that each file begins with, if any. */
  get banner(): string {
    return this.habits.numbered === true ? `${banner}, of which there are 4` : banner
  }

  // oxlint-disable-next-line eslint/complexity -- one case for each thing that an application does
  perform(action: FileAction): void {
    const path = 'file' in action ? filePaths[action.file]! : ''
    if (action.do !== 'append' && action.do !== 'piece') this.#completeCopy()
    switch (action.do) {
      case 'append':
        return this.#write(this.#open(path), this.#some(action.lines, action.bytes))
      case 'piece':
        return this.#write(this.#open(path), this.#line(action.bytes))
      case 'late': {
        const inode = this.#files.find(`${path}.1`)
        if (inode === undefined || this.#copies.has(inode)) return
        this.#late(inode)
        return this.#write(inode, this.#some(action.lines, 20))
      }
      case 'orphan':
        return this.#writeOrphan(action.lines)
      case 'rotate':
        for (let times = action.times ?? 1; times > 0; times--) {
          if (this.#files.find(path) === undefined) return
          this.#double(path)
          this.#rotated(path)
          this.#shift(path, action.keep)
          this.#gone(this.#files.rename(path, `${path}.1`))
          if (action.create || times > 1) this.#open(path)
          if (times > 1) this.#write(this.#open(path), this.#some(1, 30))
        }
        return
      case 'rename':
        if (this.#files.find(path) === undefined) return
        this.#double(path)
        this.#gone(this.#files.rename(path, action.to === 'old' ? `${path}.old` : `${path}-20260101.${++this.#names}`))
        if (action.create) this.#open(path)
        return
      case 'atomic':
        return this.#replaceWhole(path, action.lines)
      case 'copytruncate':
        this.#beginCopy(path, action.keep)
        return this.#finishCopy(action.gap)
      case 'copy':
        return this.#copySlowly(path, action.keep)
      case 'copied':
        return this.#finishCopy(action.gap)
      case 'truncate':
        return this.#truncate(this.#files.find(path), action.share ?? 0)
      case 'refill':
        return this.#refill(this.#files.find(path), action.bytes, action.same)
      case 'hole':
        return this.#leaveHole(this.#files.find(path))
      case 'delete':
        this.#double(path)
        this.#gone(this.#files.find(path) && this.#files.remove(path))
        if (action.create) this.#open(path)
        return
      case 'compress':
        return this.#compress(`${path}.${action.number}`, action.keep)
      case 'move':
        return this.#move(path)
      case 'swap':
        return this.#swap(action.lines)
      case 'through': {
        const target = this.#files.resolve(symlink)
        if (target !== undefined) this.#write(this.#files.find(target)!, this.#some(action.lines, 40))
        return
      }
      case 'removeDirectory':
        return this.#removeDirectory(subdirectory)
      case 'renameDirectory':
        return this.#renameDirectory(subdirectory, `${subdirectory}2`)
    }
  }

  /** Nothing is left half done. */
  atLast(): void {
    this.#completeCopy()
  }

  /** Which life a line was written in, by its text; undefined for a first line that all have. */
  lifeOf(text: string): { life: Life; line: number } | undefined {
    const line = Number(/^<(\d+)>/.exec(text)?.[1] ?? 0)
    const life = this.#lifeOfLine[line]
    return life && { life, line }
  }

  /** The agent closed a file. @param byItself  it went on living: then it must have what it held */
  closed(inode: Inode, byItself: boolean): void {
    if ((inode.names > 0 && !this.#moved.has(inode)) || inode.opens > 0) return
    const held = this.#held.delete(inode)
    if (!held || !byItself) this.#destroyed(inode)
  }

  /**
   * The agent deletes a file to make room, and must have all of it.
   *
   * @param drops  it may also give up what it does not have
   * @returns      what is wrong with that
   */
  removed(inode: Inode, drops: boolean): string[] {
    const name = inode.path.replace(/~remora-[\da-f]{8}$/, '')
    const isLive = filePaths.some((path) => path === name) || name.endsWith('.txt')
    const life = this.#lifeOf.get(inode)
    // It got its own name back.
    if (inode.names > 1) return []
    const wrong = isLive ? [`${name} was deleted, which is written to`] : []
    if (life === undefined) return [...wrong, `${name} was deleted, which is nobody's`]
    if (!this.#copies.has(inode)) life.drainsFirst = false
    this.#lifeOf.delete(inode)
    this.#copies.delete(inode)
    if (drops) {
      for (let at: Life | undefined = life; at !== undefined; at = at.origin) {
        for (const { from } of linesOf(at)) {
          if (!at.excused.has(from)) at.dropped.add(from)
          at.excused.add(from)
        }
        at.excused.add(at.lineStart)
      }
    }
    return wrong
  }

  /** The agent has asked for the size of a file. */
  sized(inode: Inode): void {
    this.#sizes.set(inode, inode.bytes.length)
  }

  /**
   * The agent has read lines of a file, and knows how much there is. A size alone would not tell of which content it is.
   *
   * @param to  where the bytes end that it has read
   */
  read(inode: Inode, to: number): void {
    const life = this.#lifeOf.get(inode)
    if (life === undefined || this.#copies.has(inode)) return
    life.seenBytes = Math.max(life.seenBytes, to, Math.min(this.#sizes.get(inode) ?? 0, inode.bytes.length))
    life.wasRead = true
  }

  /**
   * The agent is gone, and what it knew beyond its last checkpoint it cannot report any more.
   *
   * @param unwritten  the disk has refused checkpoints: lives that only it knew are strangers now, and so are their copies
   */
  forgotten(unwritten: boolean): void {
    if (this.habits.banner) for (const inode of this.#copies) mark(this.#lifeOf.get(inode)!, alike)
    for (const life of this.lives) {
      if (unwritten) life.repeats = 'the state that knew it could not be written'
      life.seenBytes = 0
      life.owed.clear()
      if (!life.isSaved) life.drainsFirst = false
    }
  }

  /** Another process has begun. What begins alike it may take for the rest of what it cannot find. */
  restarted(): void {
    this.#hasRestarted = true
    // Nor do the times of the last writes tell which is older.
    const { banner: alikes, births } = this.habits
    if (alikes || births === 'none') for (const life of this.lives) life.drainsFirst = false
  }

  /** A checkpoint was written. @param inodes  the numbers of the files that it knows */
  saved(inodes: ReadonlySet<string>): void {
    for (const [inode, life] of this.#lifeOf) if (inodes.has(String(inode.number))) life.isSaved = true
  }

  /** A process starts that knows nothing of those before. */
  begunAnew(): void {
    for (const life of this.lives) {
      life.seenBytes = 0
      life.owed.clear()
      life.drainsFirst = false
      life.isStrange = true
    }
  }

  /** The disk refuses at times: what cannot be compared is not known as a copy. */
  goBlind(): void {
    this.blind = true
    // What goes on, and what only begins alike, is told by bytes that cannot be read.
    if (this.habits.banner) {
      this.#confused = true
      for (const life of this.#lifeOf.values()) mark(life, alike)
    }
    for (const life of this.lives) life.drainsFirst = false
    for (const inode of this.#copies) {
      const life = this.#lifeOf.get(inode)
      if (life !== undefined) mark(life, unseen)
    }
  }

  #some(lines: number, bytes: number): string {
    const end = this.habits.crlf ? '\r\n' : '\n'
    let text = ''
    for (let n = 0; n < lines; n++) text += this.#line(bytes) + end
    return text
  }

  #line(bytes: number): string {
    const name = `<${++this.#lines}>`
    return name.repeat(Math.ceil(bytes / name.length)).slice(0, bytes)
  }

  #open(path: string): Inode {
    this.#files.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    const inode = this.#files.open(path)
    if (!this.#lifeOf.has(inode)) this.#begin(inode, new Set([path]))
    return inode
  }

  /** Without births, a file with the number of one that is gone may be taken for it, and for as old. */
  get #isTakenForAnother(): boolean {
    return this.habits.births === 'none' && this.#numbers.size < this.#begun
  }

  #begin(inode: Inode, paths: Set<string>, origin?: Life, inherited = 0): void {
    const life = new Life(`${[...paths][0]}#${this.lives.length}`, paths, origin, inherited)
    this.lives.push(life)
    this.#lifeOf.set(inode, life)
    if (this.blind && this.habits.banner) mark(life, alike)
    if (origin !== undefined) return
    // Taken for the life that had the number before, it is read in the place of that one.
    if (this.habits.births === 'none' && (this.#numbers.has(inode.number) || this.#copyNumbers.has(inode.number))) {
      for (const other of this.lives) if (!other.paths.isDisjointFrom(paths)) other.drainsFirst = false
    }
    this.#begun++
    this.#numbers.add(inode.number)
  }

  #write(inode: Inode, text: string): void {
    const life = this.#lifeOf.get(inode)!
    for (const [, line] of text.matchAll(/(?:^|\n)<(\d+)>/g)) this.#lifeOfLine[Number(line)] = life
    const full = life.text === '' && this.habits.banner ? `${this.banner}\n${text}` : text
    life.write(full)
    // Longer again than before it was cut: that it was shorter meanwhile nobody sees.
    if (life.inherited > 0 && life.text.length >= life.origin!.text.length) life.origin!.owed.clear()
    // Nor what was written over since.
    if (life.inherited > 0)
      for (const from of life.origin!.owed) if (from < life.text.length) life.origin!.owed.delete(from)
    this.#files.append(inode, full)
  }

  #writeOrphan(lines: number): void {
    const orphan = this.#orphan
    // What is written just when the agent lets go of it is lost: nobody can help that.
    if (orphan === undefined || !this.#held.has(orphan) || this.interrupting) return
    if (this.#copying?.from === orphan) return
    const life = this.#lifeOf.get(orphan)
    if (life === undefined) return
    // The archive is shorter than what is read now: without a line that tells it is a stranger after a restart.
    if ([...this.#packed.keys()].some((packed) => this.#lifeOf.get(packed) === life))
      mark(life, 'written on after it was packed')
    this.#late(orphan)
    this.#write(orphan, this.#some(lines, 20))
  }

  /** What is written now, behind its successor's first line, is not waited for. */
  #late(inode: Inode): void {
    const life = this.#lifeOf.get(inode)!
    const isAfter = this.lives
      .slice(this.lives.indexOf(life) + 1)
      .some(({ text, paths }) => text !== '' && !paths.isDisjointFrom(life.paths))
    if (isAfter) life.lateFrom = Math.min(life.lateFrom, life.lineStart)
  }

  #shift(path: string, keep: number): void {
    for (const end of ['', '.gz']) {
      this.#gone(this.#files.find(`${path}.${keep}${end}`) && this.#files.remove(`${path}.${keep}${end}`))
      for (let n = keep - 1; n >= 1; n--) {
        if (this.#files.find(`${path}.${n}${end}`) !== undefined) {
          this.#gone(this.#files.rename(`${path}.${n}${end}`, `${path}.${n + 1}${end}`))
        }
      }
    }
  }

  #beginCopy(path: string, keep: number): void {
    const from = this.#files.find(path)
    if (from === undefined || this.#copying !== undefined) return
    this.#shift(path, keep)
    this.#gone(this.#files.find(`${path}.1`) && this.#files.remove(`${path}.1`))
    const to = this.#files.open(`${path}.1`)
    this.#copies.add(to)
    this.#copyNumbers.add(to.number)
    // Which of two files with equal bytes is younger nobody can tell then: after a while the copy is a file of its own.
    if (to.birthNs <= from.birthNs) mark(this.#lifeOf.get(from)!, 'copied, and births do not tell which is younger')
    if (this.blind) mark(this.#lifeOf.get(from)!, unseen)
    // The state holds the bytes before the frontier, not those before what was sent and not answered.
    if (this.down && this.habits.banner) mark(this.#lifeOf.get(from)!, alike)
    this.#lifeOf.set(to, this.#lifeOf.get(from)!)
    this.#excuseCut(from)
    this.#files.write(to, from.bytes.subarray(0, from.bytes.length >> 1))
    this.#copying = { from, to }
  }

  /** Not truncated for a while, a copy in which nothing tells is a file of its own: it may be one that only begins alike. */
  #copySlowly(path: string, keep: number): void {
    const from = this.#files.find(path)
    this.#beginCopy(path, keep)
    if (from === undefined || this.#copying?.from !== from) return
    const half = from.bytes.subarray(0, Math.min(from.bytes.length >> 1, limits.headBytesMax))
    if (findAnchor(half, 0, false).kind !== 'found') mark(this.#lifeOf.get(from)!, 'copied slowly, and nothing tells')
  }

  /**
   * Of what was cut to a part, written on and copied before anybody has looked, a copy is left that is shorter than what was
   * read, with the same bytes where that can be compared: it passes for a copy of what was read.
   */
  #excuseCut(inode: Inode): void {
    const life = this.#lifeOf.get(inode)!
    if (life.inherited > 0) for (const line of linesOf(life)) life.excused.add(line.from)
  }

  #rotated(path: string): void {
    const inode = this.#files.find(path)
    const life = inode && this.#lifeOf.get(inode)
    // Nobody has seen it under its first name: what comes first only births can tell, and not while there is something to
    // be found again that it may be the rest of.
    if (this.habits.banner && this.#hasRestarted) return
    const isTold =
      life !== undefined && (life.wasRead || (this.habits.births === 'fine' && !this.down && !this.clockSetBack))
    if (isTold && !this.blind && !this.#isTakenForAnother) life.drainsFirst = true
  }

  #double(path: string): void {
    const inode = this.#files.find(path)
    const life = inode && this.#lifeOf.get(inode)
    if (life !== undefined && this.#copying?.from === inode)
      life.repeats = 'copied, and renamed or deleted instead of truncated'
  }

  /** The rest of the copy, if both files are still what they were; then the file is emptied. */
  #finishCopy(gap: number): void {
    if (this.#copying === undefined) return
    this.#completeCopy()
    const { from, to } = this.#copying
    this.#copying = undefined
    if (!this.#lifeOf.has(from) || this.#lifeOf.get(to) !== this.#lifeOf.get(from)) return
    if (gap > 0) this.#write(from, this.#some(gap, 30))
    this.#truncate(from, 0)
  }

  /** The copying goes on whatever happens to the file's names. */
  #completeCopy(): void {
    if (this.#copying === undefined) return
    const { from, to } = this.#copying
    if (this.#lifeOf.has(to) && this.#lifeOf.get(from) === this.#lifeOf.get(to)) this.#files.write(to, from.bytes)
  }

  /** Nothing in the new name tells what it was: only who holds it, or remembers its inode, knows. */
  #move(path: string): void {
    const inode = this.#files.find(path)
    if (inode === undefined) return
    this.#double(path)
    this.#files.rename(path, `${path.slice(0, -4)}-${++this.#lines}.kept`)
    this.#outOfSight(inode)
  }

  #outOfSight(inode: Inode): void {
    if (inode.opens === 0) return this.#destroyed(inode)
    this.#moved.add(inode)
    if (!this.interrupting) this.#held.add(inode)
  }

  /** A new file is made whole under another name, and put over the old one. */
  #replaceWhole(path: string, lines: number): void {
    const temporary = `${path.slice(0, -4)}.new`
    this.#files.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    const inode = this.#files.open(temporary)
    this.#begin(inode, new Set([path]))
    this.#write(inode, this.#some(lines, 40))
    this.#double(path)
    this.#gone(this.#files.rename(temporary, path))
  }

  /** A symlink leads to another file from now on, whose own name tells nothing. */
  #swap(lines: number): void {
    const target = `${subdirectory}/target-${++this.#names}.txt`
    const before = this.#files.resolve(symlink)
    this.#write(this.#open(target), this.#some(lines, 40))
    this.#files.symlink(`${symlink}.new`, target)
    this.#files.rename(`${symlink}.new`, symlink)
    if (before !== undefined) this.#outOfSight(this.#files.find(before)!)
  }

  #renameDirectory(from: string, to: string): void {
    if (this.#files.find(from) === undefined) return
    this.#removeDirectory(to)
    const target = this.#files.resolve(symlink)
    this.#files.rename(from, to)
    // The symlink leads to nothing now.
    if (target !== undefined) this.#outOfSight(this.#files.find(target.replace(from, to))!)
    for (const [inode, life] of this.#lifeOf) {
      const isHere = [...life.paths].some((path) => path.startsWith(`${from}/`))
      if (isHere) life.isMoved = true
      // Under its new name, in a directory that could not be listed for a while, nothing tells that it is the same inode.
      if (isHere && this.blind && this.habits.births === 'none') mark(life, unseen)
      for (const path of life.paths) life.paths.add(path.replace(`${from}/`, `${to}/`))
      // A copy is looked for beside the file's first name.
      if (this.#copies.has(inode) && inode.path.startsWith(to)) life.repeats = 'its copy was moved with the directory'
    }
  }

  #removeDirectory(path: string): void {
    if (this.#files.find(path) === undefined) return
    for (const { name } of this.#files.entries(path)) this.#gone(this.#files.remove(`${path}/${name}`))
    this.#files.remove(path)
  }

  #truncate(inode: Inode | undefined, share: number): void {
    if (inode === undefined) return
    const { length } = inode.bytes
    const left = Math.floor(length * share)
    this.#files.truncate(inode, left)
    // With nothing in it a file cannot begin a new life.
    if (length === 0) return
    const old = this.#lifeOf.get(inode)!
    // What is left of it is in a copy, if anywhere: that does not hold its successor up.
    old.drainsFirst = false
    const hasCopy = [...this.#copies].some((copy) => this.#lifeOf.get(copy) === old)
    // What is left of the file is a copy of the copy: nobody can say which is which.
    if (left > 0 && hasCopy) mark(old, 'copied, and cut to a part')
    this.#begin(inode, new Set(old.paths), old, left)
    this.#excuse(old, length)
    // With other bytes behind what was left nobody knows how far the old ones had come.
    if (left > 0 && this.down) old.owed.clear()
  }

  #refill(inode: Inode | undefined, bytes: number, same: boolean): void {
    if (inode === undefined || inode.bytes.length === 0) return
    const { length } = inode.bytes
    const old = this.#lifeOf.get(inode)!
    this.#truncate(inode, 0)
    // The same beginning and the same size: before more is read nobody can tell the two apart.
    if (this.habits.banner) old.owed.clear()
    this.#write(inode, this.#some(1, 8))
    const left = length - inode.bytes.length
    if (!same) this.#write(inode, this.#some(1, bytes) + this.#line(Math.max(bytes, left)))
    else if (left > 0) this.#write(inode, this.#line(left))
  }

  /** A writer that does not append goes on where it stood in a file that was emptied. */
  #leaveHole(inode: Inode | undefined): void {
    if (inode === undefined || inode.bytes.length === 0) return
    const { length } = inode.bytes
    this.#truncate(inode, 0)
    const text = this.#some(1, 40)
    this.#lifeOf.get(inode)!.write('\0'.repeat(length) + text)
    this.#files.writeAt(inode, length, text)
  }

  /** As gzip does it: the packed file is whole before the plain one goes. @param keep  the plain one stays */
  #compress(path: string, keep: boolean): void {
    const inode = this.#files.find(path)
    const life = inode && this.#lifeOf.get(inode)
    if (inode === undefined || life === undefined || inode.bytes.length === 0) return
    if (this.#copying?.from === inode || this.#copying?.to === inode) return
    this.#gone(this.#files.find(`${path}.gz`) && this.#files.remove(`${path}.gz`))
    if (this.blind) mark(life, unseen)
    const packed = this.#files.open(`${path}.gz`)
    this.#copies.add(packed)
    this.#copyNumbers.add(packed.number)
    this.#packed.set(packed, inode.bytes.length)
    this.#lifeOf.set(packed, life)
    this.#files.write(packed, gzipSync(inode.bytes))
    if (!keep) this.#gone(this.#files.remove(path))
  }

  #gone(inode: Inode | undefined): void {
    if (inode === undefined || inode.names > 0) return
    // Deleted before anybody has looked, it does not show that it was truncated: what begins alike is rather another one.
    this.#markCopied(this.#lifeOf.get(inode)?.origin)
    if (inode.opens > 0 && !this.interrupting) {
      this.#held.add(inode)
      if (!this.#copies.has(inode)) this.#orphan = inode
    }
    if (inode.opens === 0) this.#destroyed(inode)
  }

  #markCopied(origin: Life | undefined): void {
    const copied = new Set([...this.#copies].map((copy) => this.#lifeOf.get(copy)))
    for (let at = origin; at !== undefined; at = at.origin)
      if (copied.has(at)) at.repeats = 'copied, and its file deleted'
  }

  #destroyed(inode: Inode): void {
    const life = this.#lifeOf.get(inode)
    if (life !== undefined && !this.#copies.has(inode)) life.drainsFirst = false
    this.#lifeOf.delete(inode)
    this.#copies.delete(inode)
    if (life !== undefined) this.#excuse(life, this.#packed.get(inode) ?? inode.bytes.length)
  }

  /** The bytes of a life up to `to` were destroyed somewhere: what no other file has of them may be missing. */
  #excuse(life: Life, to: number): void {
    let kept = 0
    for (const [inode, other] of this.#lifeOf) {
      if (other === life) kept = Math.max(kept, this.#packed.get(inode) ?? inode.bytes.length)
      // What was left in the file when it was cut is there for all the lives that it has had since.
      else if (descends(other, life)) kept = Math.max(kept, inheritedFrom(other, life))
    }
    if (kept >= to) return
    // The life before began with the same bytes: if they were still to be read, they were to be read here.
    if (life.origin !== undefined) this.#excuse(life.origin, Math.min(to, life.inherited))
    for (const line of linesOf(life)) {
      if (line.to <= kept || line.from >= to) continue
      life.excused.add(line.from)
      // The end of a line through which the file was cut went then, and may have been written over.
      if (line.to <= Math.min(life.seenBytes, to) && !this.#confused) life.owed.add(line.from)
    }
    life.excused.add(life.text.lastIndexOf('\n', to - 1) + 1)
  }
}
