/** Telling apart what a process was doing, from samples of its stacks. */

/** One sample of one thread. Frames as `perf` names them, the innermost first. */
export interface Sample {
  readonly thread: string
  readonly atSeconds: number
  readonly frames: readonly string[]
  /** In the kernel: system time. */
  readonly isSystem: boolean
}

/** In the order in which they are looked for: what is collected while an answer is read is the collector's. */
export const parts = [
  'collector',
  'compilers',
  'kernel',
  'send',
  'read',
  'checkpoint',
  'looking',
  'answer',
  'client',
  'delivery',
  'turns',
  'rest',
] as const
export type Part = (typeof parts)[number]

/** What is in each part, for a person. */
export const partTexts: Readonly<Record<Part, string>> = {
  collector: 'garbage, on all threads',
  compilers: 'V8 compiling JavaScript and wasm, on all threads',
  kernel: 'the encoder in wasm',
  send: 'writing requests to the socket, the kernel’s TCP included',
  read: 'the system calls that read files and ask for their size',
  checkpoint: 'making and writing the state, its threads included',
  looking: 'which files exist, hints, memory, backpressure',
  answer: 'from the socket to the verdict that all were taken, node:http included',
  client: 'making requests: Elastic’s transport, node:http, nodes, time limits',
  delivery: 'queue of requests, window, verdicts, frontiers, ledger',
  turns: 'whose turn, guards, names, templates, batches',
  rest: 'the event loop, and what is none of these',
}

type Rule = readonly [part: Part, test: RegExp]

/** Of a stack the first rule counts that holds for any of its frames. JavaScript's are `JS:^name URL:line:column`. */
const rules: readonly Rule[] = [
  ['collector', /^v8::internal::(Heap::(Collect|Perform|MarkCompact|Scavenge)|Scaveng|\w*Mark|\w*Sweep|\w*Evacuat)/],
  ['compilers', /^v8::internal::(compiler|maglev|baseline|wasm|Compiler|parsing|interpreter|OptimizingCompile)/],
  ['kernel', /^JS:.?wasm-function/],
  ['send', /^tcp_sendmsg|^JS:\S*write(v?Generic|vGeneric|Buffer)? node:internal\/stream_base|^uv__(try_)?write/],
  ['read', /^JS:\S*'?(readSync|fstatSync) node:fs/],
  ['checkpoint', /\/src\/(settle\/(checkpoint|state-|begin)|agent\/saving|base\/replace)|^uv__fs_work/],
  ['looking', /\/src\/(discover\/|agent\/(looking|growth|memory|backpressure|telling|volume)|volume\/)|\/chokidar\//],
  ['answer', /^(uv__read|tcp_recvmsg)|^JS:\S*(onStreamRead|socketOnData|parserOn\w+|readAnswer) |\/src\/ship\/answer/],
  ['client', /\/@elastic\/|\/src\/(ship\/(exchange|transport|outgoing|connections|nodes|client)\.|connect\/)/],
  ['delivery', /\/src\/((ship|settle)\/|agent\/(delivery|frontiers))|\/(p-queue|eventemitter3)\//],
  ['turns', /\/src\/(pump|follow\/|queue\/|encode\/|agent)/],
  // Streams and requests going on by themselves, without a frame of ours.
  ['client', / node:(_http|net|events|internal\/(streams|timers|stream_base|abort))/],
]

/** What a thread does that has no frames to tell it by. */
const threads: readonly Rule[] = [
  ['compilers', /V8Worker/],
  ['checkpoint', /libuv-worker/],
]

export function partOf({ frames, thread }: Pick<Sample, 'frames' | 'thread'>): Part {
  for (const [part, test] of rules) if (frames.some((frame) => test.test(frame))) return part
  return threads.find(([, test]) => test.test(thread))?.[0] ?? 'rest'
}

export interface Count {
  user: number
  system: number
}

export interface Shares {
  /** Samples of each part after the start. */
  readonly counts: Readonly<Record<Part, Count>>
  /** Samples until the first request left that holds lines. */
  readonly start: number
  readonly total: number
}

/** The start ends when the first request is written after lines were encoded. */
export function sharesOf(samples: readonly Sample[]): Shares {
  const counts = Object.fromEntries(parts.map((part) => [part, { user: 0, system: 0 }])) as Record<Part, Count>
  let hasEncoded = false
  let hasBegun = false
  let start = 0
  for (const sample of samples.toSorted((a, b) => a.atSeconds - b.atSeconds)) {
    const part = partOf(sample)
    hasEncoded ||= part === 'kernel'
    hasBegun ||= hasEncoded && part === 'send'
    if (hasBegun) counts[part][sample.isSystem ? 'system' : 'user']++
    else start++
  }
  return { counts, start, total: samples.length }
}

const headLine = /^(\S.*?)\s+\d+\s+(\d+\.\d+):/
const frameLine = /^\s+[0-9a-f]+ (.*) \((.*)\)$/

/** From `perf script -F comm,tid,time,ip,sym,dso`: a line for the thread, one for each frame, an empty one. */
export function samplesFrom(text: string): Sample[] {
  const samples: Sample[] = []
  for (const block of text.split('\n\n')) {
    const [first = '', ...rest] = block.trimStart().split('\n')
    const head = headLine.exec(first)
    if (head === null) continue
    const frames = rest.map((line) => frameLine.exec(line)).filter((found) => found !== null)
    if (frames.length === 0) continue
    const isSystem = /^\[(kernel|guest\.kernel)/.test(frames[0]?.[2] ?? '')
    samples.push({ thread: head[1]!, atSeconds: Number(head[2]), frames: frames.map((found) => found[1]!), isSystem })
  }
  return samples
}
