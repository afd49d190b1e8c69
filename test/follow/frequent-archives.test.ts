import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { AgentHarness } from '../kit/agent.ts'
import { VirtualClock } from '../kit/agent-clock.ts'
import { memoryDisk } from '../kit/agent-disk.ts'
import { MemoryFiles } from '../kit/agent-files.ts'

test('packed at each rotation, every two seconds: what is gone is given up, and nothing is stored twice', async () => {
  const clock = new VirtualClock()
  const files = new MemoryFiles(() => clock.wallMs)
  files.makeDirectory('/logs')
  files.makeDirectory('/state')
  const agent = new AgentHarness({
    clock,
    disk: () => memoryDisk(files, {}),
    settings: { paths: ['/logs/*.log'], stateDir: '/state' },
  })
  files.changed = (directory) => agent.hint(directory)
  const log = '/logs/app.log'
  let written = 0
  const write = () => files.append(files.open(log), `2026-01-01 10:00:00 line ${++written}\n`)
  write()
  await agent.start()
  const generations: number[] = []
  for (let rotation = 0; rotation < 100; rotation++) {
    write()
    await agent.advance(2_000)
    if (files.find(`${log}.3.gz`) !== undefined) files.remove(`${log}.3.gz`)
    for (const n of [2, 1])
      if (files.find(`${log}.${n}.gz`) !== undefined) files.rename(`${log}.${n}.gz`, `${log}.${n + 1}.gz`)
    files.rename(log, `${log}.1`)
    files.open(log)
    files.write(files.open(`${log}.1.gz`), gzipSync(files.find(`${log}.1`)!.bytes))
    files.remove(`${log}.1`)
    generations.push(agent.agent.figures().files)
  }
  await agent.advance(60_000)
  expect(agent.server.documents.size).toBe(written)
  expect(Math.max(...generations)).toBeLessThan(40)
  agent.crash()
})
