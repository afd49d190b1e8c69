import { expect, test } from 'vitest'
import { partOf, parts, samplesFrom, sharesOf, type Sample } from '../../bench/profile.ts'

const program = 'file:///opt/remora'
const main = 'node-MainThread'

test.each([
  ['kernel', ['JS:wasm-function[6]-6-turbofan', `JS:^encode ${program}/src/encode/kernel.ts:120:9`]],
  ['send', ['_copy_from_iter', 'tcp_sendmsg_locked', 'JS:^writevGeneric node:internal/stream_base_commons:72:23']],
  [
    'read',
    [
      '_copy_to_iter',
      '__x64_sys_pread64',
      "JS:+'readSync node:fs:954:18",
      `JS:^readTurn ${program}/src/follow/turn.ts:9:1`,
    ],
  ],
  ['read', ['JS:^fstatSync node:fs:1700:19', `JS:*sizeOf ${program}/src/base/disk.ts:9:1`]],
  ['collector', ['v8::internal::Heap::CollectGarbage', `JS:^send ${program}/src/ship/transport.ts:60:1`]],
  ['compilers', ['v8::internal::maglev::MaglevConcurrentDispatcher::JobTask::Run']],
  ['answer', ['__memcmp', `JS:^feed ${program}/src/ship/answer.ts:56:3`]],
  [
    'answer',
    ['JS:^socketOnData node:_http_client:809:22', 'JS:^onStreamRead node:internal/stream_base_commons:171:22'],
  ],
  [
    'client',
    ['Builtins_LoadIC', 'JS:^ClientRequest node:_http_client:331:23', `JS:^send ${program}/src/ship/transport.ts:61:1`],
  ],
  ['client', [`JS:^request ${program}/node_modules/@elastic/transport/esm/Transport.js:308:5`]],
  ['delivery', [`JS:^settle ${program}/src/settle/ledger.ts:84:1`]],
  ['checkpoint', ['JS:^stringify', `JS:^save ${program}/src/agent/saving.ts:20:1`]],
  ['looking', [`JS:^look ${program}/src/agent/looking.ts:20:1`]],
  ['turns', [`JS:^#turn ${program}/src/pump.ts:112:1`, `JS:^#run ${program}/src/agent.ts:412:1`]],
  ['rest', ['epoll_pwait', 'uv__io_poll']],
] as const)('%s: %j', (part, frames) => expect(partOf({ frames, thread: main })).toBe(part))

test('a thread without a name that tells is known by its own', () => {
  expect(partOf({ frames: ['futex_wait'], thread: 'node-V8Worker' })).toBe('compilers')
  expect(partOf({ frames: ['fdatasync'], thread: 'libuv-worker' })).toBe('checkpoint')
})

function sample(atSeconds: number, frame: string, isSystem = false): Sample {
  return { thread: main, atSeconds, frames: [frame], isSystem }
}

test('the start ends with the first request that follows on encoding, and each sample is counted once', () => {
  const [encode, send, epoll] = ['JS:wasm-function[6]-6-liftoff', 'tcp_sendmsg', 'epoll_pwait']
  // A question to the server comes before any line; samples of two threads are not in order.
  const samples = [sample(5, send, true), sample(1, send, true), sample(2, epoll), sample(3, encode), sample(6, encode)]
  const { counts, start, total } = sharesOf(samples)
  expect({ start, total }).toEqual({ start: 3, total: 5 })
  expect(counts.send).toEqual({ user: 0, system: 1 })
  expect(counts.kernel).toEqual({ user: 1, system: 0 })
  expect(start + parts.reduce((sum, part) => sum + counts[part].user + counts[part].system, 0)).toBe(total)
})

test('reads what perf writes', () => {
  const text = [
    'node-MainThread  4711  1234.567890: ',
    '\tffffffff8bd0 _copy_from_iter ([kernel.kallsyms])',
    '\t    7f4ab9a4 JS:^send file:///a b/(x).ts:1:2 (/tmp/perf-4711.map)',
    '',
    'V8 DefaultWorke  4712  1234.600000: ',
    '\t          aa v8::internal::Scavenger::Process(v8::JobDelegate*) (/usr/bin/node)',
    '',
    'node  4713  1234.7: ',
    '',
    '',
  ].join('\n')
  expect(samplesFrom(text)).toEqual([
    {
      thread: main,
      atSeconds: 1234.56789,
      isSystem: true,
      frames: ['_copy_from_iter', 'JS:^send file:///a b/(x).ts:1:2'],
    },
    {
      thread: 'V8 DefaultWorke',
      atSeconds: 1234.6,
      isSystem: false,
      frames: ['v8::internal::Scavenger::Process(v8::JobDelegate*)'],
    },
  ])
})
