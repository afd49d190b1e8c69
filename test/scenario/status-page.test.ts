/** The status page in real Chromium, while all is well. In trouble: `status-outage.test.ts`. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../src/base/limits.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'
import { faintTexts } from '../kit/page-looks.ts'
import { StatusScene, drawn, listen, picture, until } from '../kit/status-scene.ts'

const hostileNames = [
  `<img src=x onerror="document.title='owned'">.log`,
  // In a directory of its own.
  `x</script><script>document.title='owned'<!--.log`,
  'line\nbreak\t.log',
  'gpj.\u202egol.log',
  `"'&amp; two  spaces.log`,
  `zalgo${'\u0301'.repeat(60)}.log`,
  `${'long-'.repeat(48)}.log`,
]

let scene: StatusScene
const log = (name: string) => scene.log(name)
const open = (options?: BrowserContextOptions) => scene.open(options)

beforeAll(async () => {
  scene = await StatusScene.start()
  for (const name of hostileNames) {
    fs.mkdirSync(path.dirname(log(name)), { recursive: true })
    fs.writeFileSync(log(name), 'one line\n')
  }
  scene.write(2)
  await scene.run()
})

afterAll(() => scene?.end())

describe('under load', () => {
  describe.each(['light', 'dark'] as const)('%s', (colorScheme) => {
    test.each([420, 1280])(
      '%i px wide: nothing is wider, all is drawn and legible, nothing else is asked for',
      async (width) => {
        const { page, said } = await open({ viewport: { width, height: 900 }, colorScheme, reducedMotion: 'reduce' })
        await drawn(page)
        await until(page, `document.querySelector('#now dd').textContent.includes('/s')`)
        await delay(3 * limits.statusPollMs)
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
        expect(await page.evaluate<unknown[]>(faintTexts)).toEqual([])
        expect(await page.evaluate('document.getAnimations().length')).toBe(0)
        await picture(page, `load-${colorScheme}-${width}`)
        expect(said).toEqual([])
        await page.context().close()
      },
    )
  })

  test('it is up to date without being loaded again, and tells the rates', async () => {
    const { page, said } = await open()
    const read = () => page.locator('#ledger tbody tr').last().locator('td').first().textContent()
    await page.evaluate('window.mark = 1')
    const before = await read()
    await until(page, `document.querySelector('#now dd').textContent.includes('/s')`)
    await expect.poll(read, { timeout: 20_000 }).not.toBe(before)
    expect(await page.evaluate('window.mark')).toBe(1)
    expect(await page.locator('#when').textContent()).toMatch(
      /^As of 11-|As of \d\d-\d\d \d\d:\d\d:\d\dZ; looks again every /,
    )
    expect(await page.locator('#chart-lines').getAttribute('aria-label')).toMatch(
      /Now: read [\d.,]+, acknowledged [\d.,]+/,
    )
    expect(said).toEqual([])
    await page.context().close()
  })

  test('what strangers have named is seen as it is, and does nothing', async () => {
    const { page, said } = await open()
    await drawn(page)
    const names = await page.locator('#files bdi').allTextContents()
    expect(names).toContain(log(hostileNames[0]!))
    expect(names).toContain(log(hostileNames[1]!))
    expect(names).toContain(log('line\\u{a}break\\u{9}.log'))
    expect(names).toContain(log('gpj.\\u{202e}gol.log'))
    expect(names).toContain(log(hostileNames[4]!))
    expect(await page.locator('#files img, #files script').count()).toBe(0)
    expect(await page.title()).not.toContain('owned')
    // Marks heaped upon a letter are drawn in their own row only.
    expect(await page.evaluate(`getComputedStyle(document.querySelector('.path')).overflowX`)).toBe('clip')
    expect(said).toEqual([])
    await page.context().close()
  })

  test('searching finds by part of the name, keeps the focus, and can be linked to', async () => {
    const { page, said } = await open()
    await page.locator('#find').pressSequentially('AUDIT')
    await expect
      .poll(() => page.locator('#files bdi').allTextContents(), { timeout: 20_000 })
      .toEqual([log('audit.log')])
    expect(await page.evaluate('document.activeElement.id')).toBe('find')
    expect(new URL(page.url()).search).toBe('?find=AUDIT')
    await page.reload()
    expect(await page.locator('#find').inputValue()).toBe('AUDIT')
    expect(await page.locator('#files bdi').allTextContents()).toEqual([log('audit.log')])
    await page.locator('#find').fill('<no such file>')
    await expect
      .poll(() => page.locator('#files').textContent(), { timeout: 20_000 })
      .toContain('No file whose name has “<no such file>”')
    expect(said).toEqual([])
    await page.context().close()
  })

  test('nothing is asked while it is paused, or while nobody sees it', async () => {
    const { page, asked } = await open()
    await drawn(page)
    await page.locator('#pause').click()
    expect(await page.locator('#pause').textContent()).toBe('Go on')
    const paused = asked()
    await delay(2 * limits.statusPollMs)
    expect(asked()).toBe(paused)
    await page.locator('#pause').click()
    await expect.poll(asked, { timeout: 20_000 }).toBeGreaterThan(paused)
    const hide = (hidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`)
    await hide(true)
    const hidden = asked()
    await delay(2 * limits.statusPollMs)
    expect(asked()).toBe(hidden)
    await hide(false)
    await expect.poll(asked, { timeout: 20_000 }).toBeGreaterThan(hidden)
    await page.context().close()
  })

  test('a keyboard reaches all that can be used, and sees where it is; who listens is told what changes only', async () => {
    const { page, said } = await open()
    await drawn(page)
    await expect.poll(() => page.title(), { timeout: 20_000 }).toMatch(/^✓ Healthy/)
    await page.evaluate(`{
      window.told = 0
      const told = new MutationObserver(() => window.told++)
      for (const each of document.querySelectorAll('[role=status], [role=alert], [aria-live]'))
        told.observe(each, { childList: true, characterData: true, subtree: true })
    }`)
    const reached: unknown[] = []
    for (let presses = 0; presses < 5; presses++) {
      await page.keyboard.press('Tab')
      reached.push(
        await page.evaluate(`(() => {
          const { id, ariaLabel } = document.activeElement
          return [id || ariaLabel, getComputedStyle(document.activeElement).outlineStyle]
        })()`),
      )
    }
    expect(reached).toEqual(
      [
        'pause',
        'find',
        'Files with what is left of them',
        'What became of the lines, since the start',
        'Bulk requests by outcome, since the start',
      ].map((name) => [name, 'solid']),
    )
    // What is in a chart is drawn: its words are in its label.
    const heads = `[...document.querySelectorAll('main table:not([role=img] *)')].every((table) => table.caption && table.querySelector('th[scope=col]') && table.querySelector('th[scope=row]'))`
    expect(await page.evaluate(heads)).toBe(true)
    const asOf = await page.locator('#when').textContent()
    await expect.poll(() => page.locator('#when').textContent(), { timeout: 20_000 }).not.toBe(asOf)
    expect(await page.evaluate('window.told')).toBe(0)
    expect(said).toEqual([])
    await page.context().close()
  })

  test('no script from outside runs, and no text becomes HTML', async () => {
    const { page, said } = await open()
    const failures: unknown[] = []
    page.on('requestfailed', (request) => failures.push(request.failure()?.errorText))
    await page.evaluate(`{
      const script = document.createElement('script')
      try { script.textContent = 'document.title = "owned"'; document.body.append(script) } catch {}
      try { document.body.insertAdjacentHTML('beforeend', '<p id=made>') } catch {}
      const image = document.createElement('img')
      image.src = 'http://127.0.0.1:9/x'
      document.body.append(image)
    }`)
    await delay(200)
    expect(await page.title()).not.toBe('owned')
    expect(await page.locator('#made').count()).toBe(0)
    expect(said.filter((text) => text.startsWith('console: ')).length).toBeGreaterThanOrEqual(2)
    expect(failures).toEqual(['csp'])
    await page.context().close()
  })

  test('without scripts: the same figures, tables and search', async () => {
    const { page, said } = await open({ javaScriptEnabled: false })
    expect(await page.locator('#files thead th').count()).toBe(9)
    expect(await page.locator('#files bdi').allTextContents()).toContain(log('app.log'))
    expect(await page.locator('#charts').isVisible()).toBe(false)
    expect(await page.locator('#pause').isVisible()).toBe(false)
    await page.locator('#find').fill('audit')
    await page.locator('#search button').click()
    await page.waitForURL('**/?find=audit')
    expect(await page.locator('#files bdi').allTextContents()).toEqual([log('audit.log')])
    await picture(page, 'without-scripts')
    expect(said).toEqual([])
    await page.context().close()
  })
})

test('from the sources it runs as well as from the bundle', async () => {
  const port = await findFreePort()
  const [command, signals] = ['run', 'signals'].map(
    (name) => new URL(`../../src/commands/${name}.ts`, import.meta.url).href,
  )
  const text = `const { runCommand } = await import('${command}'); const { listenForSignals } = await import('${signals}')
    process.exitCode = await runCommand(process.env, listenForSignals())`
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      REMORA_PATHS: log('**/*.log'),
      REMORA_STATE_DIR: path.join(scene.directory, 'other-state'),
      REMORA_ELASTICSEARCH_URL: scene.serverUrl,
      REMORA_INDEX: 'from-sources',
      REMORA_ADMIN_PORT: String(port),
    },
  })
  try {
    const at = `http://127.0.0.1:${port}/`
    await expect
      .poll(
        () =>
          fetch(at).then(
            (answer) => answer.ok,
            () => false,
          ),
        { timeout: 30_000 },
      )
      .toBe(true)
    const page = await scene.browser.newPage()
    const said: string[] = []
    listen(page, said)
    await page.goto(at)
    await drawn(page)
    expect(said).toEqual([])
    await page.close()
  } finally {
    child.kill('SIGKILL')
  }
})

test('what is given to the page is bounded, and holds no line', async () => {
  const text = await (await fetch(`${scene.url}status.json`)).text()
  expect(text.length).toBeLessThan(
    limits.statusFilesMax * 6 * (limits.statusPathMax + 300) + limits.recentMax * 12 * limits.recentCharactersMax,
  )
  expect(text).not.toContain('order accepted')
})
