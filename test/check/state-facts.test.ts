import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { systemDisk } from '../../src/base/disk.ts'
import { stateFactsOf } from '../../src/check/state-facts.ts'
import { serialize } from '../../src/settle/state-text.ts'
import { generationOf, stateOf } from '../settle/states.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'remora-check-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
})

const look = (at = directory) => stateFactsOf(at, systemDisk, systemClock)
const checkpoint = serialize({
  ...stateOf(0),
  generations: [{ ...generationOf(1), finished: true }, generationOf(2)],
})

test('an empty directory stays empty', () => {
  expect(look()).toMatchObject({ presence: 'there', obstacle: undefined, checkpoint: { kind: 'none' } })
  expect(look().freeBytes).toBeGreaterThan(0)
  expect(readdirSync(directory)).toEqual([])
})

test('what had to be made is removed again, and nothing else', () => {
  writeFileSync(`${directory}/kept`, '')
  expect(look(`${directory}/a/b/c`)).toMatchObject({ presence: 'made', obstacle: undefined })
  expect(readdirSync(directory)).toEqual(['kept'])
})

test('a file in the place of the directory', () => {
  writeFileSync(`${directory}/file`, '')
  expect(look(`${directory}/file`).obstacle?.code).toBe('EEXIST')
  expect(look(`${directory}/file/state`).obstacle?.code).toBe('ENOTDIR')
})

test('the checkpoint is read and counted', () => {
  writeFileSync(`${directory}/checkpoint.json`, checkpoint)
  utimesSync(`${directory}/checkpoint.json`, new Date(), new Date(Date.now() - 60_000))
  const facts = look().checkpoint
  expect(facts).toMatchObject({ kind: 'readable', version: 2, generations: 2, finished: 1, fallback: undefined })
  expect(facts.kind === 'readable' && Math.round(facts.ageMs / 10_000)).toBe(6)
})

test('a damaged checkpoint is reported and left where it is', () => {
  writeFileSync(`${directory}/checkpoint.json`, checkpoint.replace('"epoch":0', '"epoch":1'))
  expect(look().checkpoint).toMatchObject({ kind: 'unreadable', why: expect.stringMatching(/checksum/) })
  writeFileSync(`${directory}/checkpoint.previous.json`, checkpoint)
  const fallback = { why: `${directory}/checkpoint.json: its checksum is wrong: it was cut or changed` }
  expect(look().checkpoint).toMatchObject({ kind: 'readable', generations: 2, fallback })
  expect(readdirSync(directory).toSorted()).toEqual(['checkpoint.json', 'checkpoint.previous.json'])
})

test('a checkpoint of another version says so', () => {
  writeFileSync(`${directory}/checkpoint.json`, checkpoint.replace('"version":2', '"version":99'))
  expect(look().checkpoint).toMatchObject({ kind: 'unreadable', why: expect.stringMatching(/version 99/) })
})

test('neither a FIFO nor a directory in its place stops the check', () => {
  spawnSync('mkfifo', [`${directory}/checkpoint.json`])
  mkdirSync(`${directory}/checkpoint.previous.json`)
  expect(look().checkpoint).toMatchObject({ kind: 'unreadable', why: expect.stringMatching(/fifo/) })
})

test('an instance without a checkpoint is a state that was lost', () => {
  writeFileSync(`${directory}/instance`, 'an-instance\n')
  expect(look().checkpoint).toEqual({ kind: 'lost' })
})

test('an instance that is none is told, beside a checkpoint too', () => {
  writeFileSync(`${directory}/instance`, 'two words')
  const why = `${directory}/instance: its first line is not an instance id`
  expect(look().checkpoint).toEqual({ kind: 'unreadable', why })
  writeFileSync(`${directory}/checkpoint.json`, checkpoint)
  expect(look().checkpoint).toMatchObject({ kind: 'readable', broken: [why] })
})
