import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemDisk } from '../../src/base/disk.ts'
import { limits } from '../../src/base/limits.ts'
import { Generation } from '../../src/follow/generation.ts'
import { isIntact } from '../../src/follow/identity.ts'
import { advance, readTurn } from '../../src/follow/turn.ts'
import type { Cases } from './case.ts'
import { textOf } from './texts.ts'

const lineBytesMax = 1 << 16
const looks = 1024
const timesAtOnce = 16

/** One file: read from its page cache turn by turn, and looked at when nothing has come. */
export function readingCases(): Cases {
  const directory = mkdtempSync(join(tmpdir(), 'remora-micro-'))
  const path = join(directory, 'app.log')
  const text = textOf('mixed')
  writeFileSync(path, text)
  const descriptor = systemDisk.open(path)
  const input = Buffer.allocUnsafeSlow(limits.quantumBytes + limits.guardBytes)
  const generation = () => {
    const made = new Generation(path, path, 0, 0, 1000)
    made.descriptor = descriptor
    return made
  }
  const readThrough = (of: Generation) => {
    let turns = 0
    for (;;) {
      const turn = readTurn(systemDisk, of, input, lineBytesMax, false, limits.quantumBytes)
      if (turn.kind !== 'bytes') return turns
      const whole = input.lastIndexOf(10, turn.to - 1) + 1 - turn.from
      advance(of, input, turn.from, whole, whole, false)
      turns++
    }
  }
  const reader = generation()
  const turns = readThrough(reader)
  const group = 'reading'
  return {
    cases: [
      {
        group,
        name: 'turns: what has come, and its guard',
        item: 'turn',
        items: turns * timesAtOnce,
        bytes: text.length * timesAtOnce,
        run: () => {
          let read = 0
          for (let time = 0; time < timesAtOnce; time++) read += readThrough(generation())
          return read
        },
      },
      {
        group,
        name: 'look at a file that has not changed',
        item: 'look',
        items: looks,
        bytes: 0,
        run: () => {
          let nothing = 0
          for (let look = 0; look < looks; look++) {
            if (readTurn(systemDisk, reader, input, lineBytesMax, false, limits.quantumBytes).kind === 'nothing')
              nothing++
          }
          return nothing
        },
      },
      {
        group,
        name: 'its last bytes are what they were',
        item: 'look',
        items: looks,
        bytes: 0,
        run: () => {
          let intact = 0
          for (let look = 0; look < looks; look++) if (isIntact(systemDisk, reader)) intact++
          return intact
        },
      },
    ],
    close() {
      systemDisk.close(descriptor)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
