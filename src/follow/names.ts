import { hash } from 'node:crypto'
import { limits } from '../base/limits.ts'
import { hashOf } from './identity.ts'

/** A name that begins the `_id`s of a generation's lines, and how far it reaches. */
export interface Naming {
  readonly id: string
  /** Lines that begin here or later have another name, or none yet. */
  readonly until: number
}

/** From this offset on a generation is named by what the line there says. */
export interface Anchor {
  readonly offset: number
  readonly id: string
}

/**
 * The first line of a content that tells it from others: one that carries a time or a large number, or one that differs from
 * the line before in its numbers only. Two lines that count are both behind the anchor, and the second one tells: so it
 * tells the same where the first one was shipped before it came. Everything before is a banner, which may be the same in
 * each file.
 *
 * - `found`: lines from `offset` on are named by the one that stands from `telling` to `end`; `hash` is its hash
 * - `none`: the first 4 KiB have no such line
 * - `later`: no such line among those that are complete, which end at `end`. The next one may show that those from `offset`
 *   on count
 */
export type Search =
  | {
      readonly kind: 'found'
      readonly offset: number
      readonly telling: number
      readonly end: number
      readonly hash: string
    }
  | { readonly kind: 'none' }
  | { readonly kind: 'later'; readonly offset: number; readonly end: number }

const newline = 10

/** A time of day to the second, or a number that counts something: filled up with zeros, or larger than any date. */
const timeOrLargeNumber = /\d\d:\d\d:\d\d|0\d{5}|\d{9}/

/** Without NULs UTF-16 reads like ASCII. */
function textOf(line: Uint8Array): string {
  return Buffer.from(line).toString('latin1').replaceAll('\0', '')
}

/**
 * Whether a line tells its content from others: by a time, a large number, or one that was another in the line before. A
 * number alone does not: `listening on port 8080` is said at each start.
 *
 * - `alone`: whatever stands before
 * - `counts`: together with the line before
 */
export function distinctionOf(line: Uint8Array, before: Uint8Array): 'alone' | 'counts' | undefined {
  const text = textOf(line)
  if (timeOrLargeNumber.test(text)) return 'alone'
  const previous = textOf(before)
  return text !== previous && /\d/.test(text) && shapeOf(text) === shapeOf(previous) ? 'counts' : undefined
}

function shapeOf(text: string): string {
  return text.replaceAll(/\d+/g, '0')
}

/** The next line may show that this one counts. */
function mayCount(line: Uint8Array): boolean {
  return /\d/.test(textOf(line))
}

/**
 * @param head   the first bytes of a content, `limits.headBytesMax` at most
 * @param from   lines before have been looked at
 * @param ended  no more is expected: a last line without a newline is complete
 */
export function findAnchor(head: Uint8Array, from: number, ended: boolean): Search {
  const full = head.length >= limits.headBytesMax
  let beforeFrom = from > 0 ? head.lastIndexOf(newline, from - 2) + 1 : 0
  let before = head.subarray(beforeFrom, from)
  for (let at = from; ;) {
    const lineEnd = head.indexOf(newline, at)
    // One line longer than the head: what is there of it stands for it.
    const isOpen = lineEnd === -1 && !(full ? at === 0 : ended)
    if (at >= head.length || isOpen) {
      return full
        ? { kind: 'none' }
        : { kind: 'later', offset: mayCount(before) ? Math.max(from, beforeFrom) : at, end: at }
    }
    const end = lineEnd === -1 ? head.length : lineEnd + 1
    const line = head.subarray(at, end)
    const distinction = distinctionOf(line, before)
    if (distinction !== undefined) {
      const offset = distinction === 'alone' ? at : Math.max(from, beforeFrom)
      return { kind: 'found', offset, telling: at, end, hash: hashOf(line) }
    }
    before = line
    beforeFrom = at
    at = end
  }
}

/**
 * Twelve base64url characters, 72 bits. With the 16 that the kernel adds an id has 28, which Elasticsearch keeps as 21
 * bytes (org.elasticsearch.index.mapper.Uid).
 */
export function nameOf(facts: readonly string[]): string {
  // Lengths first: no two lists of facts make the same input. Of 32 bytes 9 are kept: 12 characters.
  const input = facts.map((fact) => `${Buffer.byteLength(fact)}:${fact},`).join('')
  return hash('sha256', input, 'base64url').slice(0, 12)
}

/** Bits of the filter: 4,000 names leave two in a thousand that seem to be taken and are not. */
const filterBits = 65_536

/**
 * The names that were ever given out, as a Bloom filter: it never takes one that was given for free. One that seems to be
 * taken and is not costs nothing but the knowledge that would survive the loss of the state.
 * Source: Burton H. Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors", 1970.
 */
export class UsedNames {
  readonly #bits: Buffer
  #text: string | undefined

  /** @param text  as `text` gave it; anything else begins anew */
  constructor(text = '') {
    const bits = Buffer.from(text, 'base64')
    this.#bits = bits.length === filterBits / 8 ? bits : Buffer.alloc(filterBits / 8)
  }

  has(name: string): boolean {
    return places(name).every((place) => (this.#bits[place >> 3]! & (1 << (place & 7))) !== 0)
  }

  add(name: string): void {
    for (const place of places(name)) this.#bits[place >> 3]! |= 1 << (place & 7)
    this.#text = undefined
  }

  get text(): string {
    return (this.#text ??= this.#bits.toString('base64'))
  }
}

/** Four places of 16 bits: a name is a hash. */
function places(name: string): number[] {
  const bytes = Buffer.from(name, 'base64url')
  return [0, 2, 4, 6].map((at) => bytes.readUInt16LE(at))
}

/** What a generation is named after. */
export interface NameFacts {
  /** The name of its file before any rotation: the same for each copy and archive. */
  readonly basePath: string
  readonly inode: bigint
  readonly birthNs: bigint
  readonly epoch: number
  readonly fingerprintHash: string
}

/**
 * Gives out the names that begin the `_id`s. Two contents never have the same one, as far as the state knows; and where the
 * content itself tells them apart, the name does not depend on the state: what is sent again without it is a duplicate.
 */
export class Names<Owner extends object = object> {
  readonly #instance: string
  readonly #incarnation: string
  readonly #used: UsedNames
  /** Contents that are there now, by the name that their anchor would give them. */
  readonly #alike = new Map<string, Owner | readonly Owner[]>()

  /**
   * @param instance     the Pod's UID, or what stands for it
   * @param incarnation  of the state: another one when an earlier state was lost
   */
  constructor(instance: string, incarnation: string, used: string) {
    this.#instance = instance
    this.#incarnation = incarnation
    this.#used = new UsedNames(used)
  }

  /** For the state. */
  get text(): string {
    return this.#used.text
  }

  /** Notes that a content with this anchor is there, before any of them gets a name. */
  note(owner: Owner, basePath: string, anchorHash: string): void {
    const name = this.#anchored(basePath, anchorHash)
    const alike = this.#named(name)
    // One, as a rule: a set for each of 10,000 files takes more than the rest of what is known of its name.
    if (alike.length === 0) this.#alike.set(name, owner)
    else if (!alike.includes(owner)) this.#alike.set(name, [...alike, owner])
  }

  forget(owner: Owner, basePath: string, anchorHash: string): void {
    const name = this.#anchored(basePath, anchorHash)
    const left = this.#named(name).filter((other) => other !== owner)
    if (left.length === 0) this.#alike.delete(name)
    else this.#alike.set(name, left)
  }

  /** Contents that were noted with this anchor. */
  alike(basePath: string, anchorHash: string): readonly Owner[] {
    return this.#named(this.#anchored(basePath, anchorHash))
  }

  #named(name: string): readonly Owner[] {
    const alike = this.#alike.get(name)
    if (alike === undefined) return []
    return Array.isArray(alike) ? (alike as readonly Owner[]) : [alike as Owner]
  }

  /**
   * A name of the lines from the anchor on. A banner with a number in it, seen in two files, is no anchor. It is given out
   * when the first line is named so (`use`): what is gone before leaves it to its copy.
   */
  ofAnchor(facts: NameFacts, anchorHash: string): string {
    const name = this.#anchored(facts.basePath, anchorHash)
    const alone = this.#named(name).length < 2
    return alone && !this.#used.has(name) ? name : this.#ofInode(facts, anchorHash)
  }

  /** A line has this name: no other content gets it. */
  use(name: string): void {
    this.#used.add(name)
  }

  /** A name of the lines before the anchor, or of all where there is none. */
  ofBanner(facts: NameFacts): string {
    return this.#ofInode(facts, '')
  }

  #anchored(basePath: string, anchorHash: string): string {
    return nameOf([this.#instance, basePath, anchorHash])
  }

  #ofInode(facts: NameFacts, anchorHash: string): string {
    const { inode, birthNs, epoch, fingerprintHash } = facts
    const own = [this.#instance, this.#incarnation, String(inode), String(birthNs), String(epoch), fingerprintHash]
    for (let salt = 0; ; salt++) {
      const name = nameOf([...own, anchorHash, String(salt)])
      // An inode that was given again, with equal times and bytes. A filter that is full has no free name at all.
      if (this.#used.has(name) && salt < limits.nameTriesMax) continue
      this.#used.add(name)
      return name
    }
  }
}
