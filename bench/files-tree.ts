import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** How files lie: so many in all, spread evenly over directories that are so deep. */
export interface Layout {
  readonly files: number
  readonly directories: number
  readonly depth: number
  /** Files that no glob matches, in the first directory. */
  readonly unmatched: number
}

/** Each file's messages begin with its number. */
const lineOf = (file: number, count: number) => `${file} ${count} 2026-01-01T00:00:00Z the words of line ${count}\n`

/** The application's files, and how many lines each has. */
export class Tree {
  readonly root: string
  readonly paths: string[] = []
  readonly #counts: number[]
  lines = 0

  constructor(root: string, { files, directories, depth, unmatched }: Layout) {
    this.root = root
    const places = Array.from({ length: Math.max(1, directories) }, (_, n) => {
      const place = join(
        root,
        ...Array.from({ length: depth }, (_step, level) => `d${level === depth - 1 ? n : n % 10}`),
      )
      mkdirSync(place, { recursive: true })
      return place
    })
    for (let file = 0; file < files; file++) this.paths.push(join(places[file % places.length]!, `app-${file}.log`))
    for (let n = 0; n < unmatched; n++) writeFileSync(join(places[0]!, `${n}-of-a-crowd.dat`), '')
    this.#counts = this.paths.map(() => 0)
    mkdirSync(root, { recursive: true })
    for (const [file] of this.paths.entries()) this.write(file, 1)
  }

  write(file: number, lines: number): void {
    let text = ''
    for (let n = 0; n < lines; n++) text += lineOf(file, this.#counts[file]!++)
    this.lines += lines
    appendFileSync(this.paths[file]!, text)
  }
}
