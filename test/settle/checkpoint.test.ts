import * as fc from 'fast-check'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Disk } from '../../src/base/disk.ts'
import { Checkpoint, checkpointDelayMs, deserialize, serialize, type Loaded } from '../../src/settle/checkpoint.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { runs } from '../base/runs.ts'
import { numberOf, stateOf, states } from './states.ts'

const withHeader = (header: unknown, body: string) => `${JSON.stringify(header)}\n${body}\n`
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')

describe('the text of a checkpoint', () => {
  test('is read back as the same state', () => {
    fc.assert(
      fc.property(states, (state) => {
        expect(deserialize(serialize(state))).toEqual(state)
        expect(serialize(state).split('\n')).toHaveLength(3)
      }),
      runs(300),
    )
  })

  test('cut anywhere is not read', () => {
    const text = serialize(stateOf(5))
    for (let length = 0; length < text.length; length++)
      expect(() => deserialize(text.slice(0, length))).toThrow(/^(it|its|the) /)
  })

  test('with any other byte anywhere, or more of them, is not read', () => {
    const bytes = Buffer.from(serialize(stateOf(5)))
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [1, 2, 16, 32, 128]) {
        const changed = Buffer.from(bytes)
        changed[at]! ^= change
        expect(() => deserialize(changed.toString()), `byte ${at} changed by ${change}`).toThrow(/^(it|its|the) /)
      }
    }
    for (const more of [' ', '\n', 'x', '\nx', '\n\n', bytes.toString()]) {
      expect(() => deserialize(bytes.toString() + more), `with ${JSON.stringify(more)}`).toThrow(
        'its checksum is wrong',
      )
    }
  })

  test.each([
    ['', 'the header is empty'],
    ['\n', 'the header is empty'],
    ['{', 'the header is not JSON'],
    ['\0\0\0\0\0\0\0\0', 'the header is not JSON'],
    ['null\n', 'it is not a checkpoint of Remora'],
    ['7\n', 'it is not a checkpoint of Remora'],
    ['[]\n', 'it is not a checkpoint of Remora'],
    ['{}\n', 'it is not a checkpoint of Remora'],
    [withHeader({ remora: 'state', version: 1 }, '{}'), 'it is not a checkpoint of Remora'],
    [withHeader({ remora: 'checkpoint' }, '{}'), 'it has version undefined, this Remora knows 1'],
    [
      withHeader({ remora: 'checkpoint', version: 2, sha256: sha256('{}') }, '{}'),
      'it has version 2, this Remora knows 1',
    ],
    [withHeader({ remora: 'checkpoint', version: 1 }, '{}'), 'its checksum is wrong: it was cut or changed'],
    [withHeader({ remora: 'checkpoint', version: 1, sha256: sha256('') }, ''), 'the state is empty'],
  ])('%j: %s', (text, why) => expect(() => deserialize(text)).toThrow(new Error(why)))
})

const directory = '/state'
const [path, previous] = [`${directory}/checkpoint.json`, `${directory}/checkpoint.previous.json`]
const atMs = Date.UTC(2026, 0, 1) + 1000

/** A state directory in memory. `broken`: calls, with or without a path, and the error they throw. */
function worldOf(texts: Readonly<Record<string, string>> = {}) {
  const files = new Map(Object.entries(texts))
  const said: string[] = []
  const broken = new Map<string, string>()
  const gates: Promise<void>[] = []
  const before = (call: string, name: string) => {
    const code = broken.get(`${call} ${name}`) ?? broken.get(call)
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${call}`), { code })
    const text = files.get(name)
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${call}`), { code: 'ENOENT' })
    return text
  }
  const rename = (from: string, to: string) => {
    files.set(to, before('rename', from))
    files.delete(from)
  }
  const disk: Pick<Disk, 'readText' | 'rename' | 'replace'> = {
    readText: (name) => before('readText', name),
    rename,
    async replace(name, older, text) {
      files.set(`${name}.tmp`, text)
      before('replace', `${name}.tmp`)
      await gates.shift()
      if (files.has(name)) rename(name, older)
      rename(`${name}.tmp`, name)
    },
  }
  const open = () =>
    new Checkpoint(
      disk as Disk,
      new VirtualClock().view(() => true),
      directory,
      (message) => said.push(`failed ${message}`),
      () => said.push('recovered'),
    )
  return { said, broken, open, gates, textOf: (name: string) => files.get(name) }
}

const aside = (name: string) => `${name}.unreadable-${atMs}`
const loaded = (number: number, from: string, setAside?: string): Loaded => ({
  kind: 'loaded',
  state: stateOf(number),
  from,
  ...(setAside !== undefined && { setAside }),
})

describe('what is loaded', () => {
  const good = serialize(stateOf(2))
  const older = serialize(stateOf(1))
  const cut = good.slice(0, -7)
  const future = withHeader({ remora: 'checkpoint', version: 9, sha256: sha256('{}') }, '{}')
  test.each([
    ['nothing', {}, { kind: 'fresh' }, {}],
    ['the newest', { [path]: good, [previous]: older }, loaded(2, path), {}],
    ['the one before, after a crash between two renames', { [previous]: older }, loaded(1, previous), {}],
    [
      'the one before, when the newest is cut',
      { [path]: cut, [previous]: older },
      loaded(1, previous, aside(path)),
      { [aside(path)]: cut },
    ],
    [
      'the one before, when the newest is empty',
      { [path]: '', [previous]: older },
      loaded(1, previous, aside(path)),
      { [aside(path)]: '' },
    ],
    [
      'the one before, when the newest is from the future',
      { [path]: future, [previous]: older },
      loaded(1, previous, aside(path)),
      { [aside(path)]: future },
    ],
    [
      'nothing, when the only one is cut',
      { [path]: cut },
      { kind: 'fresh', setAside: aside(path), why: `${path}: its checksum is wrong: it was cut or changed` },
      { [aside(path)]: cut },
    ],
    [
      'nothing, when both are cut',
      { [path]: cut, [previous]: '' },
      { kind: 'fresh', setAside: aside(path), why: `${path}: its checksum is wrong: it was cut or changed` },
      { [aside(path)]: cut, [aside(previous)]: '' },
    ],
  ] as const)('%s', (_name, texts, expected, kept) => {
    const world = worldOf(texts)
    expect(world.open().load()).toEqual(expected)
    for (const [name, text] of Object.entries(kept)) expect(world.textOf(name), `${name} is kept`).toBe(text)
    for (const name of [path, previous]) {
      expect(world.textOf(name)).toBe(aside(name) in kept ? undefined : (texts as Record<string, string>)[name])
    }
  })

  test('one that the disk does not give is set aside as well, before it is written over', () => {
    const world = worldOf({ [path]: good, [previous]: older })
    world.broken.set(`readText ${path}`, 'EIO')
    expect(world.open().load()).toEqual(loaded(1, previous, aside(path)))
    expect(world.textOf(aside(path))).toBe(good)
  })

  test('a directory that may not be read is said to be so', () => {
    const world = worldOf({ [path]: good })
    world.broken.set('readText', 'EACCES').set('rename', 'EACCES')
    expect(world.open().load()).toEqual({ kind: 'fresh', setAside: path, why: `${path}: EACCES: readText` })
    expect(world.textOf(path)).toBe(good)
  })

  test('what was set aside does not come back', async () => {
    const world = worldOf({ [path]: cut, [previous]: '' })
    world.open().load()
    await world.open().write(stateOf(3))
    await world.open().write(stateOf(4))
    expect(world.open().load()).toEqual(loaded(4, path))
    expect([world.textOf(aside(path)), world.textOf(aside(previous))]).toEqual([cut, ''])
  })
})

describe('writing', () => {
  test('keeps the one before', async () => {
    const world = worldOf()
    const checkpoint = world.open()
    for (const number of [1, 2, 3]) expect(await checkpoint.write(stateOf(number))).toBe(true)
    expect(numberOf(deserialize(world.textOf(path)!))).toBe(3)
    expect(numberOf(deserialize(world.textOf(previous)!))).toBe(2)
    expect(checkpoint.writtenAtMs).toBe(atMs)
  })

  test('one at a time, in the order in which they were asked for', async () => {
    const world = worldOf()
    const checkpoint = world.open()
    const gates = [1, 2, 3].map(() => Promise.withResolvers<void>())
    world.gates.push(...gates.map(({ promise }) => promise))
    const writes = [1, 2, 3, 4].map((number) => checkpoint.write(stateOf(number)))
    for (const { resolve } of gates) resolve()
    expect(await Promise.all(writes)).toEqual([true, true, true, true])
    expect(numberOf(deserialize(world.textOf(path)!))).toBe(4)
    expect(numberOf(deserialize(world.textOf(previous)!))).toBe(3)
  })

  test('a disk that refuses is said once, leaves what was there, and once more when it takes again', async () => {
    const world = worldOf()
    const checkpoint = world.open()
    await checkpoint.write(stateOf(1))
    world.broken.set('replace', 'ENOSPC')
    for (let times = 1; times <= 3; times++) {
      expect(await checkpoint.write(stateOf(2))).toBe(false)
      expect(checkpoint.failures).toBe(times)
    }
    expect(world.said).toEqual([`failed ${path}: ENOSPC: replace`])
    expect(world.open().load()).toMatchObject({ kind: 'loaded', state: stateOf(1) })
    world.broken.clear()
    expect(await checkpoint.write(stateOf(3))).toBe(true)
    expect(await checkpoint.write(stateOf(4))).toBe(true)
    expect(world.said.slice(1)).toEqual(['recovered'])
  })
})

test.each([
  [0, 1000],
  [1, 2000],
  [4, 16_000],
  [5, 30_000],
  [1e6, 30_000],
])('after %i failures the next write is %i ms away', (failures, delayMs) => {
  expect(checkpointDelayMs(failures)).toBe(delayMs)
})
