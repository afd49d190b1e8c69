import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeEnvironment, nodeFlags } from '../base/runtime.ts'

/**
 * Fills the cache of compiled code when Remora is installed, by running it for a moment: once for each set of flags, for
 * code compiled under one set is not taken under another. Without it the first start needs twice the CPU and 20 MiB more.
 */
const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const codeCache = fileURLToPath(new URL('../../.cache/compile', import.meta.url))

async function warm(flags: readonly string[], url: string): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'remora-warm-'))
  writeFileSync(path.join(directory, 'a.log'), 'a line\n')
  const child = spawn(process.execPath, [...flags, main, 'run'], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'] ?? '',
      ...nodeEnvironment(codeCache),
      REMORA_PATHS: `${directory}/*.log`,
      REMORA_STATE_DIR: `${directory}/state`,
      REMORA_ELASTICSEARCH_URL: url,
      REMORA_ADMIN_PORT: '0',
    },
  })
  const timer = setTimeout(() => child.kill('SIGTERM'), 1_500)
  const giveUp = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await once(child, 'exit')
  clearTimeout(timer)
  clearTimeout(giveUp)
  rmSync(directory, { recursive: true, force: true })
}

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
    response.end('{"errors":false,"items":[{"create":{"status":201}}]}')
  })
})
await once(server.listen(0, '127.0.0.1'), 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
await warm(nodeFlags(Infinity), url)
await warm(nodeFlags(48 * 1024 * 1024), url)
server.close()
