import { spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { contentOf, filesFactsOf } from '../../src/check/files-facts.ts'

let logs: string
beforeEach(() => {
  logs = mkdtempSync(path.join(tmpdir(), 'remora-check-'))
  onTestFinished(() => rmSync(logs, { recursive: true, force: true }))
})

function look(paths: readonly string[], more: { exclude?: string[]; disk?: Disk } = {}) {
  const settings = { paths, exclude: more.exclude ?? [], stateDir: `${logs}/state`, scanIntervalMs: 10_000 }
  return filesFactsOf(settings, more.disk ?? systemDisk, systemClock)
}
const failing = (code: string): Disk => ({
  ...systemDisk,
  open() {
    throw Object.assign(new Error(code), { code })
  },
})
const namesOf = (paths: readonly { path: string }[]) => paths.map((each) => path.relative(logs, each.path)).toSorted()

test('what the agent would find', () => {
  mkdirSync(`${logs}/deep/er`, { recursive: true })
  mkdirSync(`${logs}/state`)
  for (const name of ['a.log', 'deep/er/b.log', 'c.txt', 'skip.log', 'a.log.1', 'state/x.log']) {
    writeFileSync(`${logs}/${name}`, 'a line\n')
  }
  const facts = look([`${logs}/**/*.log`, `${logs}/*.md`], { exclude: [`${logs}/skip.*`] })
  expect(namesOf(facts.files)).toEqual(['a.log', 'deep/er/b.log'])
  expect(facts).toMatchObject({ emptyGlobs: [`${logs}/*.md`], siblings: [`${logs}/a.log.1`], obstacles: [] })
  expect(facts.files[0]).toMatchObject({ sizeBytes: 7, seen: { content: 'text' } })
})

test('one file under several names counts once, and a symlink satisfies its glob', () => {
  writeFileSync(`${logs}/a.log`, 'a line\n')
  linkSync(`${logs}/a.log`, `${logs}/b.log`)
  symlinkSync('a.log', `${logs}/current`)
  const facts = look([`${logs}/*.log`, `${logs}/current`])
  expect([facts.files.length, facts.emptyGlobs]).toEqual([1, []])
})

test('what is no file is named, and neither opened nor followed', async () => {
  writeFileSync(`${logs}/good.log`, 'a line\n')
  mkdirSync(`${logs}/x.log`)
  spawnSync('mkfifo', [`${logs}/fifo.log`])
  const socket = createServer().listen(`${logs}/socket.log`)
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  symlinkSync('/etc/passwd', `${logs}/outside.log`)
  symlinkSync('nowhere', `${logs}/dangling.log`)
  const opened: string[] = []
  const disk: Disk = { ...systemDisk, open: (at) => (opened.push(path.basename(at)), systemDisk.open(at)) }
  const { files, obstacles } = look([`${logs}/*.log`], { disk })
  expect(namesOf(files)).toEqual(['good.log'])
  expect(opened).toEqual(['good.log'])
  const found = obstacles.map(({ path: at, code }) => `${path.basename(at)} ${code}`)
  expect(found.toSorted()).toEqual([
    'fifo.log NOT_A_FILE',
    'outside.log SYMLINK_OUTSIDE',
    'socket.log NOT_A_FILE',
    'x.log NOT_A_FILE',
  ])
})

test('a file that becomes a symlink or vanishes between look and opening', () => {
  writeFileSync(`${logs}/a.log`, '')
  expect(look([`${logs}/*.log`], { disk: failing('ENOENT') }).files).toEqual([])
  const [file] = look([`${logs}/*.log`], { disk: failing('ELOOP') }).files
  expect(file?.seen).toMatchObject({ refusal: { code: 'ELOOP' } })
})

test('no descriptor is left open', () => {
  for (let number = 0; number < 50; number++) writeFileSync(`${logs}/${number}.log`, 'x\n')
  const before = systemDisk.list('/proc/self/fd').length
  look([`${logs}/*.log`])
  expect(systemDisk.list('/proc/self/fd').length).toBe(before)
})

test.each([
  ['', 'text'],
  ['a line\n', 'text'],
  ['Grüße 🦀\n', 'text'],
  [Buffer.from('a line\n', 'utf16le'), 'binary'],
  [Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]), 'binary'],
  [gzipSync('a line\n'), 'packed'],
  [zstdCompressSync('a line\n'), 'packed'],
] as const)('%# content is told by the first bytes', (head, content) => {
  expect(contentOf(Buffer.from(head))).toBe(content)
})
