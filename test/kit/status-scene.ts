import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Status } from '../../src/admin/page/status.ts'
import { type BulkFault, type BulkServer, startBulkServer } from '../../src/demo/bulk-server.ts'
import { type AgentProcess, startAgent } from './agent-process.ts'
import { startBrowser } from './browser.ts'
import { findFreePort } from './elasticsearch/ports.ts'
import { faintTexts, inkOf } from './page-looks.ts'

/** Pictures are left here, for somebody to look at: `STATUS_PICTURES=/tmp npx vitest run test/scenario/status-`. */
const pictures = process.env['STATUS_PICTURES'] ?? ''
export const isPictured = pictures !== ''

const line = `2026-11-26T03:12:09.123Z INFO orders.Checkout request-id=7f3a order accepted, total=42.17 EUR\n`
const block = line.repeat(1_000)
const writtenMax = 96 * 1024 * 1024

export interface Opened {
  readonly page: Page
  /** What went wrong, and what was asked for besides the page and its figures, as it comes. */
  readonly said: string[]
  /** How often the figures were asked for. */
  readonly asked: () => number
}

/** A running agent with its status page in a real browser, and what the page shows. */
export class StatusScene {
  readonly directory: string
  readonly browser: Browser
  /** Of the page. */
  readonly url: string
  readonly #through: readonly string[]
  #server: BulkServer
  #agent: AgentProcess | undefined
  #writing: ReturnType<typeof setInterval> | undefined
  fault: BulkFault | undefined

  private constructor(
    directory: string,
    url: string,
    server: BulkServer,
    browser: Browser,
    through: readonly string[],
  ) {
    this.directory = directory
    this.url = url
    this.#server = server
    this.browser = browser
    this.#through = through
  }

  /** @param through  a command that becomes the agent, see `startAgent` */
  static async start(through: readonly string[] = []): Promise<StatusScene> {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'remora-status-'))
    fs.chmodSync(directory, 0o755)
    for (const name of ['logs', 'state']) {
      fs.mkdirSync(path.join(directory, name))
      fs.chmodSync(path.join(directory, name), 0o777)
    }
    const url = `http://127.0.0.1:${await findFreePort()}/`
    const browser = await startBrowser()
    const server = await startBulkServer({ documentsPath: undefined })
    const scene = new StatusScene(directory, url, server, browser, through)
    await scene.serverGone()
    await scene.serverBack()
    return scene
  }

  async end(): Promise<void> {
    this.stopWriting()
    await this.browser.close()
    await this.#agent?.end('SIGKILL')
    await this.#server.close()
    fs.rmSync(this.directory, { recursive: true, force: true })
  }

  log(name: string): string {
    return path.join(this.directory, 'logs', name)
  }

  get serverUrl(): string {
    return this.#server.url
  }

  serverGone(): Promise<void> {
    return this.#server.close()
  }

  /** On the same port. */
  async serverBack(): Promise<void> {
    const port = Number(new URL(this.#server.url).port)
    this.#server = await startBulkServer({ port, documentsPath: undefined, faults: { onBulk: () => this.fault } })
  }

  /** Resolves when it watches its files. */
  async run(): Promise<void> {
    const agent = startAgent(
      {
        REMORA_PATHS: this.log('**/*.log'),
        REMORA_STATE_DIR: path.join(this.directory, 'state'),
        REMORA_ELASTICSEARCH_URL: this.serverUrl,
        REMORA_ADMIN_PORT: new URL(this.url).port,
        REMORA_MEMORY_LIMIT: '64Mi',
        REMORA_SCAN_INTERVAL: '1s',
        REMORA_POD_NAME: 'orders-7d4b9c-x2x4z',
        REMORA_POD_NAMESPACE: 'shop',
        REMORA_POD_UID: 'status-page',
      },
      undefined,
      this.#through,
    )
    this.#agent = agent
    for (let tries = 0; tries < 300; tries++) {
      const isReady = await fetch(`${this.url}readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
      if (isReady) return
      await delay(100)
    }
    throw new Error(`no answer: ${agent.output()}`)
  }

  async stop(): Promise<void> {
    await this.#agent?.end('SIGTERM')
  }

  /** As an application does, until nobody needs it any more or there is enough. @param blocks  of 90 KB in a tenth of a second */
  write(blocks: number): void {
    this.stopWriting()
    let written = 0
    this.#writing = setInterval(() => {
      for (let each = 0; each < blocks && written < writtenMax; each++, written += block.length) {
        fs.appendFileSync(this.log('app.log'), block)
      }
      fs.appendFileSync(this.log('audit.log'), line)
    }, 100)
  }

  stopWriting(): void {
    clearInterval(this.#writing)
  }

  async status(): Promise<Status> {
    return (await (await fetch(`${this.url}status.json`)).json()) as Status
  }

  async open(options: BrowserContextOptions = {}): Promise<Opened> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    const page = await context.newPage()
    const said: string[] = []
    let asked = 0
    listen(page, said)
    page.on('request', (request) => {
      const { pathname, origin } = new URL(request.url())
      if (request.url().startsWith(`${this.url}status.json`)) asked++
      else if (`${origin}${pathname}` !== this.url && !request.url().startsWith('data:'))
        said.push(`request: ${request.url()}`)
    })
    await page.goto(this.url)
    return { page, said, asked: () => asked }
  }
}

/** What goes wrong in it; not the advice on how a test looks at pictures. */
export function listen(page: Page, said: string[]): void {
  page.on('console', (message) => {
    if (!message.text().includes('willReadFrequently')) said.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => said.push(`error: ${error.message}`))
}

/** The page lets nobody evaluate a text in it, so it is asked again from here. @param holds  an expression */
export async function until(page: Page, holds: string): Promise<void> {
  await expect.poll(() => page.evaluate(holds), { timeout: 20_000, interval: 100 }).toBe(true)
}

/** Each chart has what it draws. */
export async function drawn(page: Page): Promise<void> {
  await until(page, `Object.values(${inkOf}).filter((ink) => ink > 20).length === 6`)
}

export async function picture(page: Page, name: string): Promise<void> {
  if (isPictured) await page.screenshot({ path: path.join(pictures, `status-${name}.png`), fullPage: true })
}

/** In both schemes, wide and narrow: nothing is wider than the window, and all of it is legible. */
export async function looksGood(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 420]) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 900 })
      await drawn(page)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
      expect(await page.evaluate<unknown[]>(faintTexts)).toEqual([])
      await picture(page, `${name}-${colorScheme}-${width}`)
    }
  }
}
