/** The status page in real Chromium when something is wrong: a person at three in the morning has to see what. */
import { setTimeout as delay } from 'node:timers/promises'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { StatusScene, drawn, isPictured, looksGood, picture } from '../kit/status-scene.ts'

const isRoot = process.getuid?.() === 0

let scene: StatusScene
afterEach(() => scene?.end())

test(
  'the server asks for time: state, cause and way out, warnings and requests; and it flows again',
  { timeout: 240_000 },
  async () => {
    scene = await StatusScene.start()
    await scene.run()
    scene.write(2)
    const { page, said } = await scene.open()
    await drawn(page)
    scene.fault = { status: 503 }
    scene.write(8)
    const state = page.locator('#state')
    await expect
      .poll(() => state.textContent(), { timeout: 90_000 })
      .toMatch(/^✕ Needs attention.*Elasticsearch asks for time.*Full for /)
    // What is there now is worked off later.
    scene.write(0)
    expect(await state.locator('p.state').getAttribute('class')).toBe('state bad')
    expect(await state.textContent()).toContain('look at its write thread pool')
    expect(await page.locator('#said').textContent()).toMatch(/^Remora: Needs attention\. Elasticsearch asks for time/)
    expect(await page.title()).toBe('✕ Needs attention: Remora in orders-7d4b9c-x2x4z')
    expect(await page.locator('#icon').getAttribute('href')).toContain('b3261e')
    expect(await page.locator('#requests tbody').textContent()).toContain('overloaded')
    await expect
      .poll(() => page.locator('#warnings').textContent(), { timeout: 30_000 })
      .toContain('ELASTICSEARCH_OVERLOADED')
    const app = page.locator('#files tbody tr').first()
    expect(await app.locator('bdi').textContent()).toBe(scene.log('app.log'))
    expect(await app.locator('td').nth(1).textContent()).toMatch(/^[\d.]+ (ms|s|min)$/)
    scene.fault = undefined
    scene.write(1)
    await expect
      .poll(() => state.textContent(), { timeout: 120_000 })
      .toMatch(/^✓ Healthy.*Flowing for .*takes documents/)
    expect(said).toEqual([])
  },
)

test(
  'the server is away: said at the top, and seen in both schemes, wide and narrow',
  { timeout: 240_000 },
  async () => {
    scene = await StatusScene.start()
    await scene.run()
    scene.write(4)
    const { page, said } = await scene.open()
    await drawn(page)
    await scene.serverGone()
    await expect
      .poll(() => page.locator('#state').textContent(), { timeout: 90_000 })
      .toMatch(
        /^✕ Needs attention *Elasticsearch cannot be reached: http.* remora check tells more\. Meanwhile .* See RemoraUnreachable in/,
      )
    // For the pictures: so that there is something to be seen of it.
    if (isPictured) await delay(15_000)
    await looksGood(page, 'server-away')
    await scene.serverBack()
    scene.write(1)
    await expect.poll(() => page.locator('#state').textContent(), { timeout: 120_000 }).toMatch(/^✓ Healthy/)
    expect(said).toEqual([])
  },
)

test(
  'the agent itself is away: what is shown is not taken for what is, and it goes on by itself',
  { timeout: 240_000 },
  async () => {
    scene = await StatusScene.start()
    await scene.run()
    scene.write(1)
    const { page } = await scene.open()
    const trouble = page.locator('#trouble')
    const headline = () => page.evaluate(`getComputedStyle(document.querySelector('.state')).color`)
    await drawn(page)
    await expect.poll(() => page.title(), { timeout: 20_000 }).toMatch(/^✓ Healthy/)
    expect(await trouble.isVisible()).toBe(false)
    const green = await headline()
    await scene.stop()
    await expect.poll(() => trouble.isVisible(), { timeout: 30_000 }).toBe(true)
    expect(await trouble.textContent()).toMatch(
      /^Remora does not answer \(.*What is shown is of \d\d-\d\d \d\d:\d\d:\d\dZ\.$/,
    )
    expect(await page.title()).toBe('✕ No answer: Remora in orders-7d4b9c-x2x4z')
    expect(await page.locator('#icon').getAttribute('href')).toContain('b3261e')
    expect(await headline()).not.toBe(green)
    await looksGood(page, 'agent-away')
    await page.emulateMedia({ colorScheme: 'light' })
    await scene.run()
    await expect.poll(() => trouble.isVisible(), { timeout: 60_000 }).toBe(false)
    await expect.poll(headline).toBe(green)
    const { startedAtMs, figures } = await scene.status()
    expect(startedAtMs).toBeGreaterThan(0)
    // Another process counts from zero: no rate is told from one to the other.
    expect(await page.locator('#chart-lines').getAttribute('aria-label')).not.toContain('-')
    expect(figures.phase).toBe('shipping')
  },
)

describe.runIf(isRoot)('files that may not be read', () => {
  test(
    'who owns them, who reads, and what to add: at the top and in their rows; gone when they may be read',
    { timeout: 240_000 },
    async () => {
      scene = await StatusScene.start(['setpriv', '--reuid=65532', '--regid=65532', '--clear-groups'])
      for (const name of ['orders', 'payment', 'stock']) {
        fs.writeFileSync(scene.log(`${name}.log`), 'one line\n', { mode: 0o640 })
        fs.chownSync(scene.log(`${name}.log`), 10_001, 10_001)
      }
      fs.mkdirSync(scene.log('private'), { mode: 0o700 })
      scene.write(1)
      await scene.run()
      const { page, said } = await scene.open()
      await drawn(page)
      const state = page.locator('#state')
      await expect.poll(() => state.textContent(), { timeout: 30_000 }).toMatch(/^✕ Needs attention/)
      expect(await state.textContent()).toMatch(
        /orders\.log: it may not be read by uid 65532 with groups 65532 \(owner 10001:10001, mode 0640\), and 2 more with the same owner and mode\. Give Remora the group that it belongs to\. Add to the Pod: spec: \{ securityContext: \{ supplementalGroups: \[10001\] \} \}/,
      )
      expect(await state.textContent()).toContain('/private: it may not be read and searched by')
      expect((await scene.status()).figures.unreadableFiles).toEqual([{ reason: 'EACCES', count: 3 }])
      expect(await page.locator('#files tbody tr', { hasText: 'stock.log' }).textContent()).toContain(
        'cannot be read (EACCES)',
      )
      await looksGood(page, 'unreadable')
      execFileSync('chmod', ['-R', 'a+rX', scene.log('.')])
      await expect.poll(() => state.textContent(), { timeout: 60_000 }).toMatch(/^✓ Healthy/)
      expect(await page.locator('#files').textContent()).not.toContain('cannot be read')
      expect(said).toEqual([])
      await picture(page, 'unreadable-mended')
    },
  )
})
