import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { askBroker, startBroker, type SharedServer } from '../kit/elasticsearch/broker.ts'
import { findJdk, isOpenToOthers } from '../kit/elasticsearch/java.ts'
import { withLock } from '../kit/elasticsearch/lock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-fixture-'))
  chmodSync(folder, 0o755)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

describe('the lock of an installation', () => {
  test('two at once come one after the other', async () => {
    const events: string[] = []
    const work = (name: string) => async () => {
      events.push(`${name} begins`)
      await delay(50)
      events.push(`${name} ends`)
    }
    const path = join(folder, 'lock')
    await Promise.all([withLock(path, 5_000, work('one')), withLock(path, 5_000, work('two'))])
    expect(events).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
    expect(existsSync(path)).toBe(false)
  })

  test('a holder that was killed loses it', async () => {
    const path = join(folder, 'lock')
    writeFileSync(path, '1\n')
    await expect(withLock(path, 300, async () => 'done')).rejects.toThrow('which another process holds')
    const minuteAgo = new Date(Date.now() - 60_000)
    utimesSync(path, minuteAgo, minuteAgo)
    expect(await withLock(path, 5_000, async () => 'done')).toBe('done')
  })
})

function makeJdk(release: string, compiler: boolean): string {
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'release'), release)
  if (compiler) writeFileSync(join(folder, 'bin/javac'), '', { mode: 0o755 })
  return folder
}

describe('the search for a JDK', () => {
  test.each([
    ['JAVA_VERSION="25.0.3"\n', true, true],
    ['OTHER="1"\nJAVA_VERSION="21"\n', true, true],
    ['JAVA_VERSION="17.0.15"\n', true, false],
    ['JAVA_VERSION="25.0.3"\n', false, false],
  ])('%j with a compiler: %j is found: %j', (release, compiler, found) => {
    vi.stubEnv('ES_JAVA_HOME', makeJdk(release, compiler))
    expect(findJdk(21)).toBe(found ? folder : undefined)
  })

  test('a folder that others may not enter is of no use to a server with another user', () => {
    mkdirSync(join(folder, 'closed/open'), { recursive: true })
    expect(isOpenToOthers(join(folder, 'closed/open'))).toBe(true)
    chmodSync(join(folder, 'closed'), 0o700)
    expect(isOpenToOthers(join(folder, 'closed/open'))).toBe(false)
  })
})

describe('the broker of the shared server', () => {
  test('starts it once, when first asked, and ends it', async () => {
    const remove = vi.fn<() => Promise<void>>(async () => undefined)
    const address = { port: 20_001, directory: '/nowhere' }
    const start = vi.fn<() => Promise<SharedServer>>(async () => ({ ...address, remove }))
    const broker = await startBroker(start)
    expect(start).not.toHaveBeenCalled()
    const answers = await Promise.all([askBroker(broker.url), askBroker(broker.url)])
    expect(answers).toEqual([address, address])
    expect(start).toHaveBeenCalledOnce()
    await broker.close()
    expect(remove).toHaveBeenCalledOnce()
  })

  test('says why it could not', async () => {
    const broker = await startBroker(async () => {
      throw new Error('no memory for the heap')
    })
    await expect(askBroker(broker.url)).rejects.toThrow('no memory for the heap')
    await broker.close()
  })
})
