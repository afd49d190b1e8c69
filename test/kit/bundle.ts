import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What is started is what a user starts: the bundle, of the sources as they are. */
export function setup(): void {
  execFileSync(process.execPath, [fileURLToPath(new URL('../../build/bundle.ts', import.meta.url))])
}
