import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Gives a program a terminal; in util-linux. */
const hasTerminal = spawnSync('script', ['--version']).status === 0

let directory: string
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-format-'))
  fs.mkdirSync(path.join(directory, 'logs'))
})
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

/** What it says until it is stopped, later where the machine is busy. @param terminal  whether stdout is one */
function saidWith(format: string | undefined, terminal: boolean, more: Record<string, string> = {}): string {
  let said = ''
  for (const seconds of [1.5, 4, 12]) {
    said = saidIn(seconds, format, terminal, more)
    if (said.includes('NO_FILES')) break
  }
  return said
}

function saidIn(seconds: number, format: string | undefined, terminal: boolean, more: Record<string, string>): string {
  const command = `timeout --signal=TERM ${seconds} ${process.execPath} ${main} run`
  const [program, ...args] = terminal ? ['script', '-qec', command, '/dev/null'] : ['sh', '-c', command]
  const { stdout } = spawnSync(program, args, {
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      TERM: 'xterm',
      REMORA_PATHS: `${directory}/logs/*.log`,
      REMORA_STATE_DIR: path.join(directory, 'state'),
      REMORA_ELASTICSEARCH_URL: 'http://127.0.0.1:1',
      REMORA_ADMIN_PORT: '0',
      REMORA_SHUTDOWN_GRACE: '1s',
      ...(format !== undefined && { REMORA_LOG_FORMAT: format }),
      ...more,
    },
  })
  return stdout.replaceAll('\r', '')
}

const areJson = (said: string) =>
  said
    .trim()
    .split('\n')
    .every((line) => line.startsWith('{') && line.endsWith('}'))
const pretty = /^\d\d:\d\d:\d\d\.\d{3} WARN  NO_FILES no file matches .*\n {13}→ It is looked for every 10 s\./m

test('JSON where nobody sits before it, whatever it was asked at a terminal', () => {
  expect(areJson(saidWith(undefined, false))).toBe(true)
  expect(areJson(saidWith('json', false))).toBe(true)
})

test('for a person where that is asked for, without colours in a file', () => {
  expect(saidWith('pretty', false)).toMatch(pretty)
})

test.runIf(hasTerminal)('for a person at a terminal: in colour, unless that is not wanted, or JSON is', () => {
  const said = saidWith(undefined, true)
  expect(said).toContain('\u001b[33mWARN')
  expect(stripVTControlCharacters(said)).toMatch(pretty)
  expect(saidWith(undefined, true, { NO_COLOR: '1' })).toMatch(pretty)
  expect(areJson(saidWith('json', true))).toBe(true)
})
