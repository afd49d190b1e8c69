import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { escaped } from '../../../src/bench/report/html.ts'
import { pageOf } from '../../../src/bench/report/page.ts'
import { reduced } from '../../../src/bench/report/moments.ts'
import { writeReport } from '../../../src/bench/report/write.ts'
import { startBrowser } from '../../kit/browser.ts'
import { exampleReport, figure, latency, moments, row } from './example.ts'

const hostile = `"></script><img src="http://127.0.0.1:9/x" onerror="document.title='owned'"><!--\u202e'&amp;`
const mib = 2 ** 20

/** Whatever may be called by others is: files, settings, failures. */
function hostileReport() {
  const limits = { cpus: 0.2, memoryBytes: 64 * mib }
  const rows = [
    row(hostile, [figure(hostile, 'ms', [1, 2, 3])], {
      limits,
      failures: [hostile],
      notes: [hostile],
      latency: latency(3, 5000),
      moments: moments(300, 64 * mib, true),
      outages: [{ fromMs: 3000, toMs: 8000 }],
    }),
  ]
  // One row with its times of each: each plot takes its time.
  const scenarios = exampleReport().scenarios.map((scenario) => ({
    ...scenario,
    rows: scenario.rows.map((each, at) => ({ ...each, moments: at === 0 ? reduced(each.moments, 60) : [] })),
  }))
  return exampleReport({
    scenarios: [...scenarios, { name: hostile, about: hostile, rows, seconds: 1 }],
    enforcement: { kind: 'none', reason: hostile },
    options: { [hostile]: hostile },
    skipped: [{ name: hostile, reason: hostile }],
    failures: [hostile],
  })
}

describe('without a browser', () => {
  test('no tag and no attribute out of a text', () => {
    expect(escaped(`<a b="c" d='e'>&\u202e`)).toBe('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;�')
    const page = pageOf(hostileReport())
    expect(page).not.toContain('<img')
    expect(page.match(/<script/g)).toHaveLength(3)
    expect(page.match(/<\/script/g)).toHaveLength(3)
    expect(page).not.toMatch(/(src|href)="(?!#|data:,")/)
  })
})

describe('in a browser', () => {
  let browser: Browser
  let directory = ''
  let url = ''
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'remora-page-'))
    url = pathToFileURL(writeReport(hostileReport(), directory).html).href
    browser = await startBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** @returns what went wrong or went out, as it comes */
  async function open(width: number, colorScheme: 'light' | 'dark'): Promise<{ page: Page; said: string[] }> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
    const said: string[] = []
    page.on('console', (message) => said.push(`console: ${message.text()}`))
    page.on('pageerror', (error) => said.push(`error: ${error.message}`))
    page.on('request', (request) => {
      if (request.url() !== url) said.push(`request: ${request.url()}`)
    })
    await page.goto(url)
    await page.evaluate(`document.querySelectorAll('details').forEach((each) => { each.open = true })`)
    await page.waitForFunction(allDrawn)
    return { page, said }
  }

  describe.each(['light', 'dark'] as const)('%s', (scheme) => {
    test.each([400, 1400])('%i px: each plot has its lines, nothing is wider, nothing is asked for', async (width) => {
      const { page, said } = await open(width, scheme)
      const inks = await page.evaluate<Record<string, number>>(inkOf)
      expect(Object.keys(inks).length).toBeGreaterThan(20)
      for (const [id, pixels] of Object.entries(inks)) expect(pixels, id).toBeGreaterThan(50)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
      expect(await page.title()).toBe('Remora bench: 200m CPU, 64Mi')
      expect(said).toEqual([])
      await page.close()
    })
  })

  test('another colour scheme and another width are drawn anew', async () => {
    const { page, said } = await open(1400, 'light')
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 700, height: 900 })
    await page.waitForFunction(`${allDrawn} && document.querySelector('#s0-latency-0 .uplot').clientWidth < 700`)
    const inks = await page.evaluate<Record<string, number>>(inkOf)
    for (const [id, pixels] of Object.entries(inks)) expect(pixels, id).toBeGreaterThan(50)
    expect(said).toEqual([])
    await page.close()
  })

  test('the numbers of a plot are those that it draws', async () => {
    const { page } = await open(1400, 'light')
    const rows = await page.locator('#s4-cpus-highest-rate-numbers tbody tr').allTextContents()
    expect(rows).toEqual(['100m19 (18.1–20.3)', '200m38 (36.1–40.7)', '500m95 (90.3–102)', '1190 (181–203)'])
    const plots = JSON.parse((await page.locator('#plots').textContent()) ?? '') as { id: string; xs: number[] }[]
    const counts = await page.evaluate<Record<string, number>>(numbersOf)
    expect(counts).toEqual(Object.fromEntries(plots.map(({ id, xs }) => [id, xs.length])))
    await page.close()
  })

  test('a script from outside would not run', async () => {
    const { page, said } = await open(400, 'light')
    await page.evaluate(`{
      const script = document.createElement('script')
      script.textContent = 'document.title = "owned"'
      document.body.append(script)
      const image = document.createElement('img')
      image.src = 'http://127.0.0.1:9/x'
      document.body.append(image)
    }`)
    await page.waitForTimeout(100)
    expect(await page.title()).toBe('Remora bench: 200m CPU, 64Mi')
    expect(said.filter((text) => text.includes('Content Security Policy')).length).toBe(2)
    await page.close()
  })
})

const allDrawn = `[...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('canvas') !== null)`

const numbersOf = `Object.fromEntries([...document.querySelectorAll('.plot')].map((plot) =>
  [plot.id, document.getElementById(plot.id + '-numbers').querySelectorAll('tbody tr').length]))`

/** Pixels of each plot in the colour of its first line, as the scheme has it now. */
const inkOf = `(() => {
  const probe = document.createElement('canvas').getContext('2d')
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--c0').trim()
  probe.fillRect(0, 0, 1, 1)
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data
  return Object.fromEntries([...document.querySelectorAll('.plot')].map((plot) => {
    const canvas = plot.querySelector('canvas')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let pixels = 0
    for (let at = 0; at < data.length; at += 4) {
      const isNear = Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 24
      if (isNear && data[at + 3] > 128) pixels += 1
    }
    return [plot.id, pixels]
  }))
})()`
