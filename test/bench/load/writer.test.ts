import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Written } from '../../../src/bench/target.ts'
import type { Rate, Workload } from '../../../src/bench/types.ts'
import { findHead, HeadReader, HeadStamp } from '../../../src/bench/workload/head.ts'
import { dueAtMs, dueBytes } from '../../../src/bench/workload/rate.ts'
import { textsOf } from '../../../src/bench/workload/lines.ts'
import { readSample, sampleLineBytesMax, sampleLinesMax, withKeptSample } from '../../../src/bench/workload/sample.ts'
import { startWriter } from '../../../src/bench/workload/writer-process.ts'
import { Bodies } from './bodies.ts'

let directory = ''
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'remora-load-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const backlog: Workload = {
  seed: 11,
  mix: { kind: 'mixed' },
  rate: { kind: 'backlog' },
  files: 1,
  activeFiles: 1,
  rotation: { kind: 'none' },
  end: { bytes: 3_000_000 },
}

async function write(workload: Workload): Promise<Written> {
  const writer = await startWriter(workload, directory)
  await writer.begin()
  return writer.ended
}

/** All lines of a file's lives, the oldest first. */
function linesOf(name: string): string[] {
  const lives = readdirSync(directory).filter((each) => each === name || each.startsWith(`${name}.`))
  const age = (life: string) => (life === name ? 0 : Number(life.slice(name.length + 1)))
  const bytes = lives.toSorted((a, b) => age(b) - age(a)).map((life) => readFileSync(join(directory, life), 'utf8'))
  const lines = bytes.join('').split('\n')
  expect(lines.pop()).toBe('')
  return lines
}

/** The line as the seed says it, with the time of another. */
function expectLine(bodies: Bodies, line: string, file: number, number: number): void {
  const head = findHead(line)!
  expect({ file: head.file, number: head.number }).toEqual({ file, number })
  const wanted = bodies.line(file, number)
  const timeless = (text: string) => text.slice(0, head.at) + text.slice(head.at + 27)
  expect(timeless(line)).toBe(timeless(wanted))
}

describe('a head', () => {
  test('is read as it was written, and found wherever it is', () => {
    fc.assert(
      fc.property(
        fc.nat(9_999),
        fc.nat(2 ** 31 - 1),
        fc.integer({ min: 0, max: 4e15 }),
        fc.string(),
        fc.string(),
        (file, number, timeUs, before, after) => {
          const stamp = new HeadStamp()
          const head = Buffer.alloc(44)
          stamp.set(file, timeUs)
          stamp.put(head, 0, number)
          const bytes = Buffer.concat([Buffer.from(before), head, Buffer.from(after)])
          const at = Buffer.byteLength(before)
          const reader = new HeadReader()
          expect(reader.find(bytes, 0, bytes.length)).toBe(at)
          expect(reader).toMatchObject({ file, number, timeOfDayUs: timeUs % 86_400e6 })
          expect(new Date(`${head.toString('latin1', 0, 23)}Z`).getTime()).toBe(Math.floor(timeUs / 1e3))
          expect(reader.find(bytes, at + 1, bytes.length)).toBe(-1)
          expect(reader.find(bytes, 0, at + 43)).toBe(-1)
          expect(findHead(before + head.toString() + after)).toMatchObject({ at: before.length, file, number })
        },
      ),
    )
  })
})

test.each<[Rate, number, number]>([
  [{ kind: 'fixed', bytesPerSecond: 1_000 }, 2_500, 2_500],
  [{ kind: 'bursts', bytesPerSecond: 1_000, times: 4, periodMs: 2_000 }, 0, 0],
  [{ kind: 'bursts', bytesPerSecond: 1_000, times: 4, periodMs: 2_000 }, 250, 1_000],
  [{ kind: 'bursts', bytesPerSecond: 1_000, times: 4, periodMs: 2_000 }, 1_900, 2_000],
  [{ kind: 'bursts', bytesPerSecond: 1_000, times: 4, periodMs: 2_000 }, 4_500, 6_000],
])('%o has %i ms after its begin %i bytes due', (rate, elapsedMs, bytes) => {
  expect(dueBytes(rate, elapsedMs)).toBe(bytes)
  expect(dueBytes(rate, dueAtMs(rate, bytes))).toBe(bytes)
})

test.each(['short', 'long', 'json', 'stack', 'multibyte', 'mixed'] as const)(
  'writes a backlog of %s as the seed says',
  async (kind) => {
    const written = await write({ ...backlog, mix: { kind }, files: 3, activeFiles: 2 })
    expect(written.bytes).toBeGreaterThanOrEqual(3_000_000)
    expect(readdirSync(directory).toSorted()).toEqual(['app-0000.log', 'app-0001.log', 'app-0002.log'])
    const bodies = new Bodies({ kind }, backlog.seed)
    let bytes = 0
    for (const [file, wanted] of written.linesOfFiles.entries()) {
      const name = `app-000${file}.log`
      const lines = linesOf(name)
      expect(lines.length).toBe(wanted)
      for (const [n, line] of lines.entries()) expectLine(bodies, line, file, n + 1)
      bytes += statSync(join(directory, name)).size
    }
    expect(written.linesOfFiles[2]).toBe(1)
    expect(bytes).toBe(written.bytes)
    expect(written.linesOfFiles.reduce((sum, lines) => sum + lines)).toBe(written.lines)
  },
)

function linesOfMix(kind: 'short' | 'long' | 'json' | 'stack'): string[] {
  const bodies = new Bodies({ kind }, 1)
  return Array.from({ length: 400 }, (_, n) => bodies.line(0, n + 1))
}

const meanBytes = (lines: readonly string[]) =>
  lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0) / lines.length

test('the mixes are what they are called', () => {
  expect(meanBytes(linesOfMix('short'))).toBeCloseTo(80, -1)
  expect(meanBytes(linesOfMix('long')) / 2_048).toBeCloseTo(1, 0)
  const objects = linesOfMix('json').map((line): unknown => JSON.parse(line))
  expect(objects.every((each) => typeof each === 'object')).toBe(true)
  expect(linesOfMix('stack').filter((line) => line.startsWith('\tat ')).length).toBeGreaterThan(200)
})

const timeOf = (line: string) => Date.parse(line.slice(findHead(line)!.at).slice(0, 27))

// On a machine with much else to do a tick may come late; never three times in three.
test('keeps its rate at each moment, and says its share of it', { retry: 2 }, async () => {
  const bytesPerSecond = 1_500_000
  const written = await write({ ...backlog, rate: { kind: 'fixed', bytesPerSecond }, end: { seconds: 1.5 } })
  const seconds = (written.lastAtMs - written.firstAtMs) / 1e3
  expect(seconds).toBeGreaterThan(1.45)
  expect(Math.abs(written.bytes / 1.5 / bytesPerSecond - 1)).toBeLessThan(0.02)
  expect(written.rateShare).toBeGreaterThan(0.98)
  const lines = linesOf('app-0000.log')
  const early = lines.filter((line) => timeOf(line) - timeOf(lines[0]!) < 750)
  expect(Math.abs(early.length / lines.length - 0.5)).toBeLessThan(0.1)
})

test('one that stood still says for how long, though it has made all of it good', async () => {
  const script = fileURLToPath(new URL('../../../src/bench/workload/writer-script.ts', import.meta.url))
  const workload = { ...backlog, rate: { kind: 'fixed', bytesPerSecond: 1e6 }, end: { seconds: 1.2 } }
  const child = spawn(process.execPath, [script, JSON.stringify({ workload, directory, wallFromMonotonicUs: 0 })])
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stdin.write('begin\n')
  await expect.poll(() => said, { timeout: 5_000 }).toContain('begun')
  child.kill('SIGSTOP')
  await delay(600)
  child.kill('SIGCONT')
  await once(child, 'close')
  const last = said
    .trim()
    .split('\n')
    .findLast((line) => line.includes('"written"'))!
  const { written } = JSON.parse(last) as { written: Written }
  expect(written.rateShare).toBeGreaterThan(0.98)
  expect(written.lateMsMax).toBeGreaterThan(550)
  expect(written.lateMsMax).toBeLessThan(1_200)
})

test('one that cannot keep its rate says so, and stops at a line end when it is told to', async () => {
  const writer = await startWriter(
    { ...backlog, rate: { kind: 'fixed', bytesPerSecond: 1e12 }, end: { bytes: 1e12 } },
    directory,
  )
  await writer.begin()
  await delay(200)
  writer.stop()
  const written = await writer.ended
  expect(written.rateShare).toBeLessThan(0.5)
  expect(linesOf('app-0000.log').length).toBe(written.lines)
  expect(writer.progress).toEqual({ lines: written.lines, bytes: written.bytes })
})

test('renames and keeps so many, without losing a line of them', async () => {
  const rotation = { kind: 'rename', everyMs: 100, keep: 50 } as const
  const rate = { kind: 'fixed', bytesPerSecond: 2e6 } as const
  const written = await write({ ...backlog, rate, rotation, files: 3, activeFiles: 2, end: { seconds: 1 } })
  const bodies = new Bodies(backlog.mix, backlog.seed)
  expect(existsSync(join(directory, 'app-0000.log.5'))).toBe(true)
  expect(written.destroyed).toEqual([])
  for (const [file, wanted] of written.linesOfFiles.entries()) {
    const lines = linesOf(`app-000${file}.log`)
    expect(lines.length).toBe(wanted)
    for (const [n, line] of lines.entries()) expectLine(bodies, line, file, n + 1)
  }
})

test('truncates what it has copied, and names what it destroyed', async () => {
  const rotation = { kind: 'copytruncate', everyMs: 60, keep: 50 } as const
  const rate = { kind: 'fixed', bytesPerSecond: 10e6 } as const
  // By bytes: a machine that stands still for a second would else write all of it at once.
  const written = await write({ ...backlog, rate, rotation, end: { bytes: 10e6 } })
  expect(written.destroyed.length).toBeGreaterThan(0)
  const destroyed = new Set<number>()
  for (const { from, to } of written.destroyed) for (let number = from; number <= to; number++) destroyed.add(number)
  const bodies = new Bodies(backlog.mix, backlog.seed)
  const remaining = Array.from({ length: written.lines }, (_, n) => n + 1).filter((number) => !destroyed.has(number))
  const lines = linesOf('app-0000.log')
  expect(lines.length).toBe(remaining.length)
  for (const [n, line] of lines.entries()) expectLine(bodies, line, 0, remaining[n]!)
})

test('keeps no more than it is told to', async () => {
  const rotation = { kind: 'rename', everyMs: 50, keep: 2 } as const
  await write({ ...backlog, rate: { kind: 'fixed', bytesPerSecond: 1e6 }, rotation, end: { seconds: 0.6 } })
  expect(readdirSync(directory).toSorted()).toEqual(['app-0000.log', 'app-0000.log.1', 'app-0000.log.2'])
})

test('writes to a thousand of many files', async () => {
  const written = await write({
    ...backlog,
    files: 1_500,
    activeFiles: 1_000,
    rate: { kind: 'fixed', bytesPerSecond: 2e6 },
    end: { seconds: 1 },
  })
  expect(readdirSync(directory).length).toBe(1_500)
  expect(written.linesOfFiles.every((lines) => lines >= 1)).toBe(true)
  expect(written.linesOfFiles.slice(0, 1_000).some((lines) => lines > 2)).toBe(true)
})

const file = () => join(directory, 'sample.txt')
const textsIn = (path: string) => readSample(path).map(({ after }) => after.toString())

describe('a sample', () => {
  // Its copy goes with the rest.
  beforeEach(() => void vi.stubEnv('TMPDIR', directory))
  afterEach(() => void vi.unstubAllEnvs())

  test('is read anew as it was read: all of what ends a line is taken off', () => {
    writeFileSync(file(), 'one\r\r\r\n\r\r\ntwo\n')
    const { mix } = withKeptSample({ ...backlog, mix: { kind: 'sample', path: file() } })
    expect(textsIn(file())).toEqual([' one', ' ', ' two'])
    expect(textsIn((mix as { path: string }).path)).toEqual([' one', ' ', ' two'])
  })

  test('is no more lines than there is room for', () => {
    writeFileSync(file(), '\n'.repeat(sampleLinesMax + 10))
    expect(readSample(file()).length).toBe(sampleLinesMax)
  })

  test('is no pipe, which is not waited for', () => {
    execFileSync('mkfifo', [file()])
    const module = new URL('../../../src/bench/workload/sample.ts', import.meta.url).href
    const script = `import { readSample } from ${JSON.stringify(module)}; readSample(${JSON.stringify(file())})`
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 5_000 })
    expect(String(stderr)).toContain('it is not a regular file')
  })

  test('is cycled, each line behind a head of its own', async () => {
    const sample = ['first "line"', 'second\r', '', 'größer \u0001 \\']
    writeFileSync(file(), `${sample.join('\n')}\nwithout an end`)
    const logs = join(directory, 'logs')
    mkdirSync(logs)
    const writer = await startWriter({ ...backlog, mix: { kind: 'sample', path: file() }, end: { bytes: 2_000 } }, logs)
    await writer.begin()
    await writer.ended
    const texts = readFileSync(join(logs, 'app-0000.log'), 'utf8')
      .split('\n')
      .map((line) => line.slice(45))
    const clean = sample.map((line) => line.replace('\r', ''))
    const first = clean.indexOf(texts[0]!)
    for (const [n, text] of texts.slice(0, -1).entries()) expect(text).toBe(clean[(first + n) % clean.length])
  })

  test.each<[string, string | Buffer | undefined, RegExp]>([
    ['is not there', undefined, /sample\.txt cannot be read/],
    ['is empty', '', /sample\.txt has no complete line: line 1/],
    ['has no newline', 'half a line', /sample\.txt has no complete line: line 1/],
    [
      'has a line that is too long',
      `short\n${'x'.repeat(sampleLineBytesMax + 1)}\n`,
      /sample\.txt .*: line 2 has 61441 bytes/,
    ],
  ])('that %s is refused with its name, by the writer too', async (_, content, message) => {
    if (content !== undefined) writeFileSync(file(), content)
    expect(() => readSample(file())).toThrow(message)
    await expect(startWriter({ ...backlog, mix: { kind: 'sample', path: file() } }, directory)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      wayOut: expect.stringMatching(/./),
    })
  })

  test('that grows meanwhile is the same for all of a run', () => {
    writeFileSync(file(), 'one\ntwo \\ "\n')
    const workload = { ...backlog, mix: { kind: 'sample', path: file() } } as const
    const first = textsOf(withKeptSample(workload).mix, 1)
    writeFileSync(file(), 'another\n', { flag: 'a' })
    expect(textsOf(withKeptSample(workload).mix, 1)).toEqual(first)
    expect(first.map(({ after }) => after.toString())).toEqual([' one', ' two \\ "'])
  })

  test('that is a directory is refused', () => {
    expect(() => readSample(directory)).toThrow(/not a regular file|EISDIR/)
  })
})

test('ends with whoever has started it, however that ends', async () => {
  const script = `
    import { startWriter } from ${JSON.stringify(fileURLToPath(new URL('../../../src/bench/workload/writer-process.ts', import.meta.url)))}
    const writer = await startWriter(${JSON.stringify({ ...backlog, rate: { kind: 'fixed', bytesPerSecond: 1e5 }, end: { seconds: 60 } })}, ${JSON.stringify(directory)})
    await writer.begin()
    process.stdout.write('begun')
    setInterval(() => undefined, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(parent.stdout, 'data')
  parent.kill('SIGKILL')
  await once(parent, 'close')
  const sizeOf = () => statSync(join(directory, 'app-0000.log')).size
  let grows = true
  for (let look = 0; look < 50 && grows; look++) {
    const before = sizeOf()
    await delay(100)
    grows = sizeOf() > before
  }
  expect(grows).toBe(false)
})
