import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Status } from '../../src/admin/page/status.ts'
import { limits } from '../../src/base/limits.ts'
import { startBulkServer, type BulkFault, type BulkServer } from '../../src/demo/bulk-server.ts'
import { startAgent, type AgentProcess } from '../kit/agent-process.ts'
import { startBrowser } from '../kit/browser.ts'
import { findFreePort } from '../kit/elasticsearch/ports.ts'

/** Pictures are left here, for somebody to look at: `STATUS_PICTURES=/tmp npx vitest run test/scenario/status-page`. */
const pictures = process.env['STATUS_PICTURES'] ?? ''

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

const line = `2026-11-26T03:12:09.123Z INFO orders.Checkout request-id=7f3a order accepted, total=42.17 EUR\n`
const block = line.repeat(1_000)
const writtenMax = 96 * 1024 * 1024

let browser: Browser
let directory = ''
let server: BulkServer
let agent: AgentProcess
let url = ''
let fault: BulkFault | undefined
let writing: ReturnType<typeof setInterval> | undefined

const log = (name: string) => path.join(directory, 'logs', name)

function run(): void {
  agent = startAgent({
    REMORA_PATHS: log('**/*.log'),
    REMORA_STATE_DIR: path.join(directory, 'state'),
    REMORA_ELASTICSEARCH_URL: server.url,
    REMORA_ADMIN_PORT: new URL(url).port,
    REMORA_MEMORY_LIMIT: '64Mi',
    REMORA_SCAN_INTERVAL: '1s',
    REMORA_POD_NAME: 'orders-7d4b9c-x2x4z',
    REMORA_POD_NAMESPACE: 'shop',
    REMORA_POD_UID: 'status-page',
  })
}

/** As an application does, until nobody needs it any more or there is enough. @param blocks  of 90 KB in a tenth of a second */
function write(blocks: number): void {
  clearInterval(writing)
  let written = 0
  writing = setInterval(() => {
    for (let each = 0; each < blocks && written < writtenMax; each++, written += block.length) {
      fs.appendFileSync(log('app.log'), block)
    }
    fs.appendFileSync(log('audit.log'), line)
  }, 100)
}

beforeAll(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-status-'))
  fs.mkdirSync(path.join(directory, 'logs'))
  for (const name of hostileNames) {
    fs.mkdirSync(path.dirname(log(name)), { recursive: true })
    fs.writeFileSync(log(name), 'one line\n')
  }
  server = await startBulkServer({ documentsPath: undefined, faults: { onBulk: () => fault } })
  url = `http://127.0.0.1:${await findFreePort()}/`
  run()
  write(2)
  await answers()
  browser = await startBrowser()
})

afterAll(async () => {
  clearInterval(writing)
  await browser?.close()
  await agent?.end('SIGKILL')
  await server?.close()
  fs.rmSync(directory, { recursive: true, force: true })
})

const status = async () => (await (await fetch(`${url}status.json`)).json()) as Status

async function answers(): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const isReady = await fetch(`${url}readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return
    await delay(100)
  }
  throw new Error(`no answer: ${agent.output()}`)
}

interface Opened {
  readonly page: Page
  /** What went wrong, and what was asked for besides the page and its figures, as it comes. */
  readonly said: string[]
  /** How often the figures were asked for. */
  readonly asked: () => number
}

async function open(options: BrowserContextOptions = {}, at = ''): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  const said: string[] = []
  let asked = 0
  listen(page, said)
  page.on('request', (request) => {
    const { pathname, origin } = new URL(request.url())
    if (request.url().startsWith(`${url}status.json`)) asked++
    else if (`${origin}${pathname}` !== url && !request.url().startsWith('data:'))
      said.push(`request: ${request.url()}`)
  })
  await page.goto(`${url}${at}`)
  return { page, said, asked: () => asked }
}

/** What goes wrong in it; not the advice on how this test looks at pictures. */
function listen(page: Page, said: string[]): void {
  page.on('console', (message) => {
    if (!message.text().includes('willReadFrequently')) said.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => said.push(`error: ${error.message}`))
}

/** The page lets nobody evaluate a text in it, so it is asked again from here. @param holds  an expression */
async function until(page: Page, holds: string): Promise<void> {
  await expect.poll(() => page.evaluate(holds), { timeout: 20_000, interval: 100 }).toBe(true)
}

/** Each chart has what it draws. */
async function drawn(page: Page): Promise<void> {
  await until(page, `Object.values(${inkOf}).filter((ink) => ink > 20).length === 6`)
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== '') await page.screenshot({ path: path.join(pictures, `status-${name}.png`), fullPage: true })
}

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
    expect(await page.locator('#files thead th').count()).toBe(10)
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

describe('in an outage', () => {
  test('state, cause and way out, warnings and requests; and it flows again', { timeout: 180_000 }, async () => {
    const { page, said } = await open()
    await drawn(page)
    fault = { status: 503 }
    write(8)
    const state = page.locator('#state')
    await expect
      .poll(() => state.textContent(), { timeout: 90_000 })
      .toMatch(/^full for .*Cause: Elasticsearch asks for time/)
    expect(await state.locator('p.state').getAttribute('class')).toBe('state bad')
    expect(await state.textContent()).toContain('look at its write thread pool')
    expect(await page.locator('#said').textContent()).toMatch(/^Remora is full, because Elasticsearch asks for time/)
    expect(await page.title()).toBe('full: Remora in orders-7d4b9c-x2x4z')
    expect(await page.locator('#icon').getAttribute('href')).toContain('b3261e')
    expect(await page.locator('#requests tbody').textContent()).toContain('overloaded')
    await expect
      .poll(() => page.locator('#warnings').textContent(), { timeout: 30_000 })
      .toContain('ELASTICSEARCH_OVERLOADED')
    const app = page.locator('#files tbody tr').first()
    expect(await app.locator('bdi').textContent()).toBe(log('app.log'))
    expect(await app.locator('td').nth(1).textContent()).toMatch(/^[\d.]+ (ms|s|min)$/)
    await delay(10_000)
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 420]) {
        await page.emulateMedia({ colorScheme })
        await page.setViewportSize({ width, height: 900 })
        await drawn(page)
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
        expect(await page.evaluate<unknown[]>(faintTexts)).toEqual([])
        await picture(page, `outage-${colorScheme}-${width}`)
      }
    }
    fault = undefined
    write(1)
    await expect.poll(() => state.textContent(), { timeout: 90_000 }).toMatch(/^flowing for .*takes documents/)
    expect(said).toEqual([])
    await page.context().close()
  })

  test(
    'of the agent itself: it is said that what is shown is old, and it goes on by itself',
    { timeout: 120_000 },
    async () => {
      const { page } = await open()
      await drawn(page)
      expect(await page.locator('#trouble').isVisible()).toBe(false)
      await agent.end('SIGTERM')
      await expect.poll(() => page.locator('#trouble').isVisible(), { timeout: 30_000 }).toBe(true)
      expect(await page.locator('#trouble').textContent()).toMatch(
        /^Remora does not answer \(.*What is shown is of \d\d-\d\d \d\d:\d\d:\d\dZ\.$/,
      )
      await picture(page, 'agent-away')
      run()
      await answers()
      await expect.poll(() => page.locator('#trouble').isVisible(), { timeout: 60_000 }).toBe(false)
      const { startedAtMs, figures } = await status()
      expect(startedAtMs).toBeGreaterThan(0)
      // Another process counts from zero: no rate is told from one to the other.
      expect(await page.locator('#chart-lines').getAttribute('aria-label')).not.toContain('-')
      expect(figures.phase).toBe('shipping')
      await page.context().close()
    },
  )
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
      REMORA_STATE_DIR: path.join(directory, 'other-state'),
      REMORA_ELASTICSEARCH_URL: server.url,
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
    const page = await browser.newPage()
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
  const text = await (await fetch(`${url}status.json`)).text()
  expect(text.length).toBeLessThan(
    limits.statusFilesMax * 6 * (limits.statusPathMax + 300) + limits.recentMax * 12 * limits.recentCharactersMax,
  )
  expect(text).not.toContain('order accepted')
})

/** Pixels of each chart in the colour of its first or second line, as the scheme has it now. */
const inkOf = `(() => {
  const probe = document.createElement('canvas').getContext('2d')
  const colours = ['--c0', '--c1'].map((name) => {
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim()
    probe.fillRect(0, 0, 1, 1)
    return [...probe.getImageData(0, 0, 1, 1).data]
  })
  return Object.fromEntries([...document.querySelectorAll('.plot')].map((plot) => {
    const canvas = plot.querySelector('canvas')
    if (canvas === null) return [plot.id, 0]
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let pixels = 0
    for (let at = 0; at < data.length; at += 4) {
      const isNear = colours.some(([r, g, b]) =>
        Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 24)
      if (isNear && data[at + 3] > 128) pixels += 1
    }
    return [plot.id, pixels]
  }))
})()`

/** Texts that are seen with less contrast than WCAG 2.2 asks for (1.4.3, 4.5:1). */
const faintTexts = `(() => {
  const numbers = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number)
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const backOf = (element) => {
    for (let each = element; each !== null; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor
      if (numbers(colour)[3] !== 0) return colour
    }
    return 'rgb(255, 255, 255)'
  }
  const found = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const { parentElement: element, data } = texts.currentNode
    if (data.trim() === '' || !element.checkVisibility() || /^(SCRIPT|STYLE)$/.test(element.tagName)) continue
    const [a, b] = [light(getComputedStyle(element).color), light(backOf(element))]
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    if (ratio < 4.5) found.push([data.slice(0, 40), ratio])
  }
  return found
})()`
