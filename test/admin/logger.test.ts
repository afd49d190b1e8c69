import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { fieldsOf, Notices, textOf, type Logger, type Notice } from '../../src/admin/logger.ts'
import { limits } from '../../src/base/limits.ts'

const loggerModule = fileURLToPath(new URL('../../src/admin/logger.ts', import.meta.url))

const programOf = (level: string, script: string) =>
  `import { makeLogger } from ${JSON.stringify(loggerModule)}; const log = makeLogger('${level}'); ${script}`

/** What a process writes to its stdout when it logs so. */
function linesOf(level: string, script: string): Record<string, unknown>[] {
  const program = programOf(level, script)
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('a message is one line of ECS JSON', () => {
  const [line, ...more] = linesOf('info', `log.warn({ 'event.code': 'X', 'file.path': '/a\\nb.log' }, 'one\\n"two"')`)
  expect(more).toEqual([])
  expect(line).toEqual({
    '@timestamp': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    'log.level': 'warn',
    message: 'one\n"two"',
    'event.code': 'X',
    'file.path': '/a\nb.log',
    'ecs.version': '8.11.0',
    'service.type': 'remora',
  })
})

test('a name gives a terminal no orders, and is told as it is', () => {
  const program = programOf(
    'info',
    `log.warn({ 'event.code': 'X', 'file.path': '/\\u009b31m\\u202ea%s.log' }, '/\\u009b31m%s %d')`,
  )
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(out).toContain(String.raw`/\u009b31m\u202ea%s.log`)
  expect(JSON.parse(out)).toMatchObject({ 'file.path': '/\u009b31m\u202ea%s.log', message: '/\u009b31m%s %d' })
})

test('of one code no more than a bound are said in a while; debug and what has no code is said as it comes', () => {
  const most = limits.messagesMax
  const lines = linesOf(
    'debug',
    `for (let n = 0; n < ${3 * most}; n++) { log.warn({ 'event.code': 'GAP' }, 'gap'); log.debug({ 'event.code': 'FILE' }, 'file'); log.info({}, 'plain') }
     log.error({ 'event.code': 'OTHER' }, 'other')`,
  )
  const times = (message: string) => lines.filter((line) => line['message'] === message).length
  expect([times('gap'), times('file'), times('plain'), times('other')]).toEqual([most, 3 * most, 3 * most, 1])
})

test('what was left out is told with the next message after that while', () => {
  const quietingModule = fileURLToPath(new URL('../../src/admin/quieting.ts', import.meta.url))
  const program = `import { makeLogger } from ${JSON.stringify(loggerModule)}; import { Quieting } from ${JSON.stringify(quietingModule)}
    let nowMs = 0
    const log = makeLogger('info', { quieting: new Quieting({ monotonicMs: () => nowMs }) })
    for (let n = 0; n < ${limits.messagesMax + 5}; n++) log.warn({ 'event.code': 'GAP' }, 'gap')
    nowMs = ${limits.messagesWindowMs}
    log.info({ 'event.code': 'OTHER' }, 'other')`
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  const [told, other] = out
    .trim()
    .split('\n')
    .slice(-2)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(told).toMatchObject({
    'event.code': 'MESSAGES_UNSAID',
    message: expect.stringMatching(/^5 more messages with the code GAP/),
  })
  expect(other).toMatchObject({ 'event.code': 'OTHER' })
})

test('what is below the level is left out', () => {
  const script = `for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) log[level]({}, level)`
  // The worst is written at once, perhaps before what is still on its way.
  expect(new Set(linesOf('warn', script).map((line) => line['log.level']))).toEqual(new Set(['warn', 'error', 'fatal']))
})

test('in the order in which they were said', () => {
  const texts = Array.from({ length: 500 }, (_, index) => `message ${index}`)
  expect(
    linesOf('info', `for (let index = 0; index < 500; index++) log.info({}, 'message ' + index)`).map(
      ({ message }) => message,
    ),
  ).toEqual(texts)
})

test('while nobody reads them the process goes on, and keeps no more than its bound', async () => {
  const script = `
    const text = 'x'.repeat(1000)
    for (let round = 0; round < 100; round++) {
      for (let index = 0; index < 1000; index++) log.info({}, text)
      await new Promise((resolve) => setImmediate(resolve))
    }
    globalThis.gc()
    console.error(process.memoryUsage().heapUsed)`
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', programOf('info', script)])
  const [said] = (await once(child.stderr, 'data')) as [Buffer]
  child.kill('SIGKILL')
  expect(Number(said.toString())).toBeLessThan(limits.logBytesMax + 32 * 1024 * 1024)
})

describe('notices', () => {
  let said: { fields: unknown; text: string }[]
  let notices: Notices
  beforeEach(() => {
    said = []
    const warn = (fields: unknown, text: string) => void said.push({ fields, text })
    notices = new Notices({ warn } as unknown as Logger)
  })
  const notice: Notice = {
    code: 'EACCES',
    path: '/a.log',
    message: 'it cannot be opened',
    wayOut: 'Give the right to read',
  }

  test('are said once for each code and file', () => {
    const all = [
      notice,
      { ...notice, path: '/b.log' },
      { ...notice, code: 'EIO' },
      { code: 'EACCES', message: 'no file' },
    ]
    for (let round = 0; round < 3; round++)
      for (const each of all) notices.warn({ ...each, message: `${each.message} ${round}` })
    expect(said.map(({ text }) => text)).toEqual([
      '/a.log: it cannot be opened 0 — Give the right to read',
      '/b.log: it cannot be opened 0 — Give the right to read',
      '/a.log: it cannot be opened 0 — Give the right to read',
      'no file 0',
    ])
  })

  test('are said again when what was the matter has gone in between', () => {
    notices.warn(notice)
    notices.resolved('EACCES', '/b.log')
    notices.resolved('EIO', '/a.log')
    notices.warn(notice)
    expect(said).toHaveLength(1)
    notices.resolved('EACCES', '/a.log')
    notices.warn(notice)
    expect(said).toHaveLength(2)
    notices.warn({ code: 'X', message: 'm' })
    notices.resolved('X')
    notices.warn({ code: 'X', message: 'm' })
    expect(said).toHaveLength(4)
  })

  test('of ever new files are not remembered without end', () => {
    for (let file = 0; file < limits.warningsMax; file++) notices.warn({ ...notice, path: `/${file}` })
    notices.warn({ ...notice, path: '/0' })
    expect(said).toHaveLength(limits.warningsMax)
    notices.warn({ ...notice, path: '/one more' })
    notices.warn({ ...notice, path: '/0' })
    expect(said, 'all was forgotten').toHaveLength(limits.warningsMax + 2)
  })

  test.each([
    [{ code: 'X', message: 'm' }, { 'event.code': 'X' }, 'm'],
    [{ code: 'X', message: 'm', wayOut: 'w' }, { 'event.code': 'X' }, 'm — w'],
    [{ code: 'X', message: 'm', path: '/p' }, { 'event.code': 'X', 'file.path': '/p' }, '/p: m'],
  ])('%j', (given, fields, text) => {
    expect(fieldsOf(given)).toEqual(fields)
    expect(textOf(given)).toBe(text)
  })
})
