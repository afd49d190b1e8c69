import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const startMsMax = 30_000

/** The machine's own Chromium, without a window. @throws Error when there is none, with how to install it */
export async function startBrowser(): Promise<Browser> {
  const asked = process.env['CHROMIUM']
  const found = asked ?? places.find((path) => existsSync(path))
  if (found === undefined || !existsSync(found)) {
    throw new Error(
      `no Chromium at ${asked ?? places.join(', ')}: apt-get install -y chromium, or set CHROMIUM to its path`,
    )
  }
  // Root may not use its sandbox; what it opens is our own file.
  return chromium.launch({ executablePath: found, args: ['--no-sandbox'], timeout: startMsMax })
}
