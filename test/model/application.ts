import type { Inode, MemoryFiles } from '../kit/agent-files.ts'
import { filePaths, type FileAction } from './schedule.ts'

/** One life of a content, as the application knows it: what a generation is to be. */
export interface Life {
  readonly name: string
  /** Names that it had and that are watched: it is known by the first one that was seen. */
  readonly paths: Set<string>
  /** ASCII, so that a character is a byte. */
  text: string
  /** Where lines begin that came in several pieces: if their file ended in between, so may their documents. */
  readonly pieced: Set<number>
  /** Ends of the bytes that nobody could have read any more: what began before may be missing. */
  readonly excused: Set<number>
  /** It was copied and then renamed instead of truncated: nobody can say that the copy is one, so it may come twice. */
  doubled: boolean
}

export interface Line {
  readonly life: Life
  readonly from: number
  /** Behind the newline. */
  readonly to: number
  readonly text: string
}

const subdirectory = '/logs/sub'
const banner = 'the application starts, and says the same each time'

/** Writes and rotates files, and remembers what was written, and what was destroyed while nobody could read it. */
export class Application {
  readonly lives: Life[] = []
  readonly #files: MemoryFiles
  readonly hasBanner: boolean
  readonly #lifeOf = new Map<Inode, Life>()
  readonly #copies = new Set<Inode>()
  #copying: { from: Inode; to: Inode } | undefined
  readonly #moved = new Set<Inode>()
  #orphan: Inode | undefined
  /** Deleted or moved out of sight, and held open by the agent. */
  readonly #held = new Set<Inode>()
  #lines = 0
  /** Between two calls of the agent: a descriptor may be about to be closed. */
  interrupting = false

  constructor(files: MemoryFiles, withBanner: boolean) {
    this.#files = files
    this.hasBanner = withBanner
    files.makeDirectory('/logs/sub')
  }

  perform(action: FileAction): void {
    const path = 'file' in action ? filePaths[action.file]! : ''
    if (action.do !== 'append' && action.do !== 'piece') this.#completeCopy()
    switch (action.do) {
      case 'copied':
        return this.#finishCopy(action.gap)
      case 'orphan': {
        const orphan = this.#orphan
        // What is written just when the agent lets go of it is lost: nobody can help that.
        if (orphan === undefined || !this.#held.has(orphan) || this.interrupting) return
        if (this.#copying?.from === orphan) return
        for (let n = 0; n < action.lines; n++) this.#write(orphan, `${this.#line(20)}\n`)
        return
      }
      case 'removeDirectory':
        return this.#removeDirectory(subdirectory)
      case 'renameDirectory':
        return this.#renameDirectory(subdirectory, `${subdirectory}2`)
      case 'move':
        return this.#move(path)
      case 'copy':
        return this.#beginCopy(path, action.keep)
      case 'append':
        for (let n = 0; n < action.lines; n++) this.#write(this.#open(path), `${this.#line(action.bytes)}\n`)
        return
      case 'piece':
        return this.#write(this.#open(path), this.#line(action.bytes))
      case 'rotate':
        if (this.#files.find(path) === undefined) return
        this.#double(path)
        this.#shift(path, action.keep)
        this.#gone(this.#files.rename(path, `${path}.1`))
        if (action.create) this.#open(path)
        return
      case 'copytruncate':
        this.#beginCopy(path, action.keep)
        return this.#finishCopy(action.gap)
      case 'truncate':
        return this.#truncate(this.#files.find(path))
      case 'delete':
        this.#gone(this.#files.find(path) && this.#files.remove(path))
        if (action.create) this.#open(path)
        return
      case 'late': {
        const inode = this.#files.find(`${path}.1`)
        if (inode === undefined || this.#copies.has(inode)) return
        for (let n = 0; n < action.lines; n++) this.#write(inode, `${this.#line(20)}\n`)
      }
    }
  }

  /** Nothing is left half done. */
  atLast(): void {
    this.#completeCopy()
  }

  /** The agent closed a file. @param byItself  it went on living: then it must have what it held */
  closed(inode: Inode, byItself: boolean): void {
    if ((inode.names > 0 && !this.#moved.has(inode)) || inode.opens > 0) return
    const held = this.#held.delete(inode)
    if (!held || !byItself) this.#destroyed(inode)
  }

  /** Lines whose newline was written. */
  lines(): Line[] {
    return this.lives.flatMap((life) => linesOf(life))
  }

  /** Files that are there, with what they hold. */
  present(): { path: string; life: Life }[] {
    return [...this.#lifeOf].filter(([inode]) => inode.names > 0).map(([{ path }, life]) => ({ path, life }))
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

  #begin(inode: Inode, paths: Set<string>): void {
    const name = `${[...paths][0]}#${this.lives.length}`
    const life: Life = { name, paths, text: '', pieced: new Set(), excused: new Set(), doubled: false }
    this.lives.push(life)
    this.#lifeOf.set(inode, life)
  }

  #write(inode: Inode, text: string): void {
    const life = this.#lifeOf.get(inode)!
    const full = life.text === '' && this.hasBanner ? `${banner}\n${text}` : text
    if (life.text !== '' && !life.text.endsWith('\n')) life.pieced.add(life.text.lastIndexOf('\n') + 1)
    life.text += full
    this.#files.append(inode, full)
  }

  #shift(path: string, keep: number): void {
    this.#gone(this.#files.find(`${path}.${keep}`) && this.#files.remove(`${path}.${keep}`))
    for (let n = keep - 1; n >= 1; n--) {
      if (this.#files.find(`${path}.${n}`) !== undefined) {
        this.#gone(this.#files.rename(`${path}.${n}`, `${path}.${n + 1}`))
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
    this.#lifeOf.set(to, this.#lifeOf.get(from)!)
    this.#files.write(to, from.bytes.subarray(0, from.bytes.length >> 1))
    this.#copying = { from, to }
  }

  #double(path: string): void {
    const inode = this.#files.find(path)
    const life = inode && this.#lifeOf.get(inode)
    if (life !== undefined && this.#copying?.from === inode) life.doubled = true
  }

  /** The rest of the copy, if both files are still what they were; then the file is emptied. */
  #finishCopy(gap: number): void {
    if (this.#copying === undefined) return
    this.#completeCopy()
    const { from, to } = this.#copying
    this.#copying = undefined
    if (!this.#lifeOf.has(from) || this.#lifeOf.get(to) !== this.#lifeOf.get(from)) return
    for (let n = 0; n < gap; n++) this.#write(from, `${this.#line(30)}\n`)
    this.#truncate(from)
  }

  /** Nothing in the new name tells what it was: only who holds it, or remembers its inode, knows. */
  #move(path: string): void {
    const inode = this.#files.find(path)
    if (inode === undefined) return
    this.#double(path)
    this.#files.rename(path, `${path.slice(0, -4)}-${++this.#lines}.kept`)
    if (inode.opens === 0) return this.#destroyed(inode)
    this.#moved.add(inode)
    if (!this.interrupting) this.#held.add(inode)
  }

  #renameDirectory(from: string, to: string): void {
    if (this.#files.find(from) === undefined) return
    this.#removeDirectory(to)
    this.#files.rename(from, to)
    for (const life of this.#lifeOf.values())
      for (const path of life.paths) life.paths.add(path.replace(`${from}/`, `${to}/`))
  }

  /** The copying goes on whatever happens to the file's names. */
  #completeCopy(): void {
    if (this.#copying === undefined) return
    const { from, to } = this.#copying
    if (this.#lifeOf.has(to) && this.#lifeOf.get(from) === this.#lifeOf.get(to)) this.#files.write(to, from.bytes)
  }

  #removeDirectory(path: string): void {
    if (this.#files.find(path) === undefined) return
    for (const { name } of this.#files.entries(path)) this.#gone(this.#files.remove(`${path}/${name}`))
    this.#files.remove(path)
  }

  #truncate(inode: Inode | undefined): void {
    if (inode === undefined) return
    const { length } = inode.bytes
    this.#files.truncate(inode)
    const old = this.#lifeOf.get(inode)!
    // With nothing in it a file cannot begin a new life.
    if (length === 0) return
    this.#begin(inode, new Set(old.paths))
    this.#excuse(old, length)
  }

  #gone(inode: Inode | undefined): void {
    if (inode === undefined || inode.names > 0) return
    if (inode.opens > 0 && !this.interrupting) {
      this.#held.add(inode)
      if (!this.#copies.has(inode)) this.#orphan = inode
    }
    if (inode.opens === 0) this.#destroyed(inode)
  }

  #destroyed(inode: Inode): void {
    const life = this.#lifeOf.get(inode)
    this.#lifeOf.delete(inode)
    this.#copies.delete(inode)
    if (life !== undefined) this.#excuse(life, inode.bytes.length)
  }

  /** The bytes of a life up to `to` were destroyed somewhere: what no other file has of them may be missing. */
  #excuse(life: Life, to: number): void {
    let kept = 0
    for (const [inode, other] of this.#lifeOf) if (other === life) kept = Math.max(kept, inode.bytes.length)
    if (kept >= to) return
    for (const line of linesOf(life)) if (line.to > kept && line.from < to) life.excused.add(line.from)
    life.excused.add(life.text.lastIndexOf('\n', to - 1) + 1)
  }
}

export function linesOf(life: Life): Line[] {
  const lines: Line[] = []
  for (let from = 0; ;) {
    const newline = life.text.indexOf('\n', from)
    if (newline === -1) return lines
    lines.push({ life, from, to: newline + 1, text: life.text.slice(from, newline) })
    from = newline + 1
  }
}
