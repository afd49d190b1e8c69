import { Globs } from '../../src/discover/globs.ts'
import { namesBeforeRotation } from '../../src/discover/siblings.ts'
import { fingerprintIn } from '../../src/follow/identity.ts'
import { findAnchor, nameOf, UsedNames } from '../../src/follow/names.ts'
import { lookAt, resumeAt, strangerIs } from '../../src/follow/rotation.ts'
import type { Case } from './case.ts'
import { textOf } from './texts.ts'

const headBytes = 4096
const heads = 256
const decisions = 16_384
const names = 512

/** Which content a file holds, and which files are looked at: for each file, and at each look. */
export function identityCases(): Case[] {
  const contents = headsOf(textOf('mixed'))
  const paths = Array.from({ length: names }, (_, at) => pathAt(at))
  const globs = new Globs(['/var/log/app/**/*.log', '/var/log/{nginx,batch}/*.txt'], ['/var/log/app/debug/**'])
  const used = new UsedNames()
  const known = paths.map((path) => nameOf([path]))
  for (const name of known) used.add(name)
  const base = { group: 'identity', bytes: 0 }
  const each = (name: string, item: string, run: (at: number) => unknown, items: number, times = 1): Case => ({
    ...base,
    name,
    item,
    items: items * times,
    run: () => {
      let last: unknown
      for (let time = 0; time < times; time++) for (let at = 0; at < items; at++) last = run(at)
      return last
    },
  })
  return [
    each('fingerprint of a first line', 'file', (at) => fingerprintIn(contents[at]!, false), contents.length),
    each('line that tells a content from others', 'file', (at) => findAnchor(contents[at]!, 0, false), contents.length),
    each('name of a content', 'file', (at) => nameOf(['6f1c2f0a', paths[at]!, known[at]!]), names),
    each('name was given out before', 'file', (at) => used.has(known[at]!), names),
    each('look: same, grown or replaced', 'look', look, decisions),
    each('restart: the same content or another', 'file', resume, decisions),
    each('stranger: new, missed, copy or not ours', 'file', stranger, decisions),
    each('path matches a glob', 'path', (at) => globs.matches(paths[at]!), names),
    each('names before rotation', 'path', (at) => namesBeforeRotation(paths[at]!.slice(13)), names),
  ]
}

/** First bytes of as many contents, each from another line of the text on. */
function headsOf(text: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; found.length < heads; at = text.indexOf(10, at) + 1) {
    found.push(text.subarray(at, at + headBytes))
  }
  return found
}

function pathAt(at: number): string {
  const rotated = ['', '.1', '-20261122.gz', '.2026-11-22', ''][at % 5]!
  return `/var/log/app/${at % 3 === 0 ? 'debug' : 'service'}/worker-${at}.log${rotated}`
}

function look(at: number): unknown {
  const offsetBytes = (at & 1023) * 100
  const sizeBytes = at % 7 === 0 ? offsetBytes - 1 : offsetBytes + (at & 3)
  return lookAt({ sizeBytes, offsetBytes, knownBytes: offsetBytes, guardHolds: (at & 15) === 15 ? undefined : true })
}

function resume(at: number): unknown {
  return resumeAt({
    sameBirth: at % 11 !== 0,
    sameBeginning: at % 5 === 0 ? undefined : at % 7 !== 0,
    sizeBytes: at * 10,
    offsetBytes: at * 9,
    guardHolds: at % 13 !== 0,
  })
}

function stranger(at: number): unknown {
  return strangerIs({
    matched: at % 2 === 0,
    looksRotated: at % 3 === 0,
    mayBeCopy: at % 5 === 0,
    bornSince: at % 7 === 0 ? undefined : at % 11 !== 0,
    hasFingerprint: at % 13 !== 0,
    copyOfKnown: at % 17 === 0,
  })
}
